"""The routes file: a bad one is refused as a whole, with every problem and its line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from functions.notify_slack import routes_file
from functions.notify_slack.card import EVENTS
from pipeline.errors import ConfigurationError

ROOT = Path(__file__).parent.parent.parent.parent
SHIPPED = (ROOT / "config" / "routes.toml").read_text("utf-8")
KNOWN = "(known: channels, events, mute_authors, name, private, repositories)"
ONLY_MUTE = "(known: mute_authors)"
ALL = "(known: issues.opened, issues.closed, issues.reopened)"
GOOD = '[[route]]\nchannels = ["C1"]\n'


def problems(text: str) -> tuple[str, ...]:
    """Return what is wrong with the file."""
    with pytest.raises(ConfigurationError) as caught:
        routes_file.parse(text)
    return caught.value.problems


def test_every_problem_is_reported_together_with_its_line() -> None:
    """One look at the log is enough to mend the whole file, and each problem says where it stands."""
    found = problems("""
        [people]
        octocat = "U1"
        [defaults]
        mute_author = ["x"]
        [[route]]
        name = "bugs"
        channel = "C1"
        [[route]]
        channels = ["C1"]
        [[route]] # the third
        name = 3
        channels = []
        repositories = "acme/*"
        labels_any = ["bug"]
    """)
    assert found == (
        "routes file: line 2: unknown table 'people'",
        "routes file: line 5: defaults: unknown key 'mute_author', did you mean 'mute_authors'? " + ONLY_MUTE,
        f"routes file: line 8: route 1 ('bugs'): unknown key 'channel', did you mean 'channels'? {KNOWN}",
        "routes file: line 6: route 1 ('bugs'): channels is not a list of channel ids such as C0123456789",
        f"routes file: line 15: route 3: unknown key 'labels_any' {KNOWN}",
        "routes file: line 12: route 3: name is not a line of text",
        "routes file: line 13: route 3: channels is not a list of channel ids such as C0123456789",
        'routes file: line 14: route 3: repositories is not a list of globs such as "acme/*"',
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
        "{}",
        "true",
    ],
)
def test_channels_are_ids(value: str) -> None:
    """A channel's name, or an id with a stray space, is refused here, not by Slack for every issue."""
    assert problems(f"[[route]]\nchannels = {value}") == (
        "routes file: line 2: route 1: channels is not a list of channel ids such as C0123456789",
    )


@pytest.mark.parametrize("value", ['"acme/*"', "[]", "[1]", '[""]', '[" "]', "false"])
def test_repositories_are_globs(value: str) -> None:
    """A filter that cannot be understood is not taken for no filter."""
    assert problems(f'[[route]]\nchannels = ["C1"]\nrepositories = {value}') == (
        'routes file: line 3: route 1: repositories is not a list of globs such as "acme/*"',
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


@pytest.mark.parametrize(
    "line",
    [
        'labels_any = ["bug"]',
        'labels_all = ["bug"]',
        'labels_none = ["bug"]',
        'mention = ["U1"]',
        'format = "full"',
        "fold_over = 10",
        'typo = "x"',
    ],
)
def test_a_key_that_nothing_honours_is_refused_wherever_it_stands(line: str) -> None:
    """A filter that is silently ignored would send issues to the wrong people."""
    key = line.split(maxsplit=1)[0]
    assert problems(GOOD + line) == (f"routes file: line 3: route 1: unknown key {key!r} {KNOWN}",)
    assert problems(f"[defaults]\n{line}\n{GOOD}") == (
        f"routes file: line 2: defaults: unknown key {key!r} {ONLY_MUTE}",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("event = []", f"unknown key 'event', did you mean 'events'? {KNOWN}"),
        ("Private = 1", f"unknown key 'Private', did you mean 'private'? {KNOWN}"),
        ("mute_author = []", f"unknown key 'mute_author', did you mean 'mute_authors'? {KNOWN}"),
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
        "from functions.notify_slack import routes_file\n"
        "before = 'difflib' in sys.modules\n"
        f"routes_file.parse({GOOD!r})\n"
        "sys.exit(before or 'difflib' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("text", ["defaults = 1\n" + GOOD, "[[defaults]]\n" + GOOD])
def test_defaults_are_one_table(text: str) -> None:
    """Defaults of another shape are refused, not left out."""
    assert problems(text) == ("routes file: line 1: write the defaults as one table [defaults]",)


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
    assert problem.endswith(": name is not a line of text")


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
    "name", ["issues.labeled", "issues", "opened", "issue_comment.created", "Issues.opened"]
)
def test_an_event_that_makes_no_card_is_refused(name: str) -> None:
    """The message names those that do."""
    assert problems(f'{GOOD}events = ["issues.opened", "{name}"]') == (
        f"routes file: line 3: route 1: events: no card is made of {name!r} {ALL}",
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[]", "events is empty, so the route can never match"),
        ('"issues.opened"', "events is not a list of EVENT.ACTION"),
        ("[1]", "events is not a list of EVENT.ACTION"),
        ("{}", "events is not a list of EVENT.ACTION"),
    ],
)
def test_events_are_a_list(value: str, said: str) -> None:
    """No event at all would be a route that never matches."""
    assert problems(f"{GOOD}events = {value}") == (f"routes file: line 3: route 1: {said} {ALL}",)


