"""Waiting issues are selected by repository and age, and ranked by what they were promised."""

import random
from datetime import date, timedelta

from functions.digest.entries import select
from pipeline.team import Team
from tests.functions.digest.support import NOW, TEAM, berlin, ranked, waiting


def test_overdue_comes_before_due_soon_before_waiting() -> None:
    """What was due first comes first in each state; issues without a target come last."""
    issues = [
        waiting(1, berlin(5, 9)),  # without a target
        waiting(2, berlin(5, 16), labels=("bug",)),  # one hour of eight is used
        waiting(3, berlin(5, 10), labels=("bug",)),  # seven hours of eight: due soon
        waiting(4, berlin(2, 12), labels=("bug",)),  # 5 + 8 hours
        waiting(5, berlin(2, 11), labels=("Bug",)),
        waiting(6, berlin(6, 8), labels=("urgent", "bug")),  # 25 hours by the clock, on a holiday
        waiting(7, berlin(4, 12)),
    ]
    entries = ranked(issues)
    assert [(entry.issue.number, str(entry.standing.state)) for entry in entries] == [
        (5, "overdue"),
        (4, "overdue"),
        (6, "overdue"),
        (3, "due_soon"),
        (2, "waiting"),
        (7, "waiting"),
        (1, "waiting"),
    ]
    assert [entry.in_working_time for entry in entries] == [True, True, False, True, True, True, True]


def test_the_order_does_not_depend_on_the_order_of_the_rows() -> None:
    """Issues that wait equally long are in the order of repository and number."""
    at = berlin(5, 9)
    issues = [waiting(n, at, repository=name) for name in ("acme/app", "acme/web") for n in (9, 10)]
    expected = [entry.issue for entry in ranked(issues)]
    assert expected == issues
    random.Random(1).shuffle(issues)
    assert [entry.issue for entry in ranked(issues)] == expected


def test_a_channel_has_the_repositories_that_match() -> None:
    """A glob matches in any case; an issue of another repository is left out."""
    ours, theirs = waiting(1, berlin(5, 9), repository="Acme/App"), waiting(1, berlin(5, 9), repository="x/y")
    assert select([ours, theirs], ["acme/*"], None, TEAM.hours) == [ours]
    assert select([ours, theirs], ["x/*", "acme/a?p"], None, TEAM.hours) == [ours, theirs]


def test_issues_opened_before_since_are_left_out() -> None:
    """`since` is a day of the team's zone, and about the opening, not about the wait."""
    opened = waiting(1, berlin(5, 9), opened_at=berlin(1, 0) - timedelta(days=31))  # midnight of 1 December
    earlier = waiting(2, berlin(5, 9), opened_at=opened.opened_at - timedelta(seconds=1))
    assert select([opened, earlier], ["*"], date(2025, 12, 1), TEAM.hours) == [opened]
    assert select([opened, earlier], ["*"], None, TEAM.hours) == [opened, earlier]


def test_without_working_hours_time_is_time_by_the_clock() -> None:
    """Without [hours] no entry speaks of working hours."""
    [entry] = ranked([waiting(1, berlin(5, 9))], Team())
    assert not entry.in_working_time
    assert entry.standing.waited == NOW - berlin(5, 9)
