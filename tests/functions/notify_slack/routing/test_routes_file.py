"""The routes file: a bad one is refused as a whole, with every problem and its line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.eligibility import CARD_EVENTS
from functions.notify_slack.routing.routes import Route, Routes
from pipeline.errors import ConfigurationError

ROOT = Path(__file__).parents[4]
SHIPPED = (ROOT / "config" / "routes.toml").read_text("utf-8")
KNOWN = (
    "(known: channels, events, format, labels_all, labels_any, labels_none, mention, mute_authors, name,"
    " private, repositories)"
)
DEFAULTS = "(known: fold_over, format, mute_authors)"
ALL = f"(known: {', '.join(CARD_EVENTS)})"
GOOD = '[[route]]\nchannels = ["C1"]\n'


def problems(text: str) -> tuple[str, ...]:
    """Return what is wrong with the file."""
    with pytest.raises(ConfigurationError) as caught:
        routes_file.parse(text)
    return caught.value.problems


def test_every_problem_is_reported_together_with_its_line() -> None:
    """One look at the log is enough to mend the whole file, and each problem says where it stands."""
    found = problems("""
        [peopel]
        octocat = "U1"
        [defaults]
        mute_author = ["x"]
        [people]
        octocat = "mona"
        [[route]]
        name = "bugs"
        channel = "C1"
        [[route]]
        channels = ["C1"]
        [[route]] # the third
        name = 3
        channels = []
        repositories = "acme/*"
        labels_any = "bug"
    """)
    assert found == (
        "routes file: line 2: unknown table 'peopel', did you mean 'people'?",
        "routes file: line 5: defaults: unknown key 'mute_author', did you mean 'mute_authors'? " + DEFAULTS,
        "routes file: line 7: people: 'octocat' needs a Slack user id such as U0123456789",
        f"routes file: line 10: route 1 ('bugs'): unknown key 'channel', did you mean 'channels'? {KNOWN}",
        "routes file: line 8: route 1 ('bugs'): channels must be a list of channel ids such as C0123456789",
        "routes file: line 14: route 3: name must be one line of text",
        "routes file: line 15: route 3: channels must be a list of channel ids such as C0123456789",
        'routes file: line 16: route 3: repositories must be a list of globs such as "acme/*"',
        'routes file: line 17: route 3: labels_any must be a list of labels such as "bug"',
    )


# The example of the contract, as it stands there.
EXAMPLE = """\
[defaults]
format = "compact"            # or "full"
mute_authors = ["*[bot]"]

[people]                      # GitHub login -> Slack user id
octocat = "U0123456789"

