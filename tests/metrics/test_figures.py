"""The figures that are worked out from others: weeks of several repositories, and the headline as JSON."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from metrics.figures import Delay, Responses, Spread, Week, headline, join_weeks, monday, recent_from
from tests.support.reports import NOW, THIS_WEEK, a_report, a_repository, an_empty_report, weeks

FIRST = date(2026, 1, 5)


def week(index: int, **figures: int) -> Week:
    """Return the week so many weeks after the first."""
    return Week(week=FIRST + timedelta(weeks=index), **figures)


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
    """A week is that of its Monday, over the turn of a year and whatever the clock's zone."""
    assert monday(moment) == expected


def test_the_recent_weeks_end_with_the_running_one() -> None:
    """What is recent are thirteen weeks, the running one included."""
    assert recent_from(NOW) == THIS_WEEK - timedelta(weeks=12)
    report = a_report()
    assert report.recent[0].week == recent_from(NOW)
    assert report.backlog_then == report.weeks[-14].backlog


def test_weeks_of_several_repositories_are_added_up() -> None:
    """Opened, closed, reopened and backlog of a week are the sums over the repositories."""
    joined, before = join_weeks(
        {
            1: [week(0, opened=2, backlog=2), week(1, closed=1, reopened=1, backlog=2)],
            2: [week(0, opened=5, closed=1, backlog=4), week(1, opened=1, backlog=5)],
        },
        None,
        FIRST + timedelta(weeks=1),
    )
    assert before == 0
    assert joined == (
        week(0, opened=7, closed=1, backlog=6),
        week(1, opened=1, closed=1, reopened=1, backlog=7),
    )


def test_a_repository_that_falls_silent_keeps_its_backlog() -> None:
    """The view ends with a repository's last event; what is open then is open in every week after it."""
    joined, _ = join_weeks(
        {1: [week(0, opened=3, backlog=3)], 2: [week(1, opened=1, backlog=1), week(3, closed=1, backlog=0)]},
        None,
        FIRST + timedelta(weeks=4),
    )
    assert [item.backlog for item in joined] == [3, 4, 4, 3, 3]
    assert [item.opened for item in joined] == [3, 1, 0, 0, 0]
    assert [item.week for item in joined] == [FIRST + timedelta(weeks=index) for index in range(5)]


def test_weeks_before_the_period_only_give_its_first_backlog() -> None:
    """With a first day, earlier weeks are left out, but what was open then is told."""
    joined, before = join_weeks(
        {1: [week(0, opened=3, backlog=3), week(1, opened=2, backlog=5)], 2: [week(0, opened=1, backlog=1)]},
        FIRST + timedelta(weeks=1),
        FIRST + timedelta(weeks=2),
    )
    assert before == 4
    assert joined == (week(1, opened=2, backlog=6), week(2, backlog=6))


def test_a_period_before_the_first_event_is_shown_with_zeros() -> None:
    """A first day before all events gives weeks of nothing, not a shorter period."""
    joined, before = join_weeks({1: [week(2, opened=1, backlog=1)]}, FIRST, FIRST + timedelta(weeks=2))
    assert before == 0
    assert joined == (week(0), week(1), week(2, opened=1, backlog=1))


def test_no_weeks_are_no_weeks() -> None:
    """Without any week there is none, whatever the period."""
    assert join_weeks({}, FIRST, FIRST) == ((), 0)


def test_the_headline_is_json() -> None:
    """The headline numbers are plain JSON: counts, percentiles with n, shares of one, ISO dates."""
    assert json.loads(json.dumps(headline(a_report(since=date(2026, 1, 5))))) == {
        "made_at": "2026-03-18T15:30:00+00:00",
        "since": "2026-01-05",
        "repositories": ["acme/app"],
        "open": 29,
        "unanswered": 2,
        "weeks_compared": 13,
        "open_before": 16,
        "time_to_first_response": {
            "n": 60,
            "p50_hours": 5.0,
            "p90_hours": 40.0,
            "answered_within_24h": 45,
            "answered_within_72h": 58,
        },
        "time_to_close": {"n": 48, "p50_hours": 50.0, "p90_hours": 400.0},
        "reopen_rate": {"closed_issues": 50, "reopened_issues": 5, "rate": 0.1},
        "pipeline_delay": {"n": 61, "p50_seconds": 2.4, "p95_seconds": 5.5, "max_seconds": 90.0},
    }


def test_the_headline_has_no_percentile_of_fewer_than_five() -> None:
    """A script too gets null where there are too few, with their number beside it."""
    few = Spread(n=4, p50=1.0, p90=2.0)
    report = a_report(
        responses=Responses(spread=few), close=few, delay=Delay(n=4, p50=1.0, p95=1.0, most=1.0)
    )
    found = headline(report)
    assert found["time_to_close"] == {"n": 4, "p50_hours": None, "p90_hours": None}
    assert found["time_to_first_response"] == {
        "n": 4,
        "p50_hours": None,
        "p90_hours": None,
        "answered_within_24h": 0,
        "answered_within_72h": 0,
    }
    assert found["pipeline_delay"] == {"n": 4, "p50_seconds": None, "p95_seconds": None, "max_seconds": 1.0}


def test_a_rate_of_nothing_is_null() -> None:
    """While nothing was closed there is no reopen rate, rather than one of zero."""
    found = headline(an_empty_report())
    assert found["reopen_rate"] == {"closed_issues": 0, "reopened_issues": 0, "rate": None}


def test_totals_are_over_the_repositories() -> None:
    """Open, unanswered, closed and reopened issues are the sums over the repositories."""
    one = a_repository()
    report = a_report(repositories=(one, replace(one, id=2, open=1, unanswered=1, closed_issues=4)))
    assert (report.open, report.unanswered) == (30, 3)
    assert (report.closed_issues, report.reopened_issues) == (54, 10)
    assert report.weeks == weeks(20)
