"""The view reopen_rate has the share of closed issues that were reopened."""

from datetime import date

from tests.sql.cases import BOT, MONA, OCTAVIA, Case, at, picked


def test_first_seen_reopened(case: Case) -> None:
    """A reopened issue was closed before, even if no delivery says when: the rate is never over one."""
    issue = case.issue()
    issue.closed(MONA, at(days=2))
    issue.closed_at = None
    case.store(issue.reopened(MONA, at(days=3)))
    assert picked(case.one(), "state", "first_closed_at", "reopen_count") == ("open", None, 1)
    assert picked(case.one("reopen_rate"), "closed_issues", "reopened_issues", "rate") == (1, 1, 1.0)


def test_issues_of_bots_are_left_out(case: Case) -> None:
    """An issue that a bot opened does not count; a repository with no other issue has a row."""
    issue = case.issue(author=BOT)
    case.store(issue.opened(), issue.closed(MONA, at(hours=1)), issue.reopened(OCTAVIA, at(hours=2)))
    assert picked(case.one("reopen_rate"), "closed_issues", "reopened_issues", "rate") == (0, 0, None)
    assert case.weeks("closed", "reopened") == {date(2026, 1, 5): (1, 1)}
