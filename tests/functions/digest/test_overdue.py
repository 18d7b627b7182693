"""Which issues are past their target, and how long they have waited."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.digest.marks import Mark
from functions.digest.overdue import overdue, waiting_for
from metrics.waiting import Waiting, WaitingIssue
from pipeline.working_hours import ALWAYS
from tests.functions.digest.support import NOW, TEAM, berlin, waiting

LATE = waiting(1, berlin(2, 9), labels=("bug",))  # Friday morning; the target is 8 working hours
URGENT = waiting(2, berlin(5, 8), labels=("urgent",))  # 24 hours by the clock
SOON = waiting(3, berlin(7, 8), labels=("bug",))
ANYTIME = waiting(4, berlin(2, 9))  # no target


def same(issue: WaitingIssue) -> WaitingIssue:
    """Return the issue: it waits as it is known to."""
    return issue


def test_every_issue_past_its_target_is_named_by_the_key_of_its_card() -> None:
    """Overdue issues of all repositories count; those that are due soon, have no target or are old do not."""
    elsewhere = replace(LATE, number=5, repository_id=7, repository="other/app")
    old = replace(LATE, number=6, opened_at=datetime(2025, 11, 30, tzinfo=UTC))
    found = overdue([LATE, URGENT, SOON, ANYTIME, elsewhere, old], TEAM, NOW, same)
    assert set(found) == {"1#1", "1#2", "7#5"}
    assert found["1#1"].opened_at == LATE.opened_at


def test_the_mark_tells_the_wait_and_the_day_in_the_teams_zone() -> None:
    """Working days count where the target is in working time, days by the clock where it is not."""
    found = overdue([LATE, URGENT], TEAM, NOW, same)
    assert found["1#1"].mark() == Mark(text="waiting for 2 working days", day=date(2026, 1, 7))
    assert found["1#2"].mark() == Mark(text="waiting for 2 days", day=date(2026, 1, 7))


def test_an_issue_that_does_not_wait_any_more_has_no_mark() -> None:
    """An issue that was answered has none, nor one that waits again since a short time."""
    assert overdue([LATE], TEAM, NOW, lambda _: None)["1#1"].mark() is None
    again = overdue([LATE], TEAM, NOW, lambda issue: replace(issue, waiting_since=NOW - timedelta(minutes=5)))
    assert again["1#1"].mark() is None


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (NOW - timedelta(minutes=59), "waiting for under an hour"),
        (NOW - timedelta(hours=1), "waiting for 1 hour"),
        (NOW - timedelta(hours=23, minutes=59), "waiting for 23 hours"),
        (NOW - timedelta(days=1), "waiting for 1 day"),
        (NOW - timedelta(days=400), "waiting for 400 days"),
    ],
)
def test_whole_days_count_and_hours_before_the_first(since: datetime, expected: str) -> None:
    """A wait is told in whole days, and before the first in hours."""
    entry = Waiting.of(waiting(1, since), TEAM.targets, ALWAYS, NOW)
    assert waiting_for(entry, ALWAYS) == expected


def test_a_working_day_has_the_teams_hours() -> None:
    """Seven of eight working hours are no day; the night and the weekend do not count."""
    for since, expected in ((berlin(5, 10), "7 working hours"), (berlin(5, 9), "1 working day")):
        entry = Waiting.of(waiting(1, since, labels=("bug",)), TEAM.targets, TEAM.hours, NOW)
        assert waiting_for(entry, TEAM.hours) == f"waiting for {expected}"
