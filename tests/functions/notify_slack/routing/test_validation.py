"""Each value of the routes file follows its rule."""

import pytest

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.eligibility import CARD_EVENTS
from tests.functions.notify_slack.routing.support import DEFAULT_KEYS, GOOD, ROUTE_KEYS, problems

ALL_EVENTS = f"(known: {', '.join(CARD_EVENTS)})"


@pytest.mark.parametrize("line", ["fold_over = 10", 'typo = "x"', 'people = { octocat = "U1" }'])
def test_an_unknown_key_of_a_route_is_refused(line: str) -> None:
    """A key that is ignored would send issues to the wrong people."""
    key = line.split(maxsplit=1)[0]
    assert problems(GOOD + line) == (f"routes file: line 3: route 1: unknown key {key!r} {ROUTE_KEYS}",)


@pytest.mark.parametrize("line", ['labels_any = ["bug"]', 'events = ["issues.opened"]', 'typo = "x"'])
def test_an_unknown_key_of_the_defaults_is_refused(line: str) -> None:
    """Not every key of a route is allowed in [defaults]."""
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
    """The message names the most similar key."""
    assert problems(GOOD + text) == (f"routes file: line 3: route 1: {problem}",)


@pytest.mark.parametrize("value", ["3", '""', '" "', '"a\\nb"', '"\\u001b[31m"', "[]"])
def test_a_name_must_be_one_line_of_text(value: str) -> None:
    """Names appear in logs and on terminals."""
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
    """A name, a stray space, and a user, whose history hides the cards, are refused at start."""
    assert problems(f"[[route]]\nchannels = {value}") == (
        "routes file: line 2: route 1: channels must be a list of channel ids such as C0123456789",
    )


# Repositories


@pytest.mark.parametrize("value", ['"acme/*"', "[]", "[1]", '[""]', '[" "]', "false"])
def test_repositories_must_be_globs(value: str) -> None:
    """A malformed filter is not read as no filter."""
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
    """No one would notice such a mistake."""
    assert problems(f'{GOOD}repositories = ["acme/*", "{glob}"]') == (
        f"routes file: line 3: route 1: repositories: {glob!r} can never match an owner/name",
    )


@pytest.mark.parametrize("glob", ["*", "acme*", "*/app", "ac?e/app", "[ab]*", "a.b/_c-d.e", "acme[!x]app"])
def test_a_glob_that_can_match_is_accepted(glob: str) -> None:
    """A wildcard may match the slash too."""
    assert routes_file.parse(f'{GOOD}repositories = ["{glob}"]').routes[0].repositories == (glob,)


# Events


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("issue.opened", ", did you mean 'issues.opened'?"),
        ("Issues.Opened", ", did you mean 'issues.opened'?"),
        ("labeled", ", did you mean 'issues.labeled'?"),
        ("issue_comment.create", ", did you mean 'issue_comment.created'?"),
        ("push", f" {ALL_EVENTS}"),
    ],
)
def test_an_event_that_makes_no_card_is_refused(name: str, hint: str) -> None:
    """The message suggests a similar name or lists all names."""
    assert problems(f'{GOOD}events = ["issues.opened", "{name}"]') == (
        f"routes file: line 3: route 1: events: no card is made of {name!r}{hint}",
    )


def test_every_event_with_a_card_is_accepted() -> None:
    """They include labels, assignments, transfers and comments."""
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
    """An empty list would be a route that never matches."""
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
    """`private = true` could mean either of two."""
    assert problems(f"{GOOD}private = {value}") == (
        f"routes file: line 3: route 1: private must be one of any, only, never{hint}",
    )


@pytest.mark.parametrize(
    ("value", "hint"), [('"ful"', ", did you mean 'full'?"), ('"x"', ""), ("1", ""), ('["full"]', "")]
)
def test_format_must_be_one_of_two_words(value: str, hint: str) -> None:
    """The same holds in a route and in [defaults]."""
    problem = f"format must be one of compact, full{hint}"
    assert problems(f"{GOOD}format = {value}") == (f"routes file: line 3: route 1: {problem}",)
    assert problems(f"[defaults]\nformat = {value}\n{GOOD}") == (f"routes file: line 2: defaults: {problem}",)


@pytest.mark.parametrize("value", ["true", "false", "-1", "51", "10.0", '"10"', "[10]", "inf"])
def test_fold_over_must_be_a_number_up_to_fifty(value: str) -> None:
    """Booleans and texts are no numbers here."""
    assert problems(f"[defaults]\nfold_over = {value}\n{GOOD}") == (
        "routes file: line 2: defaults: fold_over must be a whole number from 0 to 50; 0 turns it off",
    )


# Labels


