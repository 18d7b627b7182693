"""Weeks of several repositories are added up."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from metrics.figures import Week
from metrics.rows import RepositoryWeek
from metrics.weeks import join_weeks, monday, recent_from, trends
from tests.support.reports import NOW, THIS_WEEK, a_report

FIRST = date(2026, 1, 5)


def week(index: int, **counts: int) -> Week:
    """Return the week so many weeks after the first."""
    return Week(week=FIRST + timedelta(weeks=index), **counts)


def row(repository_id: int, index: int, **counts: int) -> RepositoryWeek:
    """Return the week of one repository."""
    return RepositoryWeek(repository_id=repository_id, week=FIRST + timedelta(weeks=index), **counts)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (date(2026, 3, 16), date(2026, 3, 16)),
        (date(2026, 3, 22), date(2026, 3, 16)),
        (datetime(2026, 3, 22, 23, 59, 59, tzinfo=UTC), date(2026, 3, 16)),
        (datetime(2026, 3, 23, 1, 0, tzinfo=timezone(timedelta(hours=2))), date(2026, 3, 16)),
        (date(2026, 1, 1), date(2025, 12, 29)),
    ],
)
def test_a_week_begins_on_monday_in_utc(moment: date, expected: date) -> None:
    """A week is named by its Monday in UTC, also around New Year and in any time zone."""
    assert monday(moment) == expected


def test_the_recent_weeks_end_with_the_running_one() -> None:
    """The recent weeks are thirteen, including the running one."""
    assert recent_from(NOW) == THIS_WEEK - timedelta(weeks=12)
    report = a_report()
    assert report.recent_weeks[0].week == recent_from(NOW)
    assert report.backlog_before == report.weeks[-14].backlog


def test_weeks_of_several_repositories_are_added_up() -> None:
    """Opened, closed, reopened and backlog of a week are the sums over the repositories."""
    joined, initial_backlog = join_weeks(
        [
            row(1, 0, opened=2, backlog=2),
            row(2, 0, opened=5, closed=1, backlog=4),
            row(1, 1, closed=1, reopened=1, backlog=2),
            row(2, 1, opened=1, backlog=5),
        ],
        None,
        FIRST + timedelta(weeks=1),
    )
    assert initial_backlog == 0
    assert joined == (
        week(0, opened=7, closed=1, backlog=6),
        week(1, opened=1, closed=1, reopened=1, backlog=7),
    )


def test_a_repository_without_new_events_keeps_its_backlog() -> None:
    """The view ends with a repository's last event; issues open then are open in every later week."""
    joined, _ = join_weeks(
        [
            row(1, 0, opened=3, backlog=3),
            row(2, 1, opened=1, backlog=1),
            row(2, 3, closed=1, backlog=0),
        ],
        None,
        FIRST + timedelta(weeks=4),
    )
    assert [item.backlog for item in joined] == [3, 4, 4, 3, 3]
    assert [item.opened for item in joined] == [3, 1, 0, 0, 0]
    assert [item.week for item in joined] == [FIRST + timedelta(weeks=index) for index in range(5)]


def test_weeks_before_the_period_only_give_its_initial_backlog() -> None:
    """With a first day, earlier weeks are left out, but the issues open then are counted."""
    joined, initial_backlog = join_weeks(
        [
            row(1, 0, opened=3, backlog=3),
            row(2, 0, opened=1, backlog=1),
            row(1, 1, opened=2, backlog=5),
        ],
        FIRST + timedelta(weeks=1),
        FIRST + timedelta(weeks=2),
    )
    assert initial_backlog == 4
    assert joined == (week(1, opened=2, backlog=6), week(2, backlog=6))


def test_a_period_before_the_first_event_has_zeros() -> None:
    """A first day before all events gives weeks with zeros, not a shorter period."""
    joined, initial_backlog = join_weeks([row(1, 2, opened=1, backlog=1)], FIRST, FIRST + timedelta(weeks=2))
    assert initial_backlog == 0
    assert joined == (week(0), week(1), week(2, opened=1, backlog=1))


def test_no_rows_give_no_weeks() -> None:
    """Without any row there is no week, for any period."""
    assert join_weeks([], FIRST, FIRST) == ((), 0)


def test_each_repository_has_a_trend() -> None:
    """A repository's trend is its backlog of the last 26 weeks; a week without a row is as the one before."""
    rows = [row(1, 0, backlog=3), row(2, 1, backlog=9), row(1, 2, backlog=4)]
    assert trends(rows, FIRST + timedelta(weeks=3)) == {1: (3, 3, 4, 4), 2: (9, 9, 9)}
    long = trends([row(1, 0, backlog=1), row(1, 30, backlog=2)], FIRST + timedelta(weeks=30))
    assert long == {1: (*(1,) * 25, 2)}
