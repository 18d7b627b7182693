"""The view backlog_age sums up the ages of the open issues."""

import pytest

from tests.sql.cases import BOT, MONA, OLD_BOT, Case, at, picked


def test_ages(case: Case) -> None:
    """Open issues count with the hours since their opening; closed ones and those of bots do not."""
    created = [at(), at(days=18), at(days=26)]
    issues = [case.issue(number, created_at=moment) for number, moment in enumerate(created)]
    closed, bots = case.issue(8), [case.issue(9, author=BOT), case.issue(10, author=OLD_BOT)]
    case.store(
        *(issue.opened() for issue in (*issues, closed, *bots)),
        closed.closed(MONA, at(days=1)),
    )
    assert picked(case.one("backlog_age"), "n", "p50_hours", "p90_hours", "max_hours") == (
        3,
        240.0,
        pytest.approx(240 + 0.8 * (28 * 24 - 240)),
        28 * 24.0,
    )


def test_no_open_issue(case: Case) -> None:
    """A repository without open issues has n = 0 and no hours."""
    issue = case.issue()
    case.store(issue.opened(), issue.closed(MONA, at(days=1)))
    assert picked(case.one("backlog_age"), "n", "p50_hours", "p90_hours", "max_hours") == (
        0,
        None,
        None,
        None,
    )
