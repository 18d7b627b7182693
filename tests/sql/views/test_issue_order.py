"""The view issues orders events, also within one second and if deliveries arrive out of order."""

from datetime import date

import pytest

from tests.sql.cases import MONA, OCTAVIA, Case, at, picked
from tests.support.messages import NOON


def test_receipt_order_and_copies_do_not_matter(case: Case) -> None:
    """Deliveries received in reverse order, each three times, give the numbers of those received in order."""
    issue = case.issue()
    events = [
        issue.opened(),
        issue.commented(MONA, at(hours=2), "Looking."),
        issue.closed(MONA, at(hours=10)),
        issue.reopened(OCTAVIA, at(hours=30)),
        issue.labeled(MONA, at(hours=31), "bug"),
        issue.closed(MONA, at(hours=35)),
    ]
    case.insert(
        *(
            case.delivered(event, f"{index}", received_after=(50 - index) * 3_600_000 + again)
            for again in (2, 0, 1)
            for index, event in enumerate(events)
        )
    )
    found = case.one()
    assert picked(found, "state", "closed_at", "reopen_count") == ("closed", at(hours=35), 1)
    assert picked(found, "time_to_close_hours", "open_hours", "labels") == (35.0, 15.0, ["bug"])
    assert found["first_response_at"] == at(hours=2)
    assert case.weeks("opened", "closed", "reopened", "backlog") == {date(2026, 1, 5): (1, 2, 1, 0)}


def test_a_lost_reopening_shown_by_a_deletion(case: Case) -> None:
    """A reopening that only a comment's deletion shows is dated by the issue's last change."""
    issue = case.issue()
    opened, comment = issue.opened(), issue.commented(MONA, at(hours=1), "Hm.")
    closed = issue.closed(MONA, at(hours=10))
    issue.reopened(OCTAVIA, at(hours=20))
    deletion = issue.comment_changed("deleted", comment, MONA, at(hours=30))
    case.store(opened, comment, closed, (deletion, at(hours=30)), issue.closed(MONA, at(hours=35)))
    assert picked(case.one(), "state", "open_hours", "time_to_close_hours") == ("closed", 25.0, 35.0)


def test_a_close_that_shows_the_issue_open(case: Case) -> None:
    """`closed` closes the issue even if its payload was made after the issue was reopened."""
    issue = case.issue()
    opened, closed = issue.opened(), issue.closed(MONA, at(hours=2))
    closed.payload["issue"]["state"] = "open"
    case.store(opened, closed, issue.reopened(MONA, at(hours=3)))
    found = case.one()
    assert picked(found, "state", "reopen_count", "first_closed_at") == ("open", 1, at(hours=2))
    assert found["open_hours"] == 2 + (28 * 24 - 3)


@pytest.mark.parametrize("receipt", [[0, 1], [1, 0]], ids=["in order", "reversed"])
def test_opened_and_labelled_in_one_second(case: Case, receipt: list[int]) -> None:
    """A label of the same second as the opening is shown, in either order of receipt."""
    issue = case.issue()
    case.store(issue.opened(), issue.labeled(OCTAVIA, NOON, "bug"), receipt=receipt)
    assert picked(case.one(), "labels", "left_censored") == (["bug"], False)


@pytest.mark.parametrize("receipt", [[0, 1], [1, 0]], ids=["in order", "reversed"])
def test_opened_and_closed_in_one_second(case: Case, receipt: list[int]) -> None:
    """An issue closed in the second of its opening is closed, in either order of receipt."""
    issue = case.issue()
    case.store(issue.opened(), issue.closed(MONA, NOON), receipt=receipt)
    assert picked(case.one(), "state", "closed_at", "open_hours") == ("closed", NOON, 0.0)
    assert case.weeks("opened", "closed", "backlog") == {date(2026, 1, 5): (1, 1, 0)}


@pytest.mark.parametrize("receipt", [[0, 1, 2], [0, 2, 1]], ids=["comment first", "close first"])
def test_closed_with_a_comment(case: Case, receipt: list[int]) -> None:
    """A comment in the second of the close that still shows the issue open does not reopen it."""
    issue = case.issue()
    opened, comment = issue.opened(), issue.commented(MONA, at(hours=2), "Fixed.")
    assert comment.payload["issue"]["state"] == "open"
    case.store(opened, comment, issue.closed(MONA, at(hours=2)), receipt=receipt)
    found = case.one()
    assert picked(found, "state", "state_reason", "closed_at") == ("closed", "completed", at(hours=2))
    assert picked(found, "open_hours", "first_response_at", "reopen_count") == (2.0, at(hours=2), 0)


@pytest.mark.parametrize(
    ("receipt", "state", "open_hours", "reopenings"),
    [([0, 1, 2], "open", 28 * 24.0, 1), ([0, 2, 1], "closed", 2.0, 0)],
    ids=["closed first", "reopened first"],
)
def test_closed_and_reopened_in_one_second(
    case: Case, receipt: list[int], state: str, open_hours: float, reopenings: int
) -> None:
    """If an issue is closed and reopened in one second, the event received later decides."""
    issue = case.issue()
    case.store(
        issue.opened(), issue.closed(MONA, at(hours=2)), issue.reopened(MONA, at(hours=2)), receipt=receipt
    )
    assert picked(case.one(), "state", "open_hours", "reopen_count") == (state, open_hours, reopenings)


def test_a_deletion_in_the_second_of_the_last_event(case: Case) -> None:
    """A deletion in the second of the last event is final, even if it was received before that event."""
    issue = case.issue()
    opened, closed = issue.opened(), issue.closed(MONA, at(hours=4))
    case.store(opened, closed, (issue.deleted(MONA, at(hours=4)), at(hours=4)), receipt=[0, 2, 1])
    assert picked(case.one(), "state", "closed_at", "open_hours") == ("deleted", at(hours=4), 4.0)
