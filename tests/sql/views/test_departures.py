"""Every view counts issues that were deleted or transferred until they left."""

from datetime import date

from tests.sql.cases import KIM, MONA, OCTAVIA, Case, at, picked
from tests.sql.deliveries import Subject
from tests.support.messages import NOON


def test_a_transferred_issue(case: Case) -> None:
    """A transferred issue leaves one backlog and enters the other at that moment, and keeps its age."""
    other = case.other
    issue = case.issue()
    opened = issue.opened()
    leaves, arrives, there = issue.moved(MONA, at(days=9), other, 3)
    case.store(
        opened, leaves, arrives, there.commented(KIM, at(days=10), "Ours."), there.closed(KIM, at(days=11))
    )
    here = case.one()
    assert picked(here, "state", "closed_at", "open_hours") == ("transferred", None, 9 * 24.0)
    assert picked(here, "time_to_close_hours", "time_to_first_response_hours") == (None, None)
    assert case.weeks("opened", "backlog") == {date(2026, 1, 5): (1, 1), date(2026, 1, 12): (0, 0)}
    moved = case.one("issues", other)
    assert picked(moved, "issue_number", "state", "opened_at", "left_censored") == (3, "closed", NOON, False)
    assert picked(moved, "time_to_first_response_hours", "time_to_close_hours") == (240.0, 264.0)
    weeks = case.ask("issues_weekly", other)
    assert [picked(week, "week", "opened", "closed", "backlog") for week in weeks] == [
        (date(2026, 1, 12), 1, 1, 0)
    ]
    assert picked(case.one("time_to_first_response"), "n", "unanswered") == (0, 0)


def test_a_transferred_closed_issue(case: Case) -> None:
    """An issue transferred while closed leaves no backlog and enters none."""
    other = case.other
    issue = case.issue()
    events = [issue.opened(), issue.closed(MONA, at(days=1))]
    leaves, arrives, _ = issue.moved(MONA, at(days=9), other, 3)
    case.store(*events, leaves, arrives)
    assert picked(case.one(), "state", "closed_at", "open_hours") == ("transferred", at(days=1), 24.0)
    assert picked(case.one("time_to_close"), "n", "p50_hours", "p90_hours") == (0, None, None)
    assert case.one("reopen_rate")["closed_issues"] == 1
    assert case.weeks("backlog") == {date(2026, 1, 5): 0, date(2026, 1, 12): 0}
    moved = case.one("issues", other)
    assert picked(moved, "state", "closed_at", "time_to_close_hours") == ("closed", at(days=1), 24.0)
    weeks = case.ask("issues_weekly", other)
    assert [picked(week, "opened", "closed", "backlog", "p50_hours_to_close") for week in weeks] == [
        (1, 0, 0, 24.0)
    ]


def test_a_deleted_issue(case: Case) -> None:
    """A deleted issue stays deleted: later events count nowhere, and it is in no percentile."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.commented(MONA, at(hours=1), "Spam?"),
        issue.changed("deleted", MONA, at(hours=5)),
        issue.commented(KIM, at(hours=6), "Too late."),
        issue.closed(KIM, at(hours=7)),
        issue.reopened(KIM, at(hours=8)),
    )
    found = case.one()
    assert picked(found, "state", "closed_at", "reopen_count", "open_hours") == ("deleted", None, 0, 5.0)
    assert picked(found, "first_response_at", "time_to_first_response_hours") == (at(hours=1), None)
    assert case.weeks("opened", "closed", "reopened", "backlog", "p50_hours_to_first_response") == {
        date(2026, 1, 5): (1, 0, 0, 0, None)
    }
    assert case.ask("open_issues") == []
    assert picked(case.one("time_to_first_response"), "n", "unanswered") == (0, 0)


def test_hours_since_an_arrival(case: Case) -> None:
    """The last event of an old issue that came by a transfer is its arrival, not its opening."""
    issue = Subject(repository=case.other, number=1, title="Old", author=OCTAVIA, created_at=at(days=-1000))
    _, arrives, _ = issue.moved(MONA, at(days=27), case.repository, 7)
    case.store(arrives)
    assert picked(case.one("open_issues"), "age_hours", "hours_since_last_event") == (1028 * 24.0, 24.0)
    assert case.weeks("opened", "backlog") == {date(2026, 1, 26): (1, 1)}
