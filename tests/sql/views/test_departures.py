"""Every view counts issues that were deleted or transferred until they left."""

from datetime import date

import pytest

from metrics import queries
from tests.sql.cases import KIM, MONA, OCTAVIA, Case, at, picked
from tests.sql.deliveries import Subject, other_event, row
from tests.support.messages import NOON


def test_a_transferred_issue(case: Case) -> None:
    """A transferred issue leaves one backlog and enters the other at that moment, and keeps its age."""
    other = case.other
    issue = case.issue()
    opened = issue.opened()
    leaves, arrives, there = issue.moved(MONA, at(days=9), other, 3)
    case.store(
        opened,
        (leaves, at(days=9)),
        arrives,
        there.commented(KIM, at(days=10), "Ours."),
        there.closed(KIM, at(days=11)),
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
    case.store(*events, (leaves, at(days=9)), arrives)
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
        (issue.deleted(MONA, at(hours=5)), at(hours=5)),
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


def test_github_dates_no_deletion(case: Case) -> None:
    """An issue that is deleted weeks after its last change is in the backlog until then."""
    issue = case.issue()
    case.store(issue.opened(), (issue.deleted(MONA, at(days=20)), at(days=20)))
    found = case.one()
    assert picked(found, "state", "left_at", "last_event_at") == ("deleted", at(days=20), at(days=20))
    assert found["open_hours"] == 20 * 24.0
    assert case.weeks("backlog") == {
        date(2026, 1, 5): 1,
        date(2026, 1, 12): 1,
        date(2026, 1, 19): 0,
    }


def test_a_backfilled_departure(case: Case) -> None:
    """A backfilled deletion or transfer is dated by the issue's last change: no one received it then."""
    issue = case.issue()
    opened, labeled = issue.opened(), issue.labeled(MONA, at(days=2), "bug")
    gone = row(issue.deleted(MONA, at(days=2)), f"{case.repository.id}-gone", at(days=25), source="backfill")
    case.store(opened, labeled)
    case.insert(gone)
    assert picked(case.one(), "state", "left_at", "open_hours") == ("deleted", at(days=2), 48.0)


def test_an_issue_that_became_a_pull_request(case: Case) -> None:
    """An issue that became a pull request leaves with the first event about that, unanswered."""
    issue = case.issue()
    opened = issue.opened()
    issue.is_pull_request = True
    case.store(
        opened,
        issue.commented(MONA, at(days=9), "Here is the code."),
        issue.commented(OCTAVIA, at(days=10), "Thanks!"),
    )
    found = case.one()
    assert picked(found, "state", "left_at", "open_hours") == ("transferred", at(days=9), 9 * 24.0)
    assert picked(found, "first_response_at", "time_to_first_response_hours") == (None, None)
    assert case.ask("open_issues") == []
    assert picked(case.one("time_to_first_response"), "n", "unanswered", "unknown") == (0, 0, 0)
    assert case.weeks("opened", "closed", "backlog") == {
        date(2026, 1, 5): (1, 0, 1),
        date(2026, 1, 12): (0, 0, 0),
    }


@pytest.mark.parametrize("receipt", [[0, 1], [1, 0]], ids=["in order", "reversed"])
def test_a_late_event_of_an_issue_that_became_a_pull_request(case: Case, receipt: list[int]) -> None:
    """It leaves in either order of receipt."""
    issue = case.issue()
    opened = issue.opened()
    issue.is_pull_request = True
    case.store(opened, issue.commented(MONA, at(days=1), "Here is the code."), receipt=receipt)
    assert picked(case.one(), "state", "left_at") == ("transferred", at(days=1))


def test_a_deleted_repository(case: Case) -> None:
    """An open issue is deleted with its repository; a closed one stays closed; late events open neither."""
    answered, closed, late = case.issue(1), case.issue(2), case.issue(3)
    case.store(
        answered.opened(),
        answered.commented(MONA, at(hours=1), "Looking."),
        closed.opened(),
        closed.closed(MONA, at(days=1)),
        (other_event("repository", case.repository, MONA, "deleted"), at(days=9)),
        late.opened(),
        late.labeled(MONA, at(days=9, hours=1), "bug"),
        closed.reopened(MONA, at(days=9, hours=2)),
    )
    found = sorted(case.ask("issues"), key=lambda issue: issue["issue_number"])
    assert [picked(issue, "state", "left_at", "open_hours") for issue in found] == [
        ("deleted", at(days=9), 9 * 24.0),
        ("closed", None, 24.0),
        ("deleted", at(days=9), 9 * 24.0),
    ]
    assert case.ask("open_issues") == []
    assert picked(case.one("time_to_first_response"), "n", "unanswered") == (0, 0)
    assert picked(case.one("time_to_close"), "n", "p50_hours") == (1, 24.0)
    assert case.weeks("opened", "closed", "reopened", "backlog") == {
        date(2026, 1, 5): (3, 1, 0, 2),
        date(2026, 1, 12): (0, 0, 0, 0),
    }


def test_a_restored_repository(case: Case) -> None:
    """An issue that is opened after its repository was restored is open."""
    before, after = case.issue(1), case.issue(2, created_at=at(days=12))
    case.store(
        before.opened(),
        (other_event("repository", case.repository, MONA, "deleted"), at(days=9)),
        after.opened(),
    )
    found = {issue["issue_number"]: issue["state"] for issue in case.ask("issues")}
    assert found == {1: "deleted", 2: "open"}
    assert case.weeks("backlog") == {date(2026, 1, 5): 1, date(2026, 1, 12): 1}


def test_another_repository_of_the_same_name(case: Case) -> None:
    """A repository that takes the name of a deleted one is another one, and a report finds it first."""
    first, second = case.issue(), case.issue(created_at=at(days=3))
    opened = row(second.opened(), f"{case.repository.id}-second", at(days=3)) | {
        "repository_id": case.repository.id + 1
    }
    case.store(first.opened(), (other_event("repository", case.repository, MONA, "deleted"), at(days=2)))
    case.insert(opened)
    rows = case.warehouse.query(
        f"SELECT issue_number FROM ${{DATASET}}.open_issues WHERE repository = '{case.repository.full_name}'",
        case.dataset,
    )
    assert len(rows) == 1
    assert case.ask("open_issues") == []
    names = case.warehouse.query(queries.REPOSITORY_NAMES.sql, case.dataset)
    found = [row["id"] for row in names if row["name"] == case.repository.full_name]
    assert found == [case.repository.id + 1, case.repository.id]