[[route]]
name = "bugs"
channels = ["C0123456789"]
repositories = ["acme/*"]     # globs, default all
labels_any = ["bug"]          # also labels_all, labels_none
events = ["issues.opened", "issues.closed", "issues.reopened", "issue_comment.created"]   # default: all \
that a card shows
mention = ["U0123456789"]     # on opened only
"""


def test_the_example_is_taken_as_it_stands() -> None:
    """What is promised of the file is what it takes, to the last key."""
    found = routes_file.parse(EXAMPLE)
    assert found == Routes(
        routes=(
            Route(
                name="bugs",
                channels=("C0123456789",),
                repositories=("acme/*",),
                labels_any=("bug",),
                labels_all=(),
                labels_none=(),
                events=("issues.opened", "issues.closed", "issues.reopened", "issue_comment.created"),
                private="any",
                mute_authors=("*[bot]",),
                format="compact",
                mention=("U0123456789",),
            ),
        ),
        people={"octocat": "U0123456789"},
        fold_over=10,
    )


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
def test_channels_are_ids(value: str) -> None:
    """A name, a stray space, a user whose history hides the cards: refused here, not by Slack every time."""
    assert problems(f"[[route]]\nchannels = {value}") == (
        "routes file: line 2: route 1: channels must be a list of channel ids such as C0123456789",
    )


@pytest.mark.parametrize("value", ['"acme/*"', "[]", "[1]", '[""]', '[" "]', "false"])
def test_repositories_are_globs(value: str) -> None:
    """A filter that cannot be understood is not taken for no filter."""
    assert problems(f'[[route]]\nchannels = ["C1"]\nrepositories = {value}') == (
        'routes file: line 3: route 1: repositories must be a list of globs such as "acme/*"',
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "route = []"])
def test_a_file_without_routes_is_refused(text: str) -> None:
    """A function that would never post says so at its start."""
    assert problems(text) == ("routes file: there is no [[route]]",)


@pytest.mark.parametrize("text", ["[route]\nchannels = ['C1']", "route = 1", "route = ['C1']", "route = {}"])
def test_a_route_that_is_no_table_of_a_list_is_refused(text: str) -> None:
    """[route] with one bracket is the easy mistake; the message shows how it is written."""
    assert problems(text) == ("routes file: write each route as [[route]]",)


@pytest.mark.parametrize(
    "text",
    [
        "[[route]",
        "[[route]]\nchannels = [C1]",
        "a = 1\na = 2",
        "\0",
        "<<<<<<< HEAD",
        "a = " + "9" * 5000,
        "a = " + "[" * 5000,
    ],
)
def test_broken_toml_is_one_problem(text: str) -> None:
    """A file that cannot be read is a configuration error, never a crash, also when it attacks the parser."""
    [problem] = problems(text)
    assert problem.startswith("routes file: ")


@pytest.mark.parametrize("line", ["fold_over = 10", 'typo = "x"', 'people = { octocat = "U1" }'])
def test_a_key_that_no_route_has_is_refused(line: str) -> None:
    """What is silently ignored would send issues to the wrong people."""
    key = line.split(maxsplit=1)[0]
    assert problems(GOOD + line) == (f"routes file: line 3: route 1: unknown key {key!r} {KNOWN}",)


@pytest.mark.parametrize("line", ['labels_any = ["bug"]', 'events = ["issues.opened"]', 'typo = "x"'])
def test_a_key_that_is_no_default_is_refused(line: str) -> None:
    """Not every key of a route can stand under [defaults]."""
    key = line.split(maxsplit=1)[0]
    assert problems(f"[defaults]\n{line}\n{GOOD}") == (
        f"routes file: line 2: defaults: unknown key {key!r} {DEFAULTS}",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("event = []", f"unknown key 'event', did you mean 'events'? {KNOWN}"),
        ("Private = 1", f"unknown key 'Private', did you mean 'private'? {KNOWN}"),
        ("mute_author = []", f"unknown key 'mute_author', did you mean 'mute_authors'? {KNOWN}"),
        ("MENTION = []", f"unknown key 'MENTION', did you mean 'mention'? {KNOWN}"),
        ("repository = []", f"unknown key 'repository', did you mean 'repositories'? {KNOWN}"),
    ],
)
def test_a_misspelt_key_is_asked_about(text: str, problem: str) -> None:
    """What was probably meant is named."""
    assert problems(GOOD + text) == (f"routes file: line 3: route 1: {problem}",)


def test_a_misspelt_table_is_asked_about() -> None:
    """[default] would mute nobody, and [[routes]] route nothing."""
    assert problems(f"[default]\n{GOOD}") == (
        "routes file: line 1: unknown table 'default', did you mean 'defaults'?",
    )
    assert problems(f"[[routes]]\n{GOOD}") == (
        "routes file: line 1: unknown table 'routes', did you mean 'route'?",
    )


def test_a_good_file_does_not_load_what_only_problems_need() -> None:
    """A cold start does not wait for the module that finds what was meant."""
    program = (
        "import sys\n"
        "from functions.notify_slack.routing import routes_file\n"
        "before = 'difflib' in sys.modules\n"
        f"routes_file.parse({GOOD!r})\n"
        "sys.exit(before or 'difflib' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("name", ["defaults", "people"])
@pytest.mark.parametrize("text", ["{} = 1\n" + GOOD, "[[{}]]\n" + GOOD])
def test_defaults_and_people_are_one_table_each(text: str, name: str) -> None:
    """What has another shape is refused, not left out."""
    assert problems(text.format(name)) == (f"routes file: line 1: write the {name} as one table [{name}]",)


def test_two_routes_of_one_name_are_refused() -> None:
    """What a log or a command says of a route must be about one; without a name, a number is its name."""
    assert problems(f'{GOOD}name = "a"\n{GOOD}name = "b"\n{GOOD}name = "a"') == (
        "routes file: line 9: route 3 ('a'): route 1 has the same name",
    )
    assert problems(f'{GOOD}name = "route 2"\n{GOOD}') == (
        "routes file: line 4: route 2: route 1 has the same name",
    )


@pytest.mark.parametrize("value", ["3", '""', '" "', '"a\\nb"', '"\\u001b[31m"', "[]"])
def test_a_name_is_one_line_of_text(value: str) -> None:
    """A name stands in logs and on terminals."""
    [problem] = problems(GOOD + f"name = {value}")
    assert problem.startswith("routes file: line 3: route 1")
    assert problem.endswith(": name must be one line of text")


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
def test_a_glob_that_can_match_nothing_is_refused(glob: str) -> None:
    """A route that can never match is a mistake that nobody would notice."""
    assert problems(f'{GOOD}repositories = ["acme/*", "{glob}"]') == (
        f"routes file: line 3: route 1: repositories: {glob!r} can never match an owner/name",
    )


@pytest.mark.parametrize("glob", ["*", "acme*", "*/app", "ac?e/app", "[ab]*", "a.b/_c-d.e", "acme[!x]app"])
def test_a_glob_that_can_match_is_taken(glob: str) -> None:
    """A wildcard may stand for the slash, too."""
    assert routes_file.parse(f'{GOOD}repositories = ["{glob}"]').routes[0].repositories == (glob,)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("issue.opened", ", did you mean 'issues.opened'?"),
        ("Issues.Opened", ", did you mean 'issues.opened'?"),
        ("labeled", ", did you mean 'issues.labeled'?"),
        ("issue_comment.create", ", did you mean 'issue_comment.created'?"),
        ("push", f" {ALL}"),
    ],
)
def test_an_event_that_makes_no_card_is_refused(name: str, said: str) -> None:
    """What was probably meant is named, or else all that there are."""
    assert problems(f'{GOOD}events = ["issues.opened", "{name}"]') == (
        f"routes file: line 3: route 1: events: no card is made of {name!r}{said}",
    )


def test_every_event_that_a_card_shows_can_be_named() -> None:
    """Labels, assignments, moves and comments among them."""
    [route] = routes_file.parse(f"{GOOD}events = {list(CARD_EVENTS)}").routes
    assert route.events == CARD_EVENTS
    some = {"issues.unlabeled", "issues.assigned", "issues.deleted", "issue_comment.created"}
    assert some < set(CARD_EVENTS)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[]", "events is empty, so the route can never match"),
        ('"issues.opened"', "events must be a list of EVENT.ACTION"),
        ("[1]", "events must be a list of EVENT.ACTION"),
        ("{}", "events must be a list of EVENT.ACTION"),
    ],
)
def test_events_are_a_list(value: str, said: str) -> None:
    """No event at all would be a route that never matches."""
    assert problems(f"{GOOD}events = {value}") == (f"routes file: line 3: route 1: {said} {ALL}",)


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("true", ""),
        ('"yes"', ""),
        ('"Never"', ", did you mean 'never'?"),
        ('""', ""),
        ('["any"]', ""),
        ("{}", ""),
    ],
)
def test_private_is_one_of_three_words(value: str, asked: str) -> None:
    """`private = true` could mean either."""
    assert problems(f"{GOOD}private = {value}") == (
        f"routes file: line 3: route 1: private must be one of any, only, never{asked}",
    )


@pytest.mark.parametrize(
    ("value", "asked"), [('"ful"', ", did you mean 'full'?"), ('"x"', ""), ("1", ""), ('["full"]', "")]
)
def test_format_is_one_of_two_words(value: str, asked: str) -> None:
    """In a route and for all of them."""
    said = f"format must be one of compact, full{asked}"
    assert problems(f"{GOOD}format = {value}") == (f"routes file: line 3: route 1: {said}",)
    assert problems(f"[defaults]\nformat = {value}\n{GOOD}") == (f"routes file: line 2: defaults: {said}",)


@pytest.mark.parametrize("value", ["true", "false", "-1", "51", "10.0", '"10"', "[10]", "inf"])
def test_folding_begins_over_a_number_up_to_fifty(value: str) -> None:
    """Neither a truth nor a text is a number, whatever Python says."""
    assert problems(f"[defaults]\nfold_over = {value}\n{GOOD}") == (
        "routes file: line 2: defaults: fold_over must be a whole number from 0 to 50; 0 turns it off",
    )


@pytest.mark.parametrize("value", [0, 1, 50])
def test_folding_can_be_set_and_turned_off(value: int) -> None:
    """0 is off; nothing said is 10."""
    assert routes_file.parse(f"[defaults]\nfold_over = {value}\n{GOOD}").fold_over == value
    assert routes_file.parse(GOOD).fold_over == 10


# Labels


@pytest.mark.parametrize("key", ["labels_any", "labels_all", "labels_none"])
@pytest.mark.parametrize("value", ['"bug"', "[]", "[1]", '[""]', '[" "]', "{}", "false"])
def test_labels_are_a_list(key: str, value: str) -> None:
    """An empty list could mean that nothing is asked for, or that nothing will do."""
    assert problems(f"{GOOD}{key} = {value}") == (
        f'routes file: line 3: route 1: {key} must be a list of labels such as "bug"',
    )


@pytest.mark.parametrize("label", [" bug", "bug ", "bug\\n"])
def test_a_label_with_a_stray_space_is_refused(label: str) -> None:
    """It would be kept out, or asked for, in vain, and nobody would see why."""
    [problem] = problems(f'{GOOD}labels_none = ["x", "{label}"]')
    assert problem.startswith("routes file: line 3: route 1: labels_none: ")
    assert problem.endswith(" begins or ends with a space, which no label does")


def test_labels_may_hold_what_github_lets_them_hold() -> None:
    """Spaces within, colons, commas, emoji, and any case."""
    lines = 'labels_any = ["Good First, Issue", "area: 🚀 ui"]\nlabels_all = ["P1"]\nlabels_none = ["*"]\n'
    [route] = routes_file.parse(GOOD + lines).routes
    assert route.labels_any == ("Good First, Issue", "area: 🚀 ui")
    assert (route.labels_all, route.labels_none) == (("P1",), ("*",))


def test_labels_that_contradict_each_other_are_refused() -> None:
    """A route that can never match is a mistake that nobody would notice; a label knows no case."""
    assert problems(f'{GOOD}labels_all = ["bug", "p1"]\nlabels_none = ["P1", "x", "Bug"]') == (
        "routes file: line 4: route 1: labels_none: 'Bug' is in labels_all too, so the route can never match",
        "routes file: line 4: route 1: labels_none: 'P1' is in labels_all too, so the route can never match",
    )
    said = "labels_none has every label of labels_any, so the route can never match"
    assert problems(f'{GOOD}labels_none = ["crash", "BUG", "x"]\nlabels_any = ["bug", "crash"]') == (
        f"routes file: line 3: route 1: {said}",
    )
    assert routes_file.parse(f'{GOOD}labels_none = ["crash"]\nlabels_any = ["bug", "crash"]').routes


# People and mentions


@pytest.mark.parametrize("user", ['"S0123456789"', '"@mona"', '"u1"', '"U1 "', '""', "1", '["U1"]', "{}"])
def test_people_are_users_of_slack(user: str) -> None:
    """A name or a group is nobody whom a card could mention."""
    assert problems(f"[people]\nmona = {user}\n{GOOD}") == (
        "routes file: line 2: people: 'mona' needs a Slack user id such as U0123456789",
    )


@pytest.mark.parametrize("login", ['"@mona"', '"mona lisa"', '"https://github.com/mona"', '""', '"*[bot]"'])
def test_people_are_logins_of_github(login: str) -> None:
    """A pattern or an address would never be found."""
    [problem] = problems(f'[people]\n{login} = "U1"\n{GOOD}')
    assert problem.endswith("is not a GitHub login")


def test_a_login_stands_there_once() -> None:
    """A login knows no case, so in another case it would be two users."""
    assert problems(f'[people]\nOctoCat = "U1"\nmona = "U1"\n"octocat" = "U2"\n{GOOD}') == (
        "routes file: line 4: people: 'octocat' is listed as 'OctoCat' too; case does not matter",
    )


def test_people_are_found_without_case_and_may_have_two_logins() -> None:
    """U and W are users; one of them may have an account for work."""
    found = routes_file.parse(f'[people]\nOctoCat = "U1"\nmona_acme = "W2"\nmona-1 = "W2"\n{GOOD}')
    assert found.people == {"octocat": "U1", "mona_acme": "W2", "mona-1": "W2"}
    assert routes_file.parse(GOOD).people == {}


@pytest.mark.parametrize("value", ['"U1"', "[1]", '["@here"]', '["mona"]', '["C1"]', '["U1", "<!channel>"]'])
def test_mentions_are_ids(value: str) -> None:
    """Nobody writes @here to a whole channel by this file."""
    said = "mention must be a list of ids of users (U0123456789) or user groups (S0123456789)"
    assert problems(f"{GOOD}mention = {value}") == (f"routes file: line 3: route 1: {said}",)


def test_users_and_user_groups_can_be_mentioned() -> None:
    """Or nobody."""
    [route] = routes_file.parse(f'{GOOD}mention = ["U1", "W2", "S3"]').routes
    assert route.mention == ("U1", "W2", "S3")
    assert routes_file.parse(f"{GOOD}mention = []").routes[0].mention == ()


def test_a_mention_that_can_never_happen_is_refused() -> None:
    """Only a new issue mentions: a route that does not hear of those would leave everybody waiting."""
    said = "mention: events has no issues.opened, so no one would ever be mentioned"
    assert problems(f'{GOOD}events = ["issues.closed"]\nmention = ["U1"]') == (
        f"routes file: line 4: route 1: {said}",
    )


# Muted authors


@pytest.mark.parametrize(
    "value", ['"*[bot]"', "[1]", '[""]', '["@octocat"]', '["a b"]', '["a", "b,c"]', "false"]
)
def test_muted_authors_are_logins(value: str) -> None:
    """A pattern that no login can match would mute nobody, in silence."""
    said = 'mute_authors must be a list of logins such as "octocat" or "*[bot]"'
    assert problems(f"{GOOD}mute_authors = {value}") == (f"routes file: line 3: route 1: {said}",)
    assert problems(f"[defaults]\nmute_authors = {value}\n{GOOD}") == (
        f"routes file: line 2: defaults: {said}",
    )


@pytest.mark.parametrize("glob", ["*", "**", "?*", "*?", "*?*"])
def test_muting_everybody_is_refused(glob: str) -> None:
    """A route that mutes everybody can never match."""
    assert problems(f'{GOOD}mute_authors = ["a", "{glob}"]') == (
        f"routes file: line 3: route 1: mute_authors: {glob!r} mutes everyone, so the route can never match",
    )


@pytest.mark.parametrize(
    "text",
    [
        'route = [{ channels = ["C1"], nome = 1 }]',
        '[["route"]]\nchannels = ["C1"]\nnome = 1',
        '[[route]]\nchannels = ["C1"]\nnome = """\n[[route]]\nnome = 2\n"""',
        "[[route]]\nchannels = ['C1']\nnome = '''\nnome = 2\n'''",
    ],
)
def test_where_the_line_is_not_sure_none_is_told(text: str) -> None:
    """A wrong line would be worse than none: inline tables, quoted headers, texts of several lines."""
    assert problems(text) == (f"routes file: route 1: unknown key 'nome', did you mean 'name'? {KNOWN}",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# [[route]]\n# nome = 1\n[[route]]\nchannels = ['C1']\nnome = 1", 5),
        ("[[route]]\r\nchannels = ['C1']\r\n  'nome'=1\r\n", 3),
        ("[[ route ]] # x\nchannels = [\n'C1', # nome = 1\n]\nnome = 1", 5),
        ("[[route]]\nchannels = ['C1']\n[route.nome]\nchannels = 1", 1),
    ],
)
def test_lines_are_counted_as_an_editor_counts_them(text: str, line: int) -> None:
    """Comments, both line ends, lists of several lines; a table inside a route is told at the route."""
    assert problems(text) == (
        f"routes file: line {line}: route 1: unknown key 'nome', did you mean 'name'? {KNOWN}",
    )


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_a_text_of_several_lines_is_not_taken_for_keys(quotes: str) -> None:
    """What looks like a key in it is none, so no line is told in such a file."""
    found = problems(f"{GOOD}name = {quotes}\nnome = 1\n{quotes}\nnome = 2")
    assert [problem.partition(": ")[2].split(" ")[0] for problem in found] == ["route", "route"]


def test_what_stands_under_a_quoted_header_is_not_the_routes() -> None:
    """A missing key is told at the route, not where another table has one of that name."""
    assert problems('[[route]]\nname = "a"\n["x"]\nchannels = "x"') == (
        "routes file: unknown table 'x'",
        "routes file: line 1: route 1 ('a'): channels must be a list of channel ids such as C0123456789",
    )


def test_what_a_route_leaves_out_has_its_default() -> None:
    """All repositories, labels and events, in one line each; bots are muted, and nobody is mentioned."""
    [route] = routes_file.parse(GOOD).routes
    assert (route.name, route.repositories, route.events) == ("route 1", ("*",), ())
    assert (route.labels_any, route.labels_all, route.labels_none) == ((), (), ())
    assert (route.private, route.mute_authors) == ("any", ("*[bot]",))
    assert (route.format, route.mention) == ("compact", ())


def test_a_route_overrides_the_defaults() -> None:
    """The file's default holds where a route says nothing; [] mutes nobody."""
    found = routes_file.parse(
        f'[defaults]\nmute_authors = ["a"]\n{GOOD}{GOOD}mute_authors = ["b"]\n{GOOD}mute_authors = []\n'
    )
    assert [route.mute_authors for route in found.routes] == [("a",), ("b",), ()]
    nobody = routes_file.parse(f"[defaults]\nmute_authors = []\n{GOOD}")
    assert nobody.routes[0].mute_authors == ()
    found = routes_file.parse(f'[defaults]\nformat = "full"\n{GOOD}{GOOD}format = "compact"\n')
    assert [route.format for route in found.routes] == ["full", "compact"]


def test_the_file_that_is_shipped_is_good() -> None:
    """config/routes.toml works as it is: one route, to one channel."""
    [route] = routes_file.parse(SHIPPED).routes
    assert (route.name, route.channels) == ("everything", ("C0123456789",))


def test_the_examples_in_the_file_that_is_shipped_work() -> None:
    """Uncommented, each example is taken, and together they show every key."""
    examples = re.sub(r"^# (?=\[|[\w-]+ = )", "", SHIPPED, flags=re.MULTILINE)
    found = routes_file.parse(examples)
    assert found.routes[0].name == "everything"
    assert len(found.routes) > 1
    assert found.people
    assert found.fold_over == routes_file.parse(SHIPPED).fold_over
    written = set(re.findall(r"^([\w-]+) = ", examples, re.MULTILINE)) - {*found.people}
    assert written == {*re.findall(r"\w+", KNOWN + DEFAULTS)} - {"known"}
