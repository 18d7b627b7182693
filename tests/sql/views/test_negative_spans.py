"""What ended before it began took no time, in every view."""

from datetime import date, timedelta

from ops.send import payloads
from tests.sql.cases import MONA, OCTAVIA, Case, at, picked
from tests.sql.deliveries import row


def test_an_imported_issue_that_was_closed_before_it_was_created(case: Case) -> None:
    """It took 0 hours, and its close counts in the week of its opening; closed_at stays as it is."""
    issue = case.issue()
    opened = issue.opened()
    issue.closed(MONA, at(hours=1))
    issue.closed_at = at(days=-4)
    closed = payloads.Event(name="issues", payload=issue.changed("closed", MONA, at(hours=1)).payload)
    case.store(opened, closed)
    found = case.one()
    assert picked(found, "opened_at", "closed_at", "first_closed_at") == (at(), at(days=-4), at(days=-4))
    assert picked(found, "time_to_close_hours", "open_hours") == (0.0, 0.0)
    assert picked(case.one("time_to_close"), "n", "p50_hours", "p90_hours") == (1, 0.0, 0.0)
    assert case.weeks("opened", "closed", "backlog", "p50_hours_to_close") == {
        date(2026, 1, 5): (1, 1, 0, 0.0)
    }


def test_open_intervals_after_a_negative_one_count(case: Case) -> None:
    """A close before the opening takes nothing from the time that the issue is open after a reopening."""
    issue = case.issue()
    opened = issue.opened()
    issue.closed(MONA, at(hours=1))
    issue.closed_at = at(days=-4)
    closed = issue.changed("closed", MONA, at(hours=1))
    case.store(opened, closed, issue.reopened(OCTAVIA, at(hours=10)), issue.closed(MONA, at(hours=15)))
    assert picked(case.one(), "open_hours", "time_to_close_hours") == (5.0, 15.0)


def test_an_imported_comment_from_before_the_issue(case: Case) -> None:
    """A response from before the opening took 0 hours and counts in the week of the opening."""
    issue = case.issue()
    opened, comment = issue.opened(), issue.commented(MONA, at(hours=1), "Long ago.")
    comment.payload["comment"]["created_at"] = payloads.time_text(at(days=-9))
    case.store(opened, comment)
    found = case.one()
    assert picked(found, "first_response_at", "time_to_first_response_hours") == (at(days=-9), 0.0)
    assert picked(case.one("time_to_first_response"), "n", "p50_hours", "answered_within_24h") == (1, 0.0, 1)
    assert case.weeks("p50_hours_to_first_response") == {date(2026, 1, 5): 0.0}


def test_an_issue_of_tomorrow(case: Case) -> None:
    """An issue whose times are later than now, by a wrong clock, is 0 hours old."""
    issue = case.issue(created_at=at(days=30))
    case.store(issue.opened())
    assert case.one()["open_hours"] == 0.0
    assert picked(case.one("open_issues"), "age_hours", "hours_since_last_event") == (0.0, 0.0)


def test_a_row_from_before_its_event(case: Case) -> None:
    """A delay is never below 0: GitHub's clock may be ahead of ours."""
    then = at(days=-3000)  # no other test has events on this day
    opened = case.issue(created_at=then).opened()
    early = then - timedelta(seconds=2)
    case.insert(row(opened, f"{case.repository.id}-early", early, inserted_at=early))
    rows = case.warehouse.query(
        "SELECT * FROM ${DATASET}.pipeline_delay WHERE day < '2018-01-01'", case.dataset
    )
    assert [picked(day, "n", "p50_seconds", "p95_seconds", "max_seconds") for day in rows] == [
        (1, 0.0, 0.0, 0.0)
    ]
