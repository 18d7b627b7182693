"""The schedule of a drill is drawn from its seed."""

from collections import Counter
from itertools import pairwise

import pytest

from local.drill.schedule import Fate, Kind, Schedule, Step, draw

REPOSITORIES = ("acme/app", "acme/docs")
SEEDS = range(40)


def drawn(seed: int, seconds: float = 60.0, events: int = 100) -> Schedule:
    """Return the schedule of a seed."""
    return draw(seed, seconds, events, REPOSITORIES)


def test_a_seed_is_always_the_same_drill() -> None:
    """A seed gives the same steps and faults again, and another seed gives others."""
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


@pytest.mark.parametrize("seconds", [3.0, 60.0, 300.0])
def test_every_fault_occurs_and_ends_in_time(seconds: float) -> None:
    """Each fault begins and ends while deliveries flow; one that is not a kill lasts for a while."""
    for seed in SEEDS:
        schedule = drawn(seed, seconds)
        faults = schedule.faults
        kinds = {fault.kind for fault in (*faults, *schedule.repair_faults)}
        assert kinds >= {kind for kind in Kind if not kind.function}
        assert any(fault.kind.function for fault in faults)
        assert all(0 <= fault.begins <= fault.ends < seconds for fault in faults)
        assert all(fault.ends > fault.begins for fault in faults if not fault.kind.function)
        assert [fault.begins for fault in faults] == sorted(fault.begins for fault in faults)


@pytest.mark.parametrize("service", ["Slack", "BigQuery"])
def test_the_faults_of_a_service_take_turns(service: str) -> None:
    """Two faults of one service never overlap: a stand-in fails in one way at a time."""
    for seed in SEEDS:
        faults = [fault for fault in drawn(seed).faults if fault.kind.startswith(service)]
        assert len(faults) >= 3
        assert all(first.ends < second.begins for first, second in pairwise(faults))


def test_a_function_ends_three_times_a_minute_at_most() -> None:
    """Each function is killed twice a minute; a fourth end within a minute would end the stack."""
    for seed in SEEDS:
        faults = [fault for fault in drawn(seed, 300.0).faults if fault.kind.function]
        assert set(Counter(fault.kind for fault in faults).values()) == {10}
        for kind in (Kind.INGEST_KILLED, Kind.NOTIFY_SLACK_KILLED, Kind.STREAM_BQ_KILLED):
            moments = [fault.begins for fault in faults if fault.kind is kind]
            assert all(later - first > 60 for first, later in zip(moments, moments[3:], strict=False))


def test_the_first_run_of_reconcile_fails() -> None:
    """GitHub is away at first, and reconcile is killed once it has gone on; a short drill kills no run."""
    for seed in SEEDS:
        away, killed = drawn(seed).repair_faults
        assert (away.kind, killed.kind) == (Kind.GITHUB_AWAY, Kind.RECONCILE_KILLED)
        assert 0 <= away.begins < away.ends <= 8 <= killed.begins <= 20
        assert [fault.kind for fault in drawn(seed, 4.0).repair_faults] == [Kind.GITHUB_AWAY]


def test_an_issue_is_opened_before_it_changes() -> None:
    """An issue is opened first, with the next number of its repository; a close and a reopening alternate."""
    for seed in SEEDS:
        issues: dict[tuple[str, int], list[Step]] = {}
        for step in drawn(seed).steps:
            issues.setdefault((step.repository, step.number), []).append(step)
        for changes in issues.values():
            assert [step.change == "opened" for step in changes] == [True] + [False] * (len(changes) - 1)
            assert all(later.at - first.at > 0.25 for first, later in pairwise(changes))
            ends = [step.change for step in changes if step.change in {"closed", "reopened"}]
            assert ends == [("closed", "reopened")[place % 2] for place in range(len(ends))]
        for repository in REPOSITORIES:
            numbers = [number for name, number in issues if name == repository]
            assert numbers == list(range(1, len(numbers) + 1))


def test_a_fifth_of_the_deliveries_fails() -> None:
    """A fifth of the first attempts fail, half of them after ingest has accepted the delivery."""
    fates = Counter(step.fate for seed in SEEDS for step in drawn(seed).steps)
    assert fates.total() / len(SEEDS) == pytest.approx(125, abs=20)
    assert fates[Fate.LOST] / fates.total() == pytest.approx(0.1, abs=0.02)
    assert fates[Fate.ANSWER_LOST] / fates.total() == pytest.approx(0.1, abs=0.02)
