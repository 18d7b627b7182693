"""A drill on the real functions: everything fails for a moment, and nothing is lost or doubled."""

from pathlib import Path

import pytest

from local.drill import command
from local.drill.run import Drill, neighbours
from local.drill.schedule import Fate, Kind, draw
from local.stack import topics
from local.stack.options import Options
from local.stack.stack import running
from local.terminal import Terminal

pytestmark = pytest.mark.stack

SEED, SECONDS, EVENTS_A_MINUTE = 5, 4.0, 240
REPOSITORIES = tuple(command.CHANNELS)[:3]
VIEWS = frozenset({"issue_events", "issue_history", "issue_timelines", "issues"})


def test_a_short_drill_balances(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under every fault within four seconds, reconcile repairs what is missing and proves it."""
    monkeypatch.setattr(topics, "LONGEST_BACKOFF_SECONDS", 1)  # the faults are short, too
    schedule = draw(SEED, SECONDS, EVENTS_A_MINUTE, REPOSITORIES)
    faults = (*schedule.faults, *schedule.repair_faults)
    assert {fault.kind for fault in faults} >= {kind for kind in Kind if not kind.function}
    assert {step.fate for step in schedule.steps} == set(Fate)
    terminal = Terminal()
    options = Options(pubsub="builtin", routes=command.write_routes(tmp_path), state=tmp_path, views=VIEWS)
    with (
        neighbours(options, ",".join(REPOSITORIES)) as (beside, ready),
        running(ready, terminal.part) as stack,
    ):
        drill = Drill(stack, beside, schedule, terminal)
        found = drill.run()
    assert (found.lost, found.doubled, found.outdated) == ((), (), ())
    proof = drill.runs[-1]
    assert (proof["status"], proof["lost"], proof["stored"]) == (200, 0, proof["expected"])
    assert drill.failed > 0
    assert sum(each["redelivered"] for each in drill.runs) > 0
    command.show(found, drill, terminal)
    printed = capsys.readouterr().out
    for fault in faults:
        assert f"begins: {fault.kind}\n" in printed
