"""The routes file: who hears what, and a bad file is refused as a whole."""

from pathlib import Path

import pytest

from functions.notify_slack import routes
from pipeline.delivery import Delivery
from pipeline.errors import ConfigurationError
from pipeline.events import IssueEvent
from tests.support.messages import NOON

ROOT = Path(__file__).parent.parent.parent.parent


def event_in(repository: str | None) -> IssueEvent:
    """Return an event of the repository."""
    name = f'{{"repository":{{"full_name":"{repository}"}}}}' if repository is not None else "{}"
    return IssueEvent.from_delivery(
        Delivery(delivery_id="d-1", event="issues", body=name.encode(), received_at=NOON)
    )


def channels(text: str, repository: str | None = "acme/app") -> tuple[str, ...]:
    """Return who hears the repository by this file."""
    return routes.parse(text).channels(event_in(repository))


def problems(text: str) -> tuple[str, ...]:
    """Return what is wrong with the file."""
    with pytest.raises(ConfigurationError) as caught:
        routes.parse(text)
    return caught.value.problems


def route(globs: list[str], *heard: str) -> str:
    """Return one route as TOML."""
    return f"[[route]]\nchannels = {list(heard)}\nrepositories = {globs}\n"


@pytest.mark.parametrize(
    ("glob", "repository", "heard"),
    [
        ("acme/app", "acme/app", True),
        ("acme/app", "acme/apple", False),
        ("acme/app", "xacme/app", False),
        ("acme/*", "acme/app", True),
        ("acme/*", "acme-labs/app", False),
        ("*/docs", "acme/docs", True),
        ("*", "acme/app", True),
        ("acme/ap?", "acme/app", True),
        ("acme/[ab]*", "acme/app", True),
        ("acme/[!a]*", "acme/app", False),
        ("ACME/App", "acme/aPP", True),
        ("acme.*", "acme/app", False),
        ("acme/a.p", "acme/app", False),
    ],
)
def test_globs_over_owner_and_name(glob: str, repository: str, heard: bool) -> None:  # noqa: FBT001 - a table
    """A glob is about the whole name, knows no case, as GitHub's names know none, and is no regex."""
    assert bool(channels(route([glob], "C1"), repository)) is heard


def test_a_route_without_globs_hears_all() -> None:
    """`repositories` left out means every repository."""
    assert channels('[[route]]\nchannels = ["C1"]') == ("C1",)


@pytest.mark.parametrize(("glob", "heard"), [("*", ("C1",)), ("acme/*", ())])
def test_a_delivery_without_a_repository_is_heard_by_the_star_alone(
    glob: str, heard: tuple[str, ...]
) -> None:
    """Nothing is lost for want of a name."""
    assert channels(route([glob], "C1"), repository=None) == heard


def test_several_routes_each_channel_once_in_the_order_of_the_file() -> None:
    """An issue that matches several routes is posted once per channel."""
    text = route(["acme/*"], "C2", "C1", "C2") + route(["beta/*"], "C9") + route(["*"], "C1", "C3")
    assert channels(text) == ("C2", "C1", "C3")


def test_nobody_hears_what_no_route_names() -> None:
    """A repository outside of all routes is silent, and no error."""
    assert channels(route(["acme/*"], "C1"), "beta/app") == ()


def test_every_problem_is_reported_together_with_its_route() -> None:
    """One look at the log is enough to mend the whole file."""
    found = problems("""
        [people]
        octocat = "U1"
        [[route]]
        name = "bugs"
        channel = "C1"
        [[route]]
        channels = ["C1"]
        [[route]]
        name = 3
        channels = []
        repositories = "acme/*"
        labels_any = ["bug"]
    """)
    assert found == (
        "routes file: unknown table 'people'",
        "routes file: route 1 ('bugs'): unknown key 'channel' (known: channels, name, repositories)",
        "routes file: route 1 ('bugs'): channels is not a list of channel ids such as C0123456789",
        "routes file: route 3: unknown key 'labels_any' (known: channels, name, repositories)",
        "routes file: route 3: name is not a text",
        "routes file: route 3: channels is not a list of channel ids such as C0123456789",
        'routes file: route 3: repositories is not a list of globs such as "acme/*"',
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
        "routes file: route 1: channels is not a list of channel ids such as C0123456789",
    )


@pytest.mark.parametrize("value", ['"acme/*"', "[]", "[1]", '[""]', '[" "]', "false"])
def test_repositories_are_globs(value: str) -> None:
    """A filter that cannot be understood is not taken for no filter."""
    assert problems(f'[[route]]\nchannels = ["C1"]\nrepositories = {value}') == (
        'routes file: route 1: repositories is not a list of globs such as "acme/*"',
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


def test_the_file_that_is_shipped_is_good() -> None:
    """config/routes.toml works as it is."""
    assert channels((ROOT / "config" / "routes.toml").read_text("utf-8")) == ("C0123456789",)
