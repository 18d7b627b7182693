"""Where a waiting issue stands by the target that it matches."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.targets import State, Target, matching, standing
from pipeline.working_hours import ALWAYS, Hours

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Hours(zone=BERLIN, days=frozenset(range(5)), opens=time(9), closes=time(17))
HOUR = timedelta(hours=1)
FRIDAY = datetime(2026, 11, 27, 15, tzinfo=BERLIN)


def monday(hour: int, minute: int = 0) -> datetime:
    """Return a time of the Monday after FRIDAY."""
    return datetime(2026, 11, 30, hour, minute, tzinfo=BERLIN)


def test_an_issue_is_due_after_so_much_working_time() -> None:
    """Eight hours from three o'clock on Friday end at three o'clock on Monday."""
    target = Target(respond_in=8 * HOUR)
    found = standing(FRIDAY, monday(12), target, OFFICE)
    assert (found.state, found.due_at) == (State.WAITING, monday(15))
    assert (found.waited, found.left, found.over) == (5 * HOUR, 3 * HOUR, None)
    assert found.waited_by_the_clock == 69 * HOUR
    assert standing(FRIDAY, monday(13), target, OFFICE).state is State.DUE_SOON
    assert standing(FRIDAY, monday(15), target, OFFICE).state is State.DUE_SOON
    late = standing(FRIDAY, monday(16, 30), target, OFFICE)
    assert (late.state, late.over, late.left) == (State.OVERDUE, 1.5 * HOUR, None)


def test_a_target_by_the_calendar_takes_every_hour() -> None:
    """With `calendar` nights and weekends count; the working time that has passed is known, too."""
    target = Target(respond_in=48 * HOUR, calendar=True, warn_at=0.5)
    found = standing(FRIDAY, monday(10), target, OFFICE)
    assert (found.state, found.over) == (State.OVERDUE, 19 * HOUR)
    assert found.due_at == FRIDAY + 48 * HOUR
    assert found.waited == 3 * HOUR
    assert standing(FRIDAY, FRIDAY + 23 * HOUR, target, OFFICE).state is State.WAITING
    assert standing(FRIDAY, FRIDAY + 24 * HOUR, target, OFFICE).state is State.DUE_SOON


def test_time_by_the_clock_is_real_time() -> None:
    """Over the night in which the clock goes back, 24 hours end at 11 o'clock."""
    start, now = datetime(2026, 10, 24, 12, tzinfo=BERLIN), datetime(2026, 10, 25, 12, tzinfo=BERLIN)
    found = standing(start, now, Target(respond_in=24 * HOUR, calendar=True), OFFICE)
    assert found.waited_by_the_clock == 25 * HOUR
    assert (found.state, found.over) == (State.OVERDUE, HOUR)
    assert found.due_at == datetime(2026, 10, 25, 11, tzinfo=BERLIN)


def test_a_target_that_is_used_up_at_closing_time_is_overdue_in_the_next_working_hour() -> None:
    """In the night nothing is overdue that was not in the evening."""
    target, start = Target(respond_in=2 * HOUR), FRIDAY
    assert standing(start, monday(9), target, OFFICE).left == timedelta()
    assert standing(start, monday(9), target, OFFICE).state is State.DUE_SOON
    assert standing(start, monday(9, 1), target, OFFICE).state is State.OVERDUE


def test_without_a_target_nothing_is_due() -> None:
    """An issue that matches no target waits, and how long is known."""
    found = standing(FRIDAY, FRIDAY + 30 * HOUR, None, ALWAYS)
    assert (found.state, found.due_at, found.over, found.left) == (State.WAITING, None, None, None)
    assert found.waited == found.waited_by_the_clock == 30 * HOUR


def test_a_wait_that_begins_later_than_now_has_not_begun() -> None:
    """A clock that is behind that of GitHub makes no negative wait."""
    found = standing(FRIDAY, FRIDAY - HOUR, Target(respond_in=HOUR), OFFICE)
    assert (found.waited, found.waited_by_the_clock, found.left) == (timedelta(), timedelta(), HOUR)


def test_the_first_target_that_matches_counts() -> None:
    """The order of the targets decides, and none may match."""
    bugs = Target(labels_any=("bug",), respond_in=HOUR)
    acme = Target(repositories=("acme/*",), respond_in=2 * HOUR)
    assert matching((bugs, acme), "acme/app", ["bug"]) is bugs
    assert matching((acme, bugs), "acme/app", ["bug"]) is acme
    assert matching((bugs, acme), "acme/app", []) is acme
    assert matching((bugs, acme), "other/app", ["question"]) is None


@pytest.mark.parametrize(
    ("labels", "matches"),
    [
        (["Bug", "p1"], True),
        (["bug"], False),
        (["p1"], False),
        (["outage", "P1", "wontfix"], False),
        (["OUTAGE", "p1", "other"], True),
    ],
)
def test_labels_match_as_in_routes(labels: list[str], *, matches: bool) -> None:
    """One of labels_any, all of labels_all and none of labels_none, in any case."""
    target = Target(
        labels_any=("bug", "Outage"), labels_all=("p1",), labels_none=("Wontfix",), respond_in=HOUR
    )
    assert target.matches("acme/app", labels) is matches


def test_a_repository_s_name_ignores_case() -> None:
    """GitHub's names ignore case; a glob may leave out a whole part."""
    assert Target(repositories=("ACME/a*",), respond_in=HOUR).matches("acme/App", [])
    assert not Target(repositories=("acme/a",), respond_in=HOUR).matches("acme/app", [])
