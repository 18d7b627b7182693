"""ops break uses the playground's switches."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops import local_stack
from ops.__main__ import ops
from tests.support.endpoints import write_endpoints
from tests.support.fake_playground import FakePlayground, fake_playground

SWITCHES = [
    {"part": "slack", "how": "429", "text": "answers 429", "on": False},
    {"part": "slack", "how": "silent", "text": "answers nothing", "on": True},
    {"part": "notify_slack", "how": "kill", "text": "is killed", "on": False},
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no running stack of the user."""
    monkeypatch.setattr(local_stack, "ENDPOINTS", tmp_path / ".local" / "endpoints.json")


@pytest.fixture
def playground() -> Iterator[FakePlayground]:
    """Run the playground of a stack."""
    with fake_playground() as fake:
        fake.answers["GET /api/state"] = (200, {"switches": SWITCHES})
        fake.answers["POST /api/break"] = (200, {"text": "Slack answers 429.", "switches": SWITCHES})
        write_endpoints(local_stack.ENDPOINTS, console_url=fake.url)
        yield fake


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(ops, ["break", *arguments], prog_name="issuewire")


def test_a_switch(playground: FakePlayground) -> None:
    """The playground is told part and way, and its sentence is printed; a hyphen is as good as a line."""
    assert run("slack", "429").stdout == "Slack answers 429.\n"
    assert run("notify-slack", "kill").exit_code == 0
    assert playground.posted == [
        {"part": "slack", "how": "429"},
        {"part": "notify_slack", "how": "kill"},
    ]


def test_the_list(playground: FakePlayground) -> None:
    """Without arguments, every switch is listed with its state and what it does."""
    assert run().stdout.splitlines() == [
        "off  slack 429          answers 429",
        "on   slack silent       answers nothing",
        "off  notify_slack kill  is killed",
    ]
    assert playground.posted == []


def test_for_scripts(playground: FakePlayground) -> None:
    """With --json, stdout is one object."""
    assert json.loads(run("--json").stdout) == {"switches": SWITCHES}
    assert json.loads(run("slack", "well", "--json").stdout)["text"] == "Slack answers 429."
    assert playground.posted == [{"part": "slack", "how": "well"}]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["slack"], "Error: say how slack is to fail: 429, silent; or well"),
        (["postgres"], "Error: postgres has no switch; the parts are slack, notify_slack"),
    ],
)
def test_what_is_missing(playground: FakePlayground, arguments: list[str], error: str) -> None:
    """The error names the ways of the part, or the parts."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, error)
    assert playground.posted == []


def test_what_the_playground_refuses(playground: FakePlayground) -> None:
    """Its sentence is the error."""
    playground.answers["POST /api/break"] = (400, {"error": "slack cannot fail by magic"})
    result = run("slack", "magic")
    assert (result.exit_code, result.stderr) == (1, "Error: slack cannot fail by magic\n")


def test_no_stack() -> None:
    """Without a running stack, the error says what to start."""
    result = run("slack", "429")
    assert result.exit_code == 1
    assert result.stderr == "Error: make serve is not running; start it in another terminal\n"


def test_another_server(playground: FakePlayground) -> None:
    """Something else at the address is one line."""
    playground.answers["GET /api/state"] = (200, ["no object"])
    assert run().stderr == "Error: the playground lists no switches\n"
    write_endpoints(local_stack.ENDPOINTS, console_url="http://127.0.0.1:1/")
    assert "cannot be reached" in run("slack", "429").stderr
