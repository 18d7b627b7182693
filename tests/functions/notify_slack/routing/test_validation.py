"""Each value of the routes file follows its rule."""

import pytest

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.eligibility import CARD_EVENTS
from tests.functions.notify_slack.routing.support import DEFAULT_KEYS, GOOD, ROUTE_KEYS, problems

ALL_EVENTS = f"(known: {', '.join(CARD_EVENTS)})"


@pytest.mark.parametrize("line", ["fold_over = 10", 'typo = "x"', 'people = { octocat = "U1" }'])
def test_an_unknown_key_of_a_route_is_refused(line: str) -> None:
    """An unknown key of a route is refused, because ignoring it would send issues to the wrong people."""
    key = line.split(maxsplit=1)[0]
    assert problems(GOOD + line) == (f"routes file: line 3: route 1: unknown key {key!r} {ROUTE_KEYS}",)


@pytest.mark.parametrize("line", ['labels_any = ["bug"]', 'events = ["issues.opened"]', 'typo = "x"'])
def test_an_unknown_key_of_the_defaults_is_refused(line: str) -> None:
    """A key of a route that is not allowed in [defaults] is refused there."""
    key = line.split(maxsplit=1)[0]
    assert problems(f"[defaults]\n{line}\n{GOOD}") == (
        f"routes file: line 2: defaults: unknown key {key!r} {DEFAULT_KEYS}",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("event = []", f"unknown key 'event', did you mean 'events'? {ROUTE_KEYS}"),
        ("Private = 1", f"unknown key 'Private', did you mean 'private'? {ROUTE_KEYS}"),
        ("mute_author = []", f"unknown key 'mute_author', did you mean 'mute_authors'? {ROUTE_KEYS}"),
        ("MENTION = []", f"unknown key 'MENTION', did you mean 'mention'? {ROUTE_KEYS}"),
        ("repository = []", f"unknown key 'repository', did you mean 'repositories'? {ROUTE_KEYS}"),
    ],
)
def test_a_misspelt_key_gets_a_suggestion(text: str, problem: str) -> None:
    """The message about a misspelt key names the most similar key."""
    assert problems(GOOD + text) == (f"routes file: line 3: route 1: {problem}",)


@pytest.mark.parametrize("value", ["3", '""', '" "', '"a\\nb"', '"\\u001b[31m"', "[]"])
def test_a_name_must_be_one_line_of_text(value: str) -> None:
    """A route's name is one line of text, because logs and terminals show it."""
    [problem] = problems(GOOD + f"name = {value}")
    assert problem.startswith("routes file: line 3: route 1")
    assert problem.endswith(": name must be one line of text")


@pytest.mark.parametrize(
    "value",
    [
        '"C1"',
        "[]",
        "[1]",
        '[""]',
        '[" "]',
        '["C1", 2]',
        '["#issues"]',
        '["issues"]',
        '["C1 "]',
        '["c1"]',
        '["U1"]',
        "{}",
        "true",
    ],
)
def test_channels_must_be_ids(value: str) -> None:
    """A channel must be a channel's id; a name, a stray space and a user's id are refused."""
    assert problems(f"[[route]]\nchannels = {value}") == (
        "routes file: line 2: route 1: channels must be a list of channel ids such as C0123456789",
    )


# Repositories


@pytest.mark.parametrize("value", ['"acme/*"', "[]", "[1]", '[""]', '[" "]', "false"])
def test_repositories_must_be_globs(value: str) -> None:
    """A malformed list of repositories is refused and not read as no filter."""
    assert problems(f'[[route]]\nchannels = ["C1"]\nrepositories = {value}') == (
        'routes file: line 3: route 1: repositories must be a list of globs such as "acme/*"',
    )


@pytest.mark.parametrize(
    "glob",
    [
        "acme",
        "acme/",
        "/app",
        "acme/app/issues",
        "https://github.com/acme/app",
        "acme/app ",
        "@acme/*",
        "acme/app, acme/web",
    ],
)
def test_a_glob_that_can_never_match_is_refused(glob: str) -> None:
    """A glob that can never match is refused, because the mistake would go unnoticed."""
    assert problems(f'{GOOD}repositories = ["acme/*", "{glob}"]') == (
        f"routes file: line 3: route 1: repositories: {glob!r} can never match an owner/name",
    )


@pytest.mark.parametrize("glob", ["*", "acme*", "*/app", "ac?e/app", "[ab]*", "a.b/_c-d.e", "acme[!x]app"])
def test_a_glob_that_can_match_is_accepted(glob: str) -> None:
    """A glob is accepted if it can match, also if its wildcard matches the slash."""
    assert routes_file.parse(f'{GOOD}repositories = ["{glob}"]').routes[0].repositories == (glob,)


