"""ops routes: the routes file checked, and a saved payload explained."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local import github
from ops.__main__ import ops
from tests.support.messages import NOON, an_issue

ROOT = Path(__file__).parent.parent.parent
MONA = github.Person(login="mona")
BOT = github.Person(login="dependabot[bot]", type="Bot")
ROUTES = """
[[route]]
name = "people"
channels = ["C1", "C2"]
repositories = ["acme/*"]
[[route]]
name = "others"
channels = ["C3"]
repositories = ["beta/*"]
[[route]]
name = "all"
channels = ["C2", "C4"]
mute_authors = []
private = "never"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder that holds config/routes.toml."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "routes.toml").write_text(ROUTES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str, stdin: bytes | None = None) -> Result:
    """Run the command in this process; it ends by its own exit, never by a crash."""
    result = CliRunner().invoke(ops, ["routes", *arguments], input=stdin, prog_name="python -m ops")
    assert isinstance(result.exception, SystemExit | None)
    return result


def saved(event: github.Event) -> str:
    """Return the name of a file that holds the payload."""
    Path("payload.json").write_text(json.dumps(event.payload))
    return "payload.json"


def explain(event: github.Event, *arguments: str) -> list[str]:
    """Return the lines that explain the event."""
    result = invoke("explain", saved(event), *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


# check


def test_a_good_file_is_summed_up_in_one_line_per_route() -> None:
    """Everything that decides stands in the line, defaults too; status 0."""
    result = invoke("check")
    assert (result.exit_code, result.stderr) == (0, "")
    events = "events issues.opened, issues.closed, issues.reopened"
    assert result.stdout.splitlines() == [
        f"people -> C1, C2: repositories acme/*; {events}; private any; mutes *[bot]",
        f"others -> C3: repositories beta/*; {events}; private any; mutes *[bot]",
        f"all -> C2, C4: repositories *; {events}; private never; mutes nobody",
    ]


def test_all_problems_are_told_one_a_line_with_the_files_name() -> None:
    """On stderr, with status 1; the lines are those of the file."""
    Path("mine.toml").write_text('[[route]]\nchanels = ["C1"]\nlabels_any = ["bug"]\n')
    result = invoke("check", "--file", "mine.toml")
    assert (result.exit_code, result.stdout) == (1, "")
    known = "(known: channels, events, mute_authors, name, private, repositories)"
    assert result.stderr.splitlines() == [
        f"mine.toml: line 2: route 1: unknown key 'chanels', did you mean 'channels'? {known}",
        f"mine.toml: line 3: route 1: unknown key 'labels_any' {known}",
        "mine.toml: line 1: route 1: channels is not a list of channel ids such as C0123456789",
    ]


def test_a_script_reads_the_check_as_json() -> None:
    """One object either way; the status tells which."""
    good = invoke("check", "--json")
    outcome = json.loads(good.stdout)
    assert (good.exit_code, outcome["problems"]) == (0, [])
    assert outcome["routes"][2] == {
        "name": "all",
        "channels": ["C2", "C4"],
        "repositories": ["*"],
        "events": ["issues.opened", "issues.closed", "issues.reopened"],
        "private": "never",
        "mute_authors": [],
    }
    Path("mine.toml").write_text("")
    bad = invoke("check", "--file", "mine.toml", "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout) == {"problems": ["mine.toml: there is no [[route]]"]}


def test_a_file_with_a_byte_order_mark_is_read_as_the_function_reads_it() -> None:
    """What the function takes, the check takes."""
    Path("mine.toml").write_bytes(b"\xef\xbb\xbf" + ROUTES.encode())
    assert invoke("check", "--file", "mine.toml").exit_code == 0


@pytest.mark.parametrize("command", [["check"], ["explain", "payload.json"]])
@pytest.mark.parametrize(
    ("name", "cause"),
    [("none.toml", "No such file or directory"), ("config", "Is a directory"), ("raw", "UnicodeDecodeError")],
)
def test_a_routes_file_that_cannot_be_read_is_one_line(command: list[str], name: str, cause: str) -> None:
    """The line names file and cause; status 1."""
    Path("raw").write_bytes(b"\xff")
    saved(an_issue().opened())
    result = invoke(*command, "--file", name)
    assert (result.exit_code, result.output) == (1, f"Error: {name} cannot be read: {cause}\n")


def test_the_shipped_file_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout, the command needs no option."""
    monkeypatch.chdir(ROOT)
    assert invoke("check").stdout.startswith("everything -> C0123456789: ")


# explain


def test_a_match_names_its_channels_and_the_others_their_reasons() -> None:
    """A line for each route, and at the end each channel once."""
    assert explain(an_issue().opened()) == [
        "matches   people -> C1, C2",
        "skips     others: 'acme/app' matches none of beta/*",
        "matches   all -> C2, C4",
        "A card in C1, C2, C4.",
    ]


def test_all_reasons_of_a_route_stand_in_its_line() -> None:
    """Nobody mends one to find the next."""
    repository = github.Repository(full_name="gamma/app", private=True)
    muted = "the author 'dependabot[bot]' is muted by *[bot]"
    assert explain(an_issue(author=BOT, repository=repository).opened()) == [
        f"skips     people: 'gamma/app' matches none of acme/*; {muted}",
        f"skips     others: 'gamma/app' matches none of beta/*; {muted}",
        "skips     all: the repository is private, or does not say, and the route hears public ones only",
        "No card: no route matches.",
    ]


def test_an_event_that_makes_no_card_is_said_to_make_none() -> None:
    """A comment is told by its shape, a pull request by its mark; no route could change that."""
    assert explain(an_issue().commented(MONA, NOON, "x"))[-1] == (
        "No card in any channel: no card is made of 'issue_comment.created',"
        " only of issues.opened, issues.closed, issues.reopened."
    )
    lines = explain(an_issue(is_pull_request=True).opened())
    assert lines[0] == "matches   people -> C1, C2"
    assert lines[-1] == "No card in any channel: no card is made of a pull request."


def test_the_event_can_be_named() -> None:
    """A payload alone does not always tell its event."""
    push = github.Event(name="push", payload={"repository": {"full_name": "acme/app"}})
    assert explain(push, "--event", "push")[-1].startswith(
        "No card in any channel: no card is made of 'push',"
    )
    refused = invoke("explain", saved(push))
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1] == "Error: the payload does not tell its event; give --event"


def test_stdin_is_read_for_a_dash() -> None:
    """What another command prints need not be saved."""
    payload = json.dumps(an_issue().opened().payload).encode()
    assert invoke("explain", "-", stdin=payload).stdout.endswith("A card in C1, C2, C4.\n")


def test_a_script_reads_the_explanation_as_json() -> None:
    """Reasons carry the key that decides; no channel is named when no card is made."""
    result = invoke("explain", saved(an_issue(author=BOT).opened()), "--json")
    outcome: dict[str, Any] = json.loads(result.stdout)
    assert (outcome["makes_card"], outcome["why_no_card"], outcome["channels"]) == (True, None, ["C2", "C4"])
    assert outcome["routes"][0] == {
        "name": "people",
        "channels": ["C1", "C2"],
        "matches": False,
        "why_not": [{"key": "mute_authors", "text": "the author 'dependabot[bot]' is muted by *[bot]"}],
    }
    silent = invoke("explain", saved(an_issue(is_pull_request=True).opened()), "--json")
    outcome = json.loads(silent.stdout)
    assert (outcome["makes_card"], outcome["channels"]) == (False, [])
    assert outcome["why_no_card"] == "no card is made of a pull request"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The body is not JSON."),
        (b"{", "The body is not JSON."),
        (b"\xff", "The body is not JSON."),
        (b"[" * 100_000, "The body is not JSON."),
        (b"[]", "The body is not a JSON object."),
    ],
)
def test_a_file_that_is_no_payload_is_one_line(content: bytes, said: str) -> None:
    """From a file and from stdin, with --event and without: the name, what is wrong, and status 1."""
    Path("x.json").write_bytes(content)
    for arguments in (["x.json"], ["x.json", "--event", "issues"]):
        result = invoke("explain", *arguments)
        assert (result.exit_code, result.output) == (1, f"Error: x.json: {said}\n")
    result = invoke("explain", "-", stdin=content)
    assert (result.exit_code, result.output) == (1, f"Error: stdin: {said}\n")


@pytest.mark.parametrize(
    ("name", "cause"), [("none.json", "No such file or directory"), ("config", "Is a directory")]
)
def test_a_payload_that_cannot_be_read_is_one_line(name: str, cause: str) -> None:
    """The line names file and cause; status 1."""
    result = invoke("explain", name)
    assert (result.exit_code, result.output) == (1, f"Error: {name} cannot be read: {cause}\n")


def test_a_bad_routes_file_explains_nothing() -> None:
    """Its problems are told, as the check tells them."""
    Path("mine.toml").write_text('[[route]]\nchannels = ["#x"]\nprivate = true')
    result = invoke("explain", saved(an_issue().opened()), "--file", "mine.toml")
    problems = [
        "mine.toml: line 2: route 1: channels is not a list of channel ids such as C0123456789",
        "mine.toml: line 3: route 1: private is none of any, only, never",
    ]
    assert (result.exit_code, result.stdout, result.stderr.splitlines()) == (1, "", problems)
    result = invoke("explain", "payload.json", "--file", "mine.toml", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"problems": problems})


def test_what_a_payload_holds_cannot_steer_the_terminal() -> None:
    """Names of a stranger are shown with their control characters escaped, on one line."""
    payload = an_issue(author=github.Person(login="x\x1b[31m\n[bot]")).opened().payload
    payload["repository"]["full_name"] = "a\x1b]0;x\x07\u202e/b\ud800"
    result = invoke("explain", saved(github.Event(name="issues", payload=payload)))
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 4
    assert result.stdout.replace("\n", "").isprintable()