@pytest.mark.parametrize("key", ["labels_any", "labels_all", "labels_none"])
@pytest.mark.parametrize("value", ['"bug"', "[]", "[1]", '[""]', '[" "]', "{}", "false"])
def test_labels_must_be_a_list(key: str, value: str) -> None:
    """An empty list could mean that every issue matches, or that none does."""
    assert problems(f"{GOOD}{key} = {value}") == (
        f'routes file: line 3: route 1: {key} must be a list of labels such as "bug"',
    )


@pytest.mark.parametrize("label", [" bug", "bug ", "bug\\n"])
def test_a_label_with_a_stray_space_is_refused(label: str) -> None:
    """It would never match, and no one would see why."""
    [problem] = problems(f'{GOOD}labels_none = ["x", "{label}"]')
    assert problem.startswith("routes file: line 3: route 1: labels_none: ")
    assert problem.endswith(" begins or ends with a space, which no label does")


def test_any_label_of_github_is_accepted() -> None:
    """Labels may have spaces, colons, commas and emoji, in any case."""
    lines = 'labels_any = ["Good First, Issue", "area: 🚀 ui"]\nlabels_all = ["P1"]\nlabels_none = ["*"]\n'
    [route] = routes_file.parse(GOOD + lines).routes
    assert route.labels_any == ("Good First, Issue", "area: 🚀 ui")
    assert (route.labels_all, route.labels_none) == (("P1",), ("*",))


def test_labels_that_contradict_each_other_are_refused() -> None:
    """Such a route could never match; the case of a label does not matter."""
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
    """A card cannot mention a name or a group as a person."""
    assert problems(f"[people]\nmona = {user}\n{GOOD}") == (
        "routes file: line 2: people: 'mona' needs a Slack user id such as U0123456789",
    )


@pytest.mark.parametrize("login", ['"@mona"', '"mona lisa"', '"https://github.com/mona"', '""', '"*[bot]"'])
def test_people_must_be_github_logins(login: str) -> None:
    """A pattern or a URL would never be found."""
    [problem] = problems(f'[people]\n{login} = "U1"\n{GOOD}')
    assert problem.endswith("is not a GitHub login")


def test_a_login_is_listed_once() -> None:
    """Case does not matter, so another case would be a second user of the same login."""
    assert problems(f'[people]\nOctoCat = "U1"\nmona = "U1"\n"octocat" = "U2"\n{GOOD}') == (
        "routes file: line 4: people: 'octocat' is listed as 'OctoCat' too; case does not matter",
    )


def test_a_person_may_have_two_logins() -> None:
    """Ids of users begin with U or W; the case of a login does not matter."""
    found = routes_file.parse(f'[people]\nOctoCat = "U1"\nmona_acme = "W2"\nmona-1 = "W2"\n{GOOD}')
    assert found.people == {"octocat": "U1", "mona_acme": "W2", "mona-1": "W2"}
    assert routes_file.parse(GOOD).people == {}


@pytest.mark.parametrize("value", ['"U1"', "[1]", '["@here"]', '["mona"]', '["C1"]', '["U1", "<!channel>"]'])
def test_mentions_must_be_ids(value: str) -> None:
    """The file cannot make a card mention @here."""
    problem = "mention must be a list of ids of users (U0123456789) or user groups (S0123456789)"
    assert problems(f"{GOOD}mention = {value}") == (f"routes file: line 3: route 1: {problem}",)


def test_users_and_user_groups_can_be_mentioned() -> None:
    """The list may be empty."""
    [route] = routes_file.parse(f'{GOOD}mention = ["U1", "W2", "S3"]').routes
    assert route.mention == ("U1", "W2", "S3")
    assert routes_file.parse(f"{GOOD}mention = []").routes[0].mention == ()


def test_a_mention_that_can_never_happen_is_refused() -> None:
    """Only opened mentions people, so a route without it would never do so."""
    problem = "mention: events has no issues.opened, so no one would ever be mentioned"
    assert problems(f'{GOOD}events = ["issues.closed"]\nmention = ["U1"]') == (
        f"routes file: line 4: route 1: {problem}",
    )


# Muted authors


@pytest.mark.parametrize(
    "value", ['"*[bot]"', "[1]", '[""]', '["@octocat"]', '["a b"]', '["a", "b,c"]', "false"]
)
def test_muted_authors_must_be_logins(value: str) -> None:
    """A pattern that no login can match would mute no one."""
    problem = 'mute_authors must be a list of logins such as "octocat" or "*[bot]"'
    assert problems(f"{GOOD}mute_authors = {value}") == (f"routes file: line 3: route 1: {problem}",)
    assert problems(f"[defaults]\nmute_authors = {value}\n{GOOD}") == (
        f"routes file: line 2: defaults: {problem}",
    )


@pytest.mark.parametrize("glob", ["*", "**", "?*", "*?", "*?*"])
def test_muting_everyone_is_refused(glob: str) -> None:
    """Such a route could never match."""
    assert problems(f'{GOOD}mute_authors = ["a", "{glob}"]') == (
        f"routes file: line 3: route 1: mute_authors: {glob!r} mutes everyone, so the route can never match",
    )