# Events


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("issue.opened", ", did you mean 'issues.opened'?"),
        ("Issues.Opened", ", did you mean 'issues.opened'?"),
        ("labeled", ", did you mean 'issues.labeled'?"),
        ("issue_comment.create", ", did you mean 'issue_comment.created'?"),
        ("issues.open", ", did you mean 'issues.opened'?"),
        ("issues.*", ", did you mean 'issues.typed'?"),
        ("issues.", ", did you mean 'issues.typed'?"),
        ("push", f" {ALL_EVENTS}"),
    ],
)
def test_an_event_that_makes_no_card_is_refused(name: str, hint: str) -> None:
    """The message about an event without a card suggests a similar name or lists all names."""
    assert problems(f'{GOOD}events = ["issues.opened", "{name}"]') == (
        f"routes file: line 3: route 1: events: no card is made of {name!r}{hint}",
    )


@pytest.mark.parametrize("name", ["issues.field_added", "issues.status_changed", "issue_comment.pinned"])
def test_an_action_that_github_may_add_is_accepted_with_a_warning(name: str) -> None:
    """A new action of a known event is accepted, since it changes cards; a warning says that it is new."""
    found = routes_file.parse(f'{GOOD}events = ["issues.opened", "{name}"]')
    assert found.routes[0].events == ("issues.opened", name)
    assert found.warnings() == (
        f"route 'route 1': events: {name!r} is new to Issuewire; it matches if GitHub sends it",
    )


def test_every_event_with_a_card_is_accepted() -> None:
    """Every event with a card is accepted, labels, assignments, transfers and comments included."""
    [route] = routes_file.parse(f"{GOOD}events = {list(CARD_EVENTS)}").routes
    assert route.events == CARD_EVENTS
    some = {"issues.unlabeled", "issues.assigned", "issues.deleted", "issue_comment.created"}
    assert some < set(CARD_EVENTS)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("[]", "events is empty, so the route can never match"),
        ('"issues.opened"', "events must be a list of EVENT.ACTION"),
        ("[1]", "events must be a list of EVENT.ACTION"),
        ("{}", "events must be a list of EVENT.ACTION"),
    ],
)
def test_events_must_be_a_list(value: str, problem: str) -> None:
    """Events must be a list of EVENT.ACTION; an empty list is refused, because it would never match."""
    assert problems(f"{GOOD}events = {value}") == (f"routes file: line 3: route 1: {problem} {ALL_EVENTS}",)


# Words and numbers


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("true", ""),
        ('"yes"', ""),
        ('"Never"', ", did you mean 'never'?"),
        ('""', ""),
        ('["any"]', ""),
        ("{}", ""),
    ],
)
def test_private_must_be_one_of_three_words(value: str, hint: str) -> None:
    """A boolean is refused for `private`, because it could mean two of the three words."""
    assert problems(f"{GOOD}private = {value}") == (
        f"routes file: line 3: route 1: private must be one of any, only, never{hint}",
    )


@pytest.mark.parametrize(
    ("value", "hint"), [('"ful"', ", did you mean 'full'?"), ('"x"', ""), ("1", ""), ('["full"]', "")]
)
def test_format_must_be_one_of_two_words(value: str, hint: str) -> None:
    """The format is compact or full, in a route and in [defaults]."""
    problem = f"format must be one of compact, full{hint}"
    assert problems(f"{GOOD}format = {value}") == (f"routes file: line 3: route 1: {problem}",)
    assert problems(f"[defaults]\nformat = {value}\n{GOOD}") == (f"routes file: line 2: defaults: {problem}",)


@pytest.mark.parametrize("value", ["true", "false", "-1", "51", "10.0", '"10"', "[10]", "inf"])
def test_fold_over_must_be_a_number_up_to_fifty(value: str) -> None:
    """A value of fold_over that is not a whole number from 0 to 50 is refused."""
    assert problems(f"[defaults]\nfold_over = {value}\n{GOOD}") == (
        "routes file: line 2: defaults: fold_over must be a whole number from 0 to 50; 0 turns it off",
    )


# Labels


@pytest.mark.parametrize("key", ["labels_any", "labels_all", "labels_none"])
@pytest.mark.parametrize("value", ['"bug"', "[]", "[1]", '[""]', '[" "]', "{}", "false"])
def test_labels_must_be_a_list(key: str, value: str) -> None:
    """Labels must be a list; an empty one is refused, because it could mean every issue or none."""
    assert problems(f"{GOOD}{key} = {value}") == (
        f'routes file: line 3: route 1: {key} must be a list of labels such as "bug"',
    )


@pytest.mark.parametrize("label", [" bug", "bug ", "bug\\n"])
def test_a_label_with_a_stray_space_is_refused(label: str) -> None:
    """A label with a stray space is refused, because it would never match."""
    [problem] = problems(f'{GOOD}labels_none = ["x", "{label}"]')
    assert problem.startswith("routes file: line 3: route 1: labels_none: ")
    assert problem.endswith(" begins or ends with a space, which no label does")


def test_any_label_of_github_is_accepted() -> None:
    """A label may have spaces, colons, commas and emoji, in any case."""
    lines = 'labels_any = ["Good First, Issue", "area: 🚀 ui"]\nlabels_all = ["P1"]\nlabels_none = ["*"]\n'
    [route] = routes_file.parse(GOOD + lines).routes
    assert route.labels_any == ("Good First, Issue", "area: 🚀 ui")
    assert (route.labels_all, route.labels_none) == (("P1",), ("*",))


