"""The view issues_weekly counts each event in its week."""

from datetime import date, datetime, timedelta

from tests.sql.cases import MONA, OCTAVIA, Case, at, picked
from tests.support.messages import NOON


def test_reopened_after_months(case: Case) -> None:
    """A reopening undoes a close of months ago: the week of the first close has no percentile."""
    issue = case.issue(created_at=at(days=-210))
    case.store(
        issue.opened(),
        issue.closed(MONA, at(days=-200)),
        issue.reopened(OCTAVIA, at(days=-4)),
        issue.closed(MONA, at(days=-1)),
    )
    found = case.one()
    assert picked(found, "time_to_close_hours", "open_hours") == (209 * 24.0, 13 * 24.0)
    weeks = case.weeks("opened", "closed", "reopened", "backlog", "p50_hours_to_close")
    assert len(weeks) == 30
    assert weeks[date(2025, 6, 9)] == (1, 0, 0, 1, None)
    assert weeks[date(2025, 6, 16)] == (0, 1, 0, 0, None)
    assert weeks[date(2025, 9, 1)] == (0, 0, 0, 0, None)
    assert weeks[date(2025, 12, 29)] == (0, 1, 1, 0, 5016.0)


def test_weeks_without_events(case: Case) -> None:
    """Every week between a repository's first and last event exists; one without events keeps the backlog."""
    first, second = case.issue(1), case.issue(2, created_at=at(days=20))
    case.store(first.opened(), second.opened(), second.closed(MONA, at(days=20, hours=6)))
    columns = ("opened", "closed", "reopened", "backlog", "p50_hours_to_close", "p50_hours_to_first_response")
    assert case.weeks(*columns) == {
        date(2026, 1, 5): (1, 0, 0, 1, None, None),
        date(2026, 1, 12): (0, 0, 0, 1, None, None),
        date(2026, 1, 19): (1, 1, 0, 1, 6.0, None),
    }


def test_a_week_ends_on_sunday(case: Case) -> None:
    """The last second of Sunday, in UTC, belongs to this week; the next second to the next week."""
    issue = case.issue()
    midnight = datetime(2026, 1, 12, tzinfo=NOON.tzinfo)
    case.store(
        issue.opened(),
        issue.closed(MONA, midnight - timedelta(seconds=1)),
        issue.reopened(MONA, midnight),
    )
    assert case.weeks("closed", "reopened", "backlog") == {
        date(2026, 1, 5): (1, 0, 0),
        date(2026, 1, 12): (0, 1, 1),
    }


def test_active_issues(case: Case) -> None:
    """An issue is active in each week with an event other than its opening, and once a week."""
    first, second = case.issue(1), case.issue(2)
    case.store(
        first.opened(),
        second.opened(),
        first.commented(MONA, at(hours=1), "Hello"),
        first.commented(OCTAVIA, at(hours=2), "Hello"),
        second.labeled(MONA, at(days=7), "bug"),
        first.closed(MONA, at(days=8)),
        first.commented(MONA, at(days=21), "Thanks"),
    )
    assert case.weeks("opened", "active", "closed_ratio") == {
        date(2026, 1, 5): (2, 1, 0.0),
        date(2026, 1, 12): (0, 2, None),
        date(2026, 1, 19): (0, 0, None),
        date(2026, 1, 26): (0, 1, None),
    }


def test_departures_and_arrivals_and_activity(case: Case) -> None:
    """A deletion or transfer is activity; an arrival by transfer is not, like an opening."""
    issue = case.issue()
    opened = issue.opened()
    leaves, arrives, _ = issue.moved(MONA, at(days=1), case.other, 5)
    case.store(opened, (leaves, at(days=1)))
    case.insert(case.delivered(arrives, "there"))
    assert case.weeks("active") == {date(2026, 1, 5): 1}
    assert [picked(row, "opened", "active") for row in case.ask("issues_weekly", case.other)] == [(1, 0)]
