"""A close or a reopening is an event that changes the state; each counts once, whatever reports it."""

from datetime import date

import pytest

from tests.sql.cases import MONA, OCTAVIA, Case, at, picked

COUNTS = ("closed", "reopened", "backlog")
FIRST_WEEK = date(2026, 1, 5)


def test_another_reason_is_no_second_close(case: Case) -> None:
    """GitHub sends `closed` again when only the reason changes: that is one close, with the last reason."""
    issue = case.issue()
    case.store(
        issue.opened(), issue.closed(MONA, at(days=1)), issue.closed_again(MONA, at(days=2), "duplicate")
    )
    assert picked(case.one(), "state", "state_reason", "closed_at") == ("closed", "duplicate", at(days=1))
    assert picked(case.one(), "open_hours", "time_to_close_hours") == (24.0, 24.0)
    assert case.weeks(*COUNTS) == {FIRST_WEEK: (1, 0, 0)}


def test_a_pull_request_and_its_commit_close_an_issue_once(case: Case) -> None:
    """Two `closed` of one second, with two delivery ids, are one close."""
    issue = case.issue()
    case.store(issue.opened(), issue.closed(MONA, at(days=1)), issue.closed(MONA, at(days=1)))
    assert case.weeks(*COUNTS) == {FIRST_WEEK: (1, 0, 0)}
    assert case.one()["open_hours"] == 24.0


def test_a_change_of_status_closes_and_reopens(case: Case) -> None:
    """A change of state that only `status_changed` reports is a close, or a reopening."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.status_changed(MONA, at(hours=1)),
        issue.status_changed(MONA, at(hours=10), "closed"),
        issue.status_changed(OCTAVIA, at(hours=30), "open"),
        issue.status_changed(MONA, at(hours=35), "closed"),
    )
    found = case.one()
    assert picked(found, "state", "reopen_count", "open_hours") == ("closed", 1, 15.0)
    assert picked(found, "first_closed_at", "closed_at") == (at(hours=10), at(hours=35))
    assert picked(case.one("reopen_rate"), "closed_issues", "reopened_issues") == (1, 1)
    assert case.weeks(*COUNTS) == {FIRST_WEEK: (2, 1, 0)}


@pytest.mark.parametrize("receipt", [[0, 1, 2], [0, 2, 1]], ids=["status first", "close first"])
@pytest.mark.parametrize("is_stale", [False, True], ids=["both closed", "status still open"])
def test_a_status_and_a_close_of_one_second(case: Case, receipt: list[int], *, is_stale: bool) -> None:
    """`closed` and `status_changed` of one second are one close, even if the latter shows it open."""
    issue = case.issue()
    opened = issue.opened()
    events = [issue.status_changed(MONA, at(hours=2))] if is_stale else []
    closed = issue.closed(MONA, at(hours=2))
    events += [] if is_stale else [issue.status_changed(MONA, at(hours=2))]
    case.store(opened, *events, closed, receipt=receipt)
    assert picked(case.one(), "state", "open_hours", "reopen_count") == ("closed", 2.0, 0)
    assert case.weeks(*COUNTS) == {FIRST_WEEK: (1, 0, 0)}


def test_a_comment_in_the_second_of_a_change_of_status(case: Case) -> None:
    """A comment of that second that still shows the issue open does not reopen it."""
    issue = case.issue()
    opened, comment = issue.opened(), issue.commented(MONA, at(hours=2), "Done.")
    case.store(opened, issue.status_changed(MONA, at(hours=2), "closed"), comment)
    assert picked(case.one(), "state", "reopen_count") == ("closed", 0)


def test_a_close_that_another_event_shows_is_no_close(case: Case) -> None:
    """A change of state that only another event shows corrects state and backlog, and is not counted."""
    issue = case.issue()
    opened = issue.opened()
    issue.closed(MONA, at(hours=10))
    labeled = issue.labeled(MONA, at(hours=20), "bug")
    again = issue.closed_again(MONA, at(hours=30), "duplicate")
    case.store(opened, labeled, again)
    assert picked(case.one(), "state", "open_hours") == ("closed", 10.0)
    assert case.weeks(*COUNTS) == {FIRST_WEEK: (0, 0, 0)}


def test_reopened_twice_is_one_reopening(case: Case) -> None:
    """`reopened` of an issue that is open changes nothing."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.closed(MONA, at(hours=1)),
        issue.reopened(MONA, at(hours=2)),
        issue.reopened(MONA, at(hours=3)),
    )
    assert picked(case.one(), "state", "reopen_count") == ("open", 1)
    assert case.weeks(*COUNTS) == {FIRST_WEEK: (1, 1, 1)}
