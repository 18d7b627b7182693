"""The view open_issues has one row per open issue."""

from tests.sql.cases import KIM, MONA, Case, at, picked


def test_open_issues(case: Case) -> None:
    """An open issue has its age, whether it is answered, and the hours since its last event."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.labeled(MONA, at(hours=1), "bug"),
        issue.assigned(MONA, at(hours=2), KIM),
        issue.commented(KIM, at(days=26), "Soon."),
        case.issue(8).opened(),
    )
    (found,) = (row for row in case.ask("open_issues") if row["issue_number"] == 7)
    assert picked(found, "title", "url", "labels", "assignees") == (
        "Export fails",
        issue.html_url,
        ["bug"],
        ["kim"],
    )
    assert picked(found, "age_hours", "answered", "hours_since_last_event") == (28 * 24.0, True, 48.0)