def test_labels_that_contradict_each_other_are_refused() -> None:
    """Labels that are required and excluded, in any case, are refused: the route would never match."""
    assert problems(f'{GOOD}labels_all = ["bug", "p1"]\nlabels_none = ["P1", "x", "Bug"]') == (
        "routes file: line 4: route 1: labels_none: 'Bug' is in labels_all too, so the route can never match",
        "routes file: line 4: route 1: labels_none: 'P1' is in labels_all too, so the route can never match",
    )
    problem = "labels_none has every label of labels_any, so the route can never match"
    assert problems(f'{GOOD}labels_none = ["crash", "BUG", "x"]\nlabels_any = ["bug", "crash"]') == (
        f"routes file: line 3: route 1: {problem}",
    )
    assert routes_file.parse(f'{GOOD}labels_none = ["crash"]\nlabels_any = ["bug", "crash"]').routes


# People and mentions


@pytest.mark.parametrize("user", ['"S0123456789"', '"@mona"', '"u1"', '"U1 "', '""', "1", '["U1"]', "{}"])
def test_people_must_have_slack_user_ids(user: str) -> None:
    """A person must have a Slack user's id, and not a name or a group."""
    assert problems(f"[people]\nmona = {user}\n{GOOD}") == (
        "routes file: line 2: people: 'mona' needs a Slack user id such as U0123456789",
    )


@pytest.mark.parametrize("login", ['"@mona"', '"mona lisa"', '"https://github.com/mona"', '""', '"*[bot]"'])
def test_people_must_be_github_logins(login: str) -> None:
    """A pattern or a URL in place of a login is refused, because it would never be found."""
    [problem] = problems(f'[people]\n{login} = "U1"\n{GOOD}')
    assert problem.endswith("is not a GitHub login")


def test_a_login_is_listed_once() -> None:
    """A login that is listed twice, even in another case, is refused."""
    assert problems(f'[people]\nOctoCat = "U1"\nmona = "U1"\n"octocat" = "U2"\n{GOOD}') == (
        "routes file: line 4: people: 'octocat' is listed as 'OctoCat' too; case does not matter",
    )


def test_a_person_may_have_two_logins() -> None:
    """Two logins may have the same Slack user, whose id begins with U or W."""
    found = routes_file.parse(f'[people]\nOctoCat = "U1"\nmona_acme = "W2"\nmona-1 = "W2"\n{GOOD}')
    assert found.people == {"octocat": "U1", "mona_acme": "W2", "mona-1": "W2"}
    assert routes_file.parse(GOOD).people == {}


@pytest.mark.parametrize("value", ['"U1"', "[1]", '["@here"]', '["mona"]', '["C1"]', '["U1", "<!channel>"]'])
def test_mentions_must_be_ids(value: str) -> None:
    """A mention must be an id, so that the file cannot mention @here."""
    problem = "mention must be a list of ids of users (U0123456789) or user groups (S0123456789)"
    assert problems(f"{GOOD}mention = {value}") == (f"routes file: line 3: route 1: {problem}",)


def test_users_and_user_groups_can_be_mentioned() -> None:
    """Users and user groups can be mentioned, and the list may be empty."""
    [route] = routes_file.parse(f'{GOOD}mention = ["U1", "W2", "S3"]').routes
    assert route.mention == ("U1", "W2", "S3")
    assert routes_file.parse(f"{GOOD}mention = []").routes[0].mention == ()


def test_a_mention_that_can_never_happen_is_refused() -> None:
    """A mention in a route without opened is refused, unless a later label can bring an issue there."""
    problem = "mention: events has no issues.opened, so no one would ever be mentioned"
    assert problems(f'{GOOD}events = ["issues.closed"]\nmention = ["U1"]') == (
        f"routes file: line 4: route 1: {problem}",
    )
    labels = 'events = ["issues.closed"]\nmention = ["U1"]\nlabels_any = ["bug"]'
    assert routes_file.parse(f"{GOOD}{labels}").routes[0].mention == ("U1",)


# Muted authors


@pytest.mark.parametrize(
    "value", ['"*[bot]"', "[1]", '[""]', '["@octocat"]', '["a b"]', '["a", "b,c"]', "false"]
)
def test_muted_authors_must_be_logins(value: str) -> None:
    """A pattern that no login can match is refused, because it would mute no one."""
    problem = 'mute_authors must be a list of logins such as "octocat" or "*[bot]"'
    assert problems(f"{GOOD}mute_authors = {value}") == (f"routes file: line 3: route 1: {problem}",)
    assert problems(f"[defaults]\nmute_authors = {value}\n{GOOD}") == (
        f"routes file: line 2: defaults: {problem}",
    )


@pytest.mark.parametrize("glob", ["*", "**", "?*", "*?", "*?*"])
def test_muting_everyone_is_refused(glob: str) -> None:
    """A route that mutes everyone is refused, because it could never match."""
    assert problems(f'{GOOD}mute_authors = ["a", "{glob}"]') == (
        f"routes file: line 3: route 1: mute_authors: {glob!r} mutes everyone, so the route can never match",
    )
