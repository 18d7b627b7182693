"""The view issues has one row per issue, with its state and its times."""

from datetime import date

from tests.sql.cases import BOT, KIM, MONA, OCTAVIA, OLD_BOT, SUMMARIES, Case, at, picked
from tests.sql.deliveries import Subject, other_event, row
from tests.support.messages import NOON


def test_a_closed_issue(case: Case) -> None:
    """An issue that is answered, labelled, assigned and closed has all columns, with its times."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.labeled(MONA, at(hours=1), "bug"),
        issue.assigned(MONA, at(hours=2), KIM),
        issue.commented(MONA, at(hours=6), "Looking."),
        issue.commented(KIM, at(hours=9), "Found it."),
        issue.closed(KIM, at(days=2)),
    )
    found = case.one()
    for name in ("history", "milestone", "last_event_at", "entered_at", "left_at"):
        del found[name]
    assert found == {
        "repository_id": case.repository.id,
        "repository": case.repository.full_name,
        "issue_number": 7,
        "title": "Export fails",
        "url": issue.html_url,
        "state": "closed",
        "state_reason": "completed",
        "close_reason": "completed",
        "author": "octavia",
        "author_type": "User",
        "labels": ["bug"],
        "assignees": ["kim"],
        "opened_at": NOON,
        "first_response_at": at(hours=6),
        "first_team_response_at": at(hours=6),
        "first_closed_at": at(days=2),
        "closed_at": at(days=2),
        "reopen_count": 0,
        "open_hours": 48.0,
        "time_to_first_response_hours": 6.0,
        "time_to_close_hours": 48.0,
        "closed_unanswered": False,
        "waiting_on_us": False,
        "waiting_since": None,
        "is_bot_authored": False,
        "left_censored": False,
        "response_unknown": False,
    }


def test_a_reopened_issue(case: Case) -> None:
    """A reopened issue is open: it has no closed_at and no time to close, and counts as reopened."""
    issue = case.issue()
    case.store(issue.opened(), issue.closed(MONA, at(hours=10)), issue.reopened(OCTAVIA, at(hours=30)))
    found = case.one()
    assert picked(found, "state", "closed_at", "time_to_close_hours") == ("open", None, None)
    assert picked(found, "first_closed_at", "reopen_count", "state_reason") == (at(hours=10), 1, "reopened")
    assert found["open_hours"] == 10 + (28 * 24 - 30)
    assert picked(case.one("time_to_close"), "n", "p50_hours") == (0, None)
    assert picked(case.one("reopen_rate"), "closed_issues", "reopened_issues", "rate") == (1, 1, 1.0)


def test_a_reopened_issue_that_keeps_its_closed_at(case: Case) -> None:
    """GitHub's own `reopened` example has state open and a closed_at: the issue is open."""
    issue = case.issue()
    closed, reopened = issue.closed(MONA, at(hours=1)), issue.reopened(MONA, at(hours=2))
    assert reopened.payload["issue"]["closed_at"] == "2026-01-05T13:00:00Z"
    case.store(issue.opened(), closed, reopened, issue.labeled(MONA, at(hours=3), "bug"))
    assert picked(case.one(), "state", "closed_at", "reopen_count") == ("open", None, 1)
    assert case.weeks("backlog")[date(2026, 1, 5)] == 1


def test_closed_reopened_and_closed_again(case: Case) -> None:
    """Time to close runs to the last close, and open_hours leaves out the time closed in between."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.closed(MONA, at(hours=10)),
        issue.reopened(OCTAVIA, at(hours=30)),
        issue.closed(MONA, at(hours=35), "not_planned"),
    )
    found = case.one()
    assert picked(found, "state", "state_reason") == ("closed", "not_planned")
    assert picked(found, "first_closed_at", "closed_at") == (at(hours=10), at(hours=35))
    assert picked(found, "time_to_close_hours", "open_hours", "reopen_count") == (35.0, 15.0, 1)
    assert case.weeks("opened", "closed", "reopened", "backlog") == {date(2026, 1, 5): (1, 2, 1, 0)}


def test_issues_of_bots(case: Case) -> None:
    """An issue is bot-authored by its author's type or login; an issue of a deleted account is not."""
    authors = [BOT, OLD_BOT, OCTAVIA, None]
    issues = [case.issue(number, author=author) for number, author in enumerate(authors)]
    case.store(*(issue.opened() for issue in issues))
    found = {row["issue_number"]: row["is_bot_authored"] for row in case.ask("issues")}
    assert found == {0: True, 1: True, 2: False, 3: False}


