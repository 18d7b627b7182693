"""A close has its own reason, whatever else the events of its second show."""

from tests.sql.cases import MONA, Case, at, picked


def test_a_deleted_comment_in_the_second_of_a_close(case: Case) -> None:
    """A close has its reason also if the last event of its second is about something else."""
    issue = case.issue()
    opened, closed = issue.opened(), issue.closed(MONA, at(hours=1), "not_planned")
    answer = issue.commented(MONA, at(hours=1), "Sorry.")
    deleted = issue.comment_changed("deleted", answer, MONA, at(hours=1))
    case.store(opened, closed, answer, (deleted, at(hours=2)))
    assert picked(case.one(), "state", "close_reason") == ("closed", "not_planned")


def test_a_status_from_before_the_close_received_after_it(case: Case) -> None:
    """A status_changed in the second of a close may show the issue as it was: it takes no reason away."""
    issue = case.issue()
    before = issue.status_changed(MONA, at(hours=1))
    case.store(case.issue().opened(), before, issue.closed(MONA, at(hours=1), "duplicate"), receipt=[0, 2, 1])
    assert picked(case.one(), "state", "close_reason") == ("closed", "duplicate")