@pytest.mark.parametrize("value", ["true", '"yes"', '"Never"', '""', '["any"]', "{}"])
def test_private_is_one_of_three_words(value: str) -> None:
    """`private = true` could mean either."""
    assert problems(f"{GOOD}private = {value}") == (
        "routes file: line 3: route 1: private is none of any, only, never",
    )


@pytest.mark.parametrize(
    "value", ['"*[bot]"', "[1]", '[""]', '["@octocat"]', '["a b"]', '["a", "b,c"]', "false"]
)
def test_muted_authors_are_logins(value: str) -> None:
    """A pattern that no login can match would mute nobody, in silence."""
    said = 'mute_authors is not a list of logins such as "octocat" or "*[bot]"'
    assert problems(f"{GOOD}mute_authors = {value}") == (f"routes file: line 3: route 1: {said}",)
    assert problems(f"[defaults]\nmute_authors = {value}\n{GOOD}") == (
        f"routes file: line 2: defaults: {said}",
    )


@pytest.mark.parametrize("glob", ["*", "**", "?*", "*?", "*?*"])
def test_muting_everybody_is_refused(glob: str) -> None:
    """A route that mutes everybody can never match."""
    assert problems(f'{GOOD}mute_authors = ["a", "{glob}"]') == (
        f"routes file: line 3: route 1: mute_authors: {glob!r} mutes everybody, so the route can never match",
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
    assert problems('[[route]]\nname = "a"\n["people"]\nchannels = "x"') == (
        "routes file: unknown table 'people'",
        "routes file: line 1: route 1 ('a'): channels is not a list of channel ids such as C0123456789",
    )


def test_what_a_route_leaves_out_has_its_default() -> None:
    """All repositories, all events, public and private, and bots are muted."""
    [route] = routes_file.parse(GOOD).routes
    assert (route.name, route.repositories, route.events) == ("route 1", ("*",), EVENTS)
    assert (route.private, route.mute_authors) == ("any", ("*[bot]",))


def test_a_route_overrides_the_defaults() -> None:
    """The file's default holds where a route says nothing; [] mutes nobody."""
    found = routes_file.parse(
        f'[defaults]\nmute_authors = ["a"]\n{GOOD}{GOOD}mute_authors = ["b"]\n{GOOD}mute_authors = []\n'
    )
    assert [route.mute_authors for route in found.routes] == [("a",), ("b",), ()]
    nobody = routes_file.parse(f"[defaults]\nmute_authors = []\n{GOOD}")
    assert nobody.routes[0].mute_authors == ()


def test_the_file_that_is_shipped_is_good() -> None:
    """config/routes.toml works as it is: one route, to one channel."""
    [route] = routes_file.parse(SHIPPED).routes
    assert (route.name, route.channels) == ("everything", ("C0123456789",))


def test_the_examples_in_the_file_that_is_shipped_work() -> None:
    """Uncommented, each example is taken, and together they show every key."""
    examples = re.sub(r"^# (?=\[|\w+ = )", "", SHIPPED, flags=re.MULTILINE)
    found = routes_file.parse(examples)
    assert found.routes[0].name == "everything"
    assert len(found.routes) > 1
    written = set(re.findall(r"^(\w+) = ", examples, re.MULTILINE))
    assert written == {"name", "channels", "repositories", "events", "private", "mute_authors"}
