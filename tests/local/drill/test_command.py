"""The command drill: its options, its exit status, and what it prints."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from functions.notify_slack.routing import routes_file
from local import commands
from local.commands import local
from local.demo.ledger import Entry
from local.drill import command
from local.drill.ledger import Balance
from local.drill.schedule import draw
from local.terminal import Terminal

UNEVEN = Balance(
    entries=(Entry("events stored", 4, 5),),
    lost=("acme/app#7 issues.opened (d-1) is not stored",),
    doubled=("acme/app#8 has two cards",),
    outdated=("acme/app#9 has an old card",),
)
DRILL: Any = SimpleNamespace(runs=[{"status": 200, "stored": 4, "problems": []}], attempts=6, failed=1)


@pytest.mark.parametrize("balances", [True, False])
def test_the_exit_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, balances: bool) -> None:
    """A ledger that does not balance ends with status 1; a seed and a time choose the schedule."""
    schedules = []

    def run(_options: Any, _terminal: Terminal, schedule: Any, *, as_json: bool) -> bool:
        schedules.append(schedule)
        return balances and not as_json

    monkeypatch.setattr(commands.drill, "run", run)
    arguments = ["drill", "--seed", "7", "--minutes", "0.5", "--events", "60", "--state", str(tmp_path)]
    answer = CliRunner().invoke(local, arguments)
    assert answer.exit_code == (0 if balances else 1)
    assert ("does NOT balance" in answer.stdout) is not balances
    assert 'make drill ARGS="--seed 7 --minutes 0.5 --events 60"' in answer.stdout
    assert schedules == [draw(7, 30.0, 60, tuple(command.CHANNELS))]


def test_json_is_alone_on_stdout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json, stdout has the outcome and nothing else; what happens goes to stderr."""

    def run(_options: Any, terminal: Terminal, _schedule: Any, *, as_json: bool) -> bool:
        terminal.line("begins")
        return as_json

    monkeypatch.setattr(commands.drill, "run", run)
    answer = CliRunner().invoke(local, ["drill", "--json", "--state", str(tmp_path)])
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert answer.stderr.startswith("begins\n")


def test_what_is_uneven_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Every run of reconcile, every entry, and everything that is lost, doubled or out of date is printed."""
    command.show(UNEVEN, DRILL, Terminal())
    printed = capsys.readouterr().out
    for line in (*UNEVEN.lost, *UNEVEN.doubled, *UNEVEN.outdated, "expected 5", "1 of GitHub's 6 attempts"):
        assert line in printed


def test_the_summary_is_json() -> None:
    """The summary has seed, faults, runs and ledger, and says whether it balances."""
    found = json.loads(json.dumps(command.summary(draw(7, 30.0, 60, tuple(command.CHANNELS)), DRILL, UNEVEN)))
    assert (found["seed"], found["balanced"], found["failed"]) == (7, False, 1)
    assert found["ledger"] == [{"name": "events stored", "found": 4, "expected": 5}]
    assert found["lost"] == list(UNEVEN.lost)
    assert "the webhook is switched off" in {fault["what"] for fault in found["faults"]}


def test_every_repository_has_a_channel(tmp_path: Path) -> None:
    """The routes of a drill send each repository to a channel of its own."""
    found = routes_file.parse(command.write_routes(tmp_path / "new").read_text())
    assert {route.repositories[0]: route.channels[0] for route in found.routes} == command.CHANNELS
