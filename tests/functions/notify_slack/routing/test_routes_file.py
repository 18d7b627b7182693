"""A wrong routes file is refused as a whole, with every problem."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Route, Routes
from tests.functions.notify_slack.routing.support import DEFAULT_KEYS, GOOD, ROUTE_KEYS, problems

ROOT = Path(__file__).parents[4]
SHIPPED = (ROOT / "config" / "routes.toml").read_text("utf-8")


def test_every_problem_is_reported_together_with_its_line() -> None:
    """Every problem of the file is reported at once, each with its line."""
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
        "routes file: line 5: defaults: unknown key 'mute_author', did you mean 'mute_authors'? "
        + DEFAULT_KEYS,
        "routes file: line 7: people: 'octocat' needs a Slack user id such as U0123456789",
        "routes file: line 10: route 1 ('bugs'): unknown key 'channel', did you mean 'channels'? "
        + ROUTE_KEYS,
        "routes file: line 8: route 1 ('bugs'): channels must be a list of channel ids such as C0123456789",
        "routes file: line 14: route 3: name must be one line of text",
        "routes file: line 15: route 3: channels must be a list of channel ids such as C0123456789",
        'routes file: line 16: route 3: repositories must be a list of globs such as "acme/*"',
        'routes file: line 17: route 3: labels_any must be a list of labels such as "bug"',
    )


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


def test_the_contracts_example_is_read() -> None:
    """Every key of the documented example is accepted and has its value."""
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


@pytest.mark.parametrize("text", ["", "# nothing\n", "route = []"])
def test_a_file_without_routes_is_refused(text: str) -> None:
    """A file without routes is refused at start, because nothing would be posted."""
    assert problems(text) == ("routes file: there is no [[route]]",)


@pytest.mark.parametrize("text", ["[route]\nchannels = ['C1']", "route = 1", "route = ['C1']", "route = {}"])
def test_a_route_must_be_an_array_table(text: str) -> None:
    """A route written as [route] is refused with the correct form, [[route]]."""
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
    """Broken TOML is one configuration error and not a crash, even if it attacks the parser."""
    [problem] = problems(text)
    assert problem.startswith("routes file: ")


def test_a_misspelt_table_gets_a_suggestion() -> None:
    """A misspelt table such as [default] or [[routes]] is refused with a suggestion."""
    assert problems(f"[default]\n{GOOD}") == (
        "routes file: line 1: unknown table 'default', did you mean 'defaults'?",
    )
    assert problems(f"[[routes]]\n{GOOD}") == (
        "routes file: line 1: unknown table 'routes', did you mean 'route'?",
    )


@pytest.mark.parametrize("name", ["defaults", "people"])
@pytest.mark.parametrize("text", ["{} = 1\n" + GOOD, "[[{}]]\n" + GOOD])
def test_defaults_and_people_must_be_one_table_each(text: str, name: str) -> None:
    """[defaults] and [people] of any other shape than one table are refused."""
    assert problems(text.format(name)) == (f"routes file: line 1: write the {name} as one table [{name}]",)


def test_two_routes_of_the_same_name_are_refused() -> None:
    """Two routes of the same name are refused; a route without a name is named by its number."""
    assert problems(f'{GOOD}name = "a"\n{GOOD}name = "b"\n{GOOD}name = "a"') == (
        "routes file: line 9: route 3 ('a'): route 1 has the same name",
    )
    assert problems(f'{GOOD}name = "route 2"\n{GOOD}') == (
        "routes file: line 4: route 2: route 1 has the same name",
    )


def test_a_correct_file_does_not_import_difflib() -> None:
    """A correct file does not import the module that finds suggestions, which would slow a cold start."""
    program = (
        "import sys\n"
        "from functions.notify_slack.routing import routes_file\n"
        "before = 'difflib' in sys.modules\n"
        f"routes_file.parse({GOOD!r})\n"
        "sys.exit(before or 'difflib' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False).returncode == 0


# Defaults


def test_a_route_has_defaults() -> None:
    """A route matches all repositories, labels and events, mutes bots, and mentions no one by default."""
    [route] = routes_file.parse(GOOD).routes
    assert (route.name, route.repositories, route.events) == ("route 1", ("*",), ())
    assert (route.labels_any, route.labels_all, route.labels_none) == ((), (), ())
    assert (route.private, route.mute_authors) == ("any", ("*[bot]",))
    assert (route.format, route.mention) == ("compact", ())


def test_a_route_overrides_the_defaults() -> None:
    """The file's default applies to a key that the route does not set; [] mutes no one."""
    found = routes_file.parse(
        f'[defaults]\nmute_authors = ["a"]\n{GOOD}{GOOD}mute_authors = ["b"]\n{GOOD}mute_authors = []\n'
    )
    assert [route.mute_authors for route in found.routes] == [("a",), ("b",), ()]
    muting_no_one = routes_file.parse(f"[defaults]\nmute_authors = []\n{GOOD}")
    assert muting_no_one.routes[0].mute_authors == ()
    found = routes_file.parse(f'[defaults]\nformat = "full"\n{GOOD}{GOOD}format = "compact"\n')
    assert [route.format for route in found.routes] == ["full", "compact"]


@pytest.mark.parametrize("value", [0, 1, 50])
def test_fold_over_can_be_set_and_turned_off(value: int) -> None:
    """The default of fold_over is 10, and 0 turns folding off."""
    assert routes_file.parse(f"[defaults]\nfold_over = {value}\n{GOOD}").fold_over == value
    assert routes_file.parse(GOOD).fold_over == 10


# The shipped file


def test_the_shipped_file_is_correct() -> None:
    """The shipped routes file has one route to one channel."""
    [route] = routes_file.parse(SHIPPED).routes
    assert (route.name, route.channels) == ("everything", ("C0123456789",))


def test_the_examples_in_the_shipped_file_work() -> None:
    """Uncommented, each example is accepted, and together they show every key."""
    examples = re.sub(r"^# (?=\[|[\w-]+ = )", "", SHIPPED, flags=re.MULTILINE)
    found = routes_file.parse(examples)
    assert found.routes[0].name == "everything"
    assert len(found.routes) > 1
    assert found.people
    assert found.fold_over == routes_file.parse(SHIPPED).fold_over
    written = set(re.findall(r"^([\w-]+) = ", examples, re.MULTILINE)) - {*found.people}
    assert written == {*re.findall(r"\w+", ROUTE_KEYS + DEFAULT_KEYS)} - {"known"}
