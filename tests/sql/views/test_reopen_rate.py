"""The view reopen_rate has the share of closed issues that were reopened."""

from tests.sql.cases import MONA, Case, at, picked


def test_first_seen_reopened(case: Case) -> None:
    """A reopened issue was closed before, even if no delivery says when: the rate is never over one."""
    issue = case.issue()
    issue.closed(MONA, at(days=2))
    issue.closed_at = None
    case.store(issue.reopened(MONA, at(days=3)))
    assert picked(case.one(), "state", "first_closed_at", "reopen_count") == ("open", None, 1)
    assert picked(case.one("reopen_rate"), "closed_issues", "reopened_issues", "rate") == (1, 1, 1.0)