def test_first_seen_open(case: Case) -> None:
    """An issue known only through a later event counts from created_at, and is left_censored."""
    issue = case.issue()
    case.store(issue.labeled(MONA, at(days=15), "bug"))
    assert picked(case.one(), "state", "opened_at", "left_censored") == ("open", NOON, True)
    assert case.one()["open_hours"] == 28 * 24.0
    assert case.weeks("opened", "backlog") == {
        date(2026, 1, 5): (1, 1),
        date(2026, 1, 12): (0, 1),
        date(2026, 1, 19): (0, 1),
    }


def test_first_seen_closed(case: Case) -> None:
    """An issue first seen after its close has that close's time, and leaves the backlog then."""
    issue = case.issue()
    issue.closed(MONA, at(days=2))
    case.store(issue.commented(MONA, at(days=15), "Still there?"))
    found = case.one()
    assert picked(found, "state", "closed_at", "first_closed_at") == ("closed", at(days=2), at(days=2))
    assert picked(found, "open_hours", "time_to_close_hours", "left_censored") == (48.0, 48.0, True)
    assert case.weeks("opened", "closed", "backlog", "p50_hours_to_close") == {
        date(2026, 1, 5): (1, 0, 0, 48.0),
        date(2026, 1, 12): (0, 0, 0, None),
        date(2026, 1, 19): (0, 0, 0, None),
    }


def test_lost_deliveries(case: Case) -> None:
    """A close and a reopening whose deliveries are lost are taken from the next event."""
    issue = case.issue()
    opened = issue.opened()
    issue.closed(MONA, at(hours=10))
    labeled = issue.labeled(MONA, at(hours=20), "bug")
    issue.reopened(MONA, at(hours=25))
    commented = issue.commented(MONA, at(hours=30), "Open again.")
    case.store(opened, labeled, commented)
    found = case.one()
    assert picked(found, "state", "first_closed_at", "reopen_count") == ("open", at(hours=10), 0)
    assert found["open_hours"] == 10 + (28 * 24 - 30)
    assert [picked(turn, "what", "change") for turn in found["history"]] == [
        ("opened", 1),
        ("seen", -1),
        ("seen", 1),
    ]


def test_a_renamed_repository(case: Case) -> None:
    """A renamed repository keeps its issues, and every view shows its last name."""
    first, second = case.issue(1), case.issue(2, comments=1)
    case.insert(
        case.delivered(first.opened(), "1"),
        case.delivered(second.commented(MONA, at(days=2), "Hi."), "3", name="acme/new"),
        case.delivered(second.labeled(MONA, at(days=1), "bug"), "2", received_after=9e8),
    )
    assert {row["repository"] for view in SUMMARIES for row in case.ask(view)} == {"acme/new"}
    assert picked(case.one("time_to_first_response"), "unanswered", "unknown") == (1, 1)


def test_a_repository_renamed_after_its_last_issue(case: Case) -> None:
    """A `repository` event names the repository as well: the last event does, whatever it is about."""
    event = other_event("repository", case.repository, MONA, "renamed")
    renamed = row(event, f"{case.repository.id}-r", at(days=3), name="acme/newest")
    case.store(case.issue().opened())
    case.insert(renamed)
    assert {row["repository"] for view in SUMMARIES for row in case.ask(view)} == {"acme/newest"}


def test_two_repositories_with_the_same_number(case: Case) -> None:
    """Issues of the same number in two repositories are two issues."""
    other = case.other
    here = case.issue()
    there = Subject(repository=other, number=7, title="Theirs", author=MONA, created_at=at(hours=1))
    case.store(here.opened(), there.opened(), there.closed(MONA, at(hours=2)))
    assert picked(case.one(), "title", "state") == ("Export fails", "open")
    assert picked(case.one("issues", other), "title", "state") == ("Theirs", "closed")
    assert case.one("time_to_close")["n"] == 0
    assert case.one("time_to_close", other)["n"] == 1


def test_pull_requests_are_left_out(case: Case) -> None:
    """A comment on a pull request is in issue_events and in no view about issues."""
    pull = case.issue(is_pull_request=True)
    case.store(pull.commented(MONA, at(hours=1), "Nice."))
    assert len(case.ask("issue_events")) == 1
    assert [case.ask(view) for view in SUMMARIES] == [[]] * 3


def test_events_about_no_issue(case: Case) -> None:
    """Pushes and stars are in issue_events, and change no number about issues."""
    issue = case.issue()
    case.store(issue.opened())
    before = [case.ask(view) for view in SUMMARIES]
    case.insert(
        row(other_event("push", case.repository, MONA), f"{case.repository.full_name}-p", at(days=20)),
        row(other_event("star", case.repository, MONA), f"{case.repository.full_name}-s", at(days=-20)),
    )
    assert len(case.ask("issue_events")) == 3
    assert [case.ask(view) for view in SUMMARIES] == before
