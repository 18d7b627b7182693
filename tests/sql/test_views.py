"""The numbers of the views, each worked out by hand from a few deliveries."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from ops.send import accounts, payloads
from pipeline.delivery import parse_time
from tests.sql.deliveries import Subject, other_event, row
from tests.support.messages import NOON
from tests.support.warehouse import Warehouse

NOW = NOON + timedelta(days=28)  # two Mondays, at noon
OCTAVIA, MONA, KIM = (accounts.Account(login=login) for login in ("octavia", "mona", "kim"))
BOT = accounts.Account(login="triage", type="Bot")
OLD_BOT = accounts.Account(login="sweeper[bot]")
SUMMARIES = ("issues", "time_to_first_response", "issues_weekly")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test's repository, in a dataset that the tests of this module share."""

    warehouse: Warehouse
    dataset: str
    repository: accounts.Repository

    def issue(self, number: int = 7, **changes: Any) -> Subject:
        """Return an issue of octavia, opened on the first Monday at noon."""
        defaults: dict[str, Any] = {"title": "Export fails", "author": OCTAVIA, "created_at": NOON}
        return Subject(repository=self.repository, number=number, **{**defaults, **changes})

    def store(
        self, *events: payloads.Event, name: str | None = None, receipt: list[int] | None = None
    ) -> None:
        """Deliver the events one after another, or received in the order that `receipt` tells."""
        places = receipt or list(range(len(events)))
        self.insert(
            *(
                self.delivered(event, f"{index}", received_after=place, name=name)
                for index, (event, place) in enumerate(zip(events, places, strict=True))
            )
        )

    def delivered(
        self, event: payloads.Event, delivery_id: str, received_after: float = 0, **options: Any
    ) -> Row:
        """Return the row of a delivery, received a second and `received_after` ms after it happened."""
        at = parse_time(event.payload["issue"]["updated_at"])
        assert at is not None
        received_at = at + timedelta(seconds=1, milliseconds=received_after)
        return row(event, f"{self.repository.full_name}/{delivery_id}", received_at, **options)

    def insert(self, *rows: Row) -> None:
        """Store rows."""
        self.warehouse.insert(self.dataset, list(rows))

    def ask(self, view: str, repository: accounts.Repository | None = None) -> list[Row]:
        """Return the view's rows about the case's repository."""
        of = (repository or self.repository).id
        return self.warehouse.query(
            f"SELECT * FROM `${{DATASET}}.{view}` WHERE repository_id = {of}", self.dataset
        )

    def one(self, view: str = "issues", repository: accounts.Repository | None = None) -> Row:
        """Return the view's only row about the repository."""
        (only,) = self.ask(view, repository)
        return only

    def weeks(self, *columns: str) -> dict[date, Any]:
        """Return the weeks, in order, with one column or a tuple of several."""
        rows = sorted(self.ask("issues_weekly"), key=lambda week: week["week"])
        return {
            week["week"]: tuple(week[name] for name in columns) if len(columns) > 1 else week[columns[0]]
            for week in rows
        }


@pytest.fixture(scope="module")
def dataset(dataset_at: Callable[[datetime], str]) -> str:
    """Give one dataset to all tests, each of which has a repository of its own."""
    return dataset_at(NOW)


@pytest.fixture
def case(warehouse: Warehouse, dataset: str, request: pytest.FixtureRequest) -> Case:
    """Give the test its repository."""
    name = re.sub(r"\W+", "-", request.node.name)
    return Case(
        warehouse=warehouse, dataset=dataset, repository=accounts.Repository(full_name=f"acme/{name}")
    )


def at(*, days: float = 0, hours: float = 0) -> datetime:
    """Return the moment so long after the issue was opened."""
    return NOON + timedelta(days=days, hours=hours)


def picked(row: Row, *names: str) -> tuple[Any, ...]:
    """Return some columns of a row."""
    return tuple(row[name] for name in names)


def test_a_closed_issue(case: Case) -> None:
    """An issue that is answered, labelled, given to somebody and closed shows all that, with its times."""
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
        "author": "octavia",
        "author_type": "User",
        "labels": ["bug"],
        "assignees": ["kim"],
        "opened_at": NOON,
        "first_response_at": at(hours=6),
        "first_closed_at": at(days=2),
        "closed_at": at(days=2),
        "reopen_count": 0,
        "open_hours": 48.0,
        "time_to_first_response_hours": 6.0,
        "time_to_close_hours": 48.0,
        "is_bot_authored": False,
        "left_censored": False,
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


def test_closed_at_that_is_left_on_a_reopened_issue(case: Case) -> None:
    """GitHub's own `reopened` carries state open and a closed_at: the issue is open."""
    issue = case.issue()
    closed, reopened = issue.closed(MONA, at(hours=1)), issue.reopened(MONA, at(hours=2))
    assert reopened.payload["issue"]["closed_at"] == "2026-01-05T13:00:00Z"
    case.store(issue.opened(), closed, reopened, issue.labeled(MONA, at(hours=3), "bug"))
    assert picked(case.one(), "state", "closed_at", "reopen_count") == ("open", None, 1)
    assert case.weeks("backlog")[date(2026, 1, 5)] == 1


def test_closed_reopened_and_closed(case: Case) -> None:
    """Time to close runs to the last close, open_hours leaves the pause out, and both are shown."""
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


def test_reopened_after_months(case: Case) -> None:
    """A reopening undoes a close that held for months: no percentile is left in the first close's week."""
    issue = case.issue(created_at=at(days=-210))
    case.store(
        issue.opened(),
        issue.closed(MONA, at(days=-200)),
        issue.reopened(OCTAVIA, at(days=-4)),
        issue.closed(MONA, at(days=-1)),
    )
    found = case.one()
    assert picked(found, "time_to_close_hours", "open_hours") == (209 * 24.0, 13 * 24.0)
    weeks = case.weeks("opened", "closed", "reopened", "backlog", "p50_hours_to_close")
    assert len(weeks) == 30
    assert weeks[date(2025, 6, 9)] == (1, 0, 0, 1, None)
    assert weeks[date(2025, 6, 16)] == (0, 1, 0, 0, None)
    assert weeks[date(2025, 9, 1)] == (0, 0, 0, 0, None)
    assert weeks[date(2025, 12, 29)] == (0, 1, 1, 0, 5016.0)


def test_an_issue_that_moves(case: Case) -> None:
    """A transferred issue leaves one backlog and enters the other, then and with the age that it has."""
    other = accounts.Repository(full_name=case.repository.full_name + "-other")
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


def test_hours_since_an_issue_came(case: Case) -> None:
    """An old issue that came by a transfer was quiet since it came, and not since it was opened."""
    elsewhere = accounts.Repository(full_name=case.repository.full_name + "-other")
    issue = Subject(
        repository=elsewhere, number=1, title="Old", author=OCTAVIA, created_at=at(days=-1000)
    )  # fmt: skip
    _, arrives, _ = issue.moved(MONA, at(days=27), case.repository, 7)
    case.store(arrives)
    assert picked(case.one("open_issues"), "age_hours", "hours_since_last_event") == (1028 * 24.0, 24.0)
    assert case.weeks("opened", "backlog") == {date(2026, 1, 26): (1, 1)}


def test_a_closed_issue_that_moves(case: Case) -> None:
    """An issue that moves while it is closed leaves no backlog and enters none."""
    other = accounts.Repository(full_name=case.repository.full_name + "-other")
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
    """A deleted issue is gone for good: what arrives after it counts nowhere, and no percentile holds it."""
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


def test_a_deletion_that_keeps_the_time(case: Case) -> None:
    """A deletion in the same second as the last event, and received before it, is still the last word."""
    issue = case.issue()
    opened, closed = issue.opened(), issue.closed(MONA, at(hours=4))
    case.store(opened, closed, issue.changed("deleted", MONA, at(hours=4)), receipt=[0, 2, 1])
    assert picked(case.one(), "state", "closed_at", "open_hours") == ("deleted", at(hours=4), 4.0)


def test_bots_and_authors_do_not_respond(case: Case) -> None:
    """Comments of bots, by type or by login, and of the author are no response; the first of others is."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.commented(BOT, at(hours=1), "Thanks!"),
        issue.commented(OLD_BOT, at(hours=2), "Stale?"),
        issue.commented(OCTAVIA, at(hours=3), "No."),
        issue.commented(MONA, at(hours=25), "Looking."),
        issue.commented(KIM, at(hours=26), "Me too."),
    )
    assert picked(case.one(), "first_response_at", "time_to_first_response_hours") == (at(hours=25), 25.0)
    assert picked(
        case.one("time_to_first_response"), "n", "answered_within_24h", "answered_within_72h", "unanswered"
    ) == (1, 0, 1, 0)


def test_an_issue_without_a_response(case: Case) -> None:
    """An open issue with comments by bots and its author only is counted as unanswered, not dropped."""
    issue = case.issue()
    case.store(issue.opened(), issue.commented(BOT, at(hours=1), "Thanks!"))
    assert case.one("time_to_first_response") == {
        "repository_id": case.repository.id,
        "repository": case.repository.full_name,
        "n": 0,
        "p50_hours": None,
        "p90_hours": None,
        "answered_within_24h": 0,
        "answered_within_72h": 0,
        "unanswered": 1,
    }
    assert case.one("open_issues")["answered"] is False


def test_closed_without_a_response(case: Case) -> None:
    """A closed issue that nobody answered is neither answered nor unanswered: nobody waits any more."""
    issue = case.issue()
    case.store(issue.opened(), issue.closed(MONA, at(hours=1)))
    assert picked(case.one("time_to_first_response"), "n", "unanswered") == (0, 0)


def test_issues_of_bots(case: Case) -> None:
    """An issue is a bot's by the account's type or by its login, and a ghost's is not."""
    authors = [BOT, OLD_BOT, OCTAVIA, None]
    issues = [case.issue(number, author=author) for number, author in enumerate(authors)]
    case.store(*(issue.opened() for issue in issues))
    found = {row["issue_number"]: row["is_bot_authored"] for row in case.ask("issues")}
    assert found == {0: True, 1: True, 2: False, 3: False}


def test_a_ghost_s_issue(case: Case) -> None:
    """On a deleted account's issue, a deleted account's comment may be its own; a person's is a response."""
    issue = case.issue(author=None)
    case.store(
        issue.opened(), issue.commented(None, at(hours=1), "?"), issue.commented(MONA, at(hours=2), "!")
    )
    assert picked(case.one(), "author", "author_type", "first_response_at") == (None, None, at(hours=2))


def test_a_ghost_s_comment(case: Case) -> None:
    """A comment by a deleted account on somebody's issue is a response by somebody else."""
    issue = case.issue()
    case.store(issue.opened(), issue.commented(None, at(hours=1), "Try this."))
    assert case.one()["first_response_at"] == at(hours=1)


def test_an_author_who_leaves(case: Case) -> None:
    """When the author's account is deleted later, the author's comments do not become responses."""
    issue = case.issue()
    events = [issue.opened(), issue.commented(OCTAVIA, at(hours=1), "Also in 2.4.")]
    issue.author = None
    case.store(*events, issue.labeled(MONA, at(hours=2), "bug"))
    assert picked(case.one(), "author", "first_response_at") == (None, None)


def test_comments_that_change(case: Case) -> None:
    """An edit or a deletion is no new comment, and does not take the response back."""
    issue = case.issue()
    opened, answer = issue.opened(), issue.commented(MONA, at(hours=1), "Looking.")
    case.store(
        opened,
        answer,
        issue.comment_changed("edited", answer, MONA, at(hours=2)),
        issue.comment_changed("deleted", answer, MONA, at(hours=3)),
    )
    assert picked(case.one(), "state", "first_response_at") == ("open", at(hours=1))


def test_a_comment_that_is_known_by_its_edit(case: Case) -> None:
    """A response whose own delivery is missing is dated by its edit's created_at."""
    issue = case.issue()
    opened, answer = issue.opened(), issue.commented(MONA, at(hours=1), "Looking.")
    case.store(opened, issue.comment_changed("edited", answer, MONA, at(hours=9)))
    assert case.one()["first_response_at"] == at(hours=1)


def test_pull_requests_count_nowhere(case: Case) -> None:
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


def test_first_seen_open(case: Case) -> None:
    """An issue that is known through a later event only counts from created_at, and says so."""
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


def test_first_seen_reopened(case: Case) -> None:
    """What was reopened was closed before, also when no delivery tells when: the rate is never over one."""
    issue = case.issue()
    issue.closed(MONA, at(days=2))
    issue.closed_at = None
    case.store(issue.reopened(MONA, at(days=3)))
    assert picked(case.one(), "state", "first_closed_at", "reopen_count") == ("open", None, 1)
    assert picked(case.one("reopen_rate"), "closed_issues", "reopened_issues", "rate") == (1, 1, 1.0)


def test_lost_deliveries(case: Case) -> None:
    """A close and a reopening whose deliveries are lost are seen in the next event."""
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


def test_order_and_repetition_do_not_matter(case: Case) -> None:
    """Deliveries that arrive backwards, each three times, give the numbers of those that arrive in order."""
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


def test_a_renamed_repository(case: Case) -> None:
    """A repository keeps its issues when it is renamed, and is shown by its last name everywhere."""
    first, second = case.issue(1), case.issue(2)
    case.insert(
        case.delivered(first.opened(), "1"),
        case.delivered(second.commented(MONA, at(days=2), "Hi."), "3", name="acme/new"),
        case.delivered(second.labeled(MONA, at(days=1), "bug"), "2", received_after=9e8),
    )
    assert {row["repository"] for view in SUMMARIES for row in case.ask(view)} == {"acme/new"}
    assert picked(case.one("time_to_first_response"), "n", "unanswered") == (1, 1)


def test_two_repositories_with_the_same_number(case: Case) -> None:
    """Number 7 here and number 7 there are two issues."""
    other = accounts.Repository(full_name=case.repository.full_name + "-other")
    here = case.issue()
    there = Subject(repository=other, number=7, title="Theirs", author=MONA, created_at=at(hours=1))
    case.store(here.opened(), there.opened(), there.closed(MONA, at(hours=2)))
    assert picked(case.one(), "title", "state") == ("Export fails", "open")
    assert picked(case.one("issues", other), "title", "state") == ("Theirs", "closed")
    assert case.one("time_to_close")["n"] == 0
    assert case.one("time_to_close", other)["n"] == 1


def test_weeks_without_events(case: Case) -> None:
    """Every week between a repository's first and last event exists; a quiet one keeps its backlog."""
    first, second = case.issue(1), case.issue(2, created_at=at(days=20))
    case.store(first.opened(), second.opened(), second.closed(MONA, at(days=20, hours=6)))
    columns = ("opened", "closed", "reopened", "backlog", "p50_hours_to_close", "p50_hours_to_first_response")
    assert case.weeks(*columns) == {
        date(2026, 1, 5): (1, 0, 0, 1, None, None),
        date(2026, 1, 12): (0, 0, 0, 1, None, None),
        date(2026, 1, 19): (1, 1, 0, 1, 6.0, None),
    }


def test_a_week_ends_on_sunday(case: Case) -> None:
    """The last second of Sunday, in UTC, is this week; the next one is Monday of the next."""
    issue = case.issue()
    midnight = datetime(2026, 1, 12, tzinfo=NOON.tzinfo)
    case.store(
        issue.opened(),
        issue.closed(MONA, midnight - timedelta(seconds=1)),
        issue.reopened(MONA, midnight),
    )
    assert case.weeks("closed", "reopened", "backlog") == {
        date(2026, 1, 5): (1, 0, 0),
        date(2026, 1, 12): (0, 1, 1),
    }


def test_a_lost_reopening_that_a_deletion_shows(case: Case) -> None:
    """A reopening that only a comment's deletion shows is dated by the deletion, not by the old comment."""
    issue = case.issue()
    opened, comment = issue.opened(), issue.commented(MONA, at(hours=1), "Hm.")
    closed = issue.closed(MONA, at(hours=10))
    issue.reopened(OCTAVIA, at(hours=20))
    deletion = issue.comment_changed("deleted", comment, MONA, at(hours=30))
    case.store(opened, comment, closed, deletion, issue.closed(MONA, at(hours=35)))
    assert picked(case.one(), "state", "open_hours", "time_to_close_hours") == ("closed", 15.0, 35.0)


def test_a_close_that_shows_the_issue_open(case: Case) -> None:
    """`closed` closes, also when its payload was made after the issue had been opened again."""
    issue = case.issue()
    opened, closed = issue.opened(), issue.closed(MONA, at(hours=2))
    closed.payload["issue"]["state"] = "open"
    case.store(opened, closed, issue.reopened(MONA, at(hours=3)))
    found = case.one()
    assert picked(found, "state", "reopen_count", "first_closed_at") == ("open", 1, at(hours=2))
    assert found["open_hours"] == 2 + (28 * 24 - 3)


@pytest.mark.parametrize("receipt", [[0, 1], [1, 0]], ids=["in order", "reversed"])
def test_opened_and_labelled_in_a_second(case: Case, receipt: list[int]) -> None:
    """A label of the opening's second shows, in whatever order the two arrive."""
    issue = case.issue()
    case.store(issue.opened(), issue.labeled(OCTAVIA, NOON, "bug"), receipt=receipt)
    assert picked(case.one(), "labels", "left_censored") == (["bug"], False)


@pytest.mark.parametrize("receipt", [[0, 1], [1, 0]], ids=["in order", "reversed"])
def test_opened_and_closed_in_a_second(case: Case, receipt: list[int]) -> None:
    """An issue that is closed in the second it is opened in is closed, in whatever order that arrives."""
    issue = case.issue()
    case.store(issue.opened(), issue.closed(MONA, NOON), receipt=receipt)
    assert picked(case.one(), "state", "closed_at", "open_hours") == ("closed", NOON, 0.0)
    assert case.weeks("opened", "closed", "backlog") == {date(2026, 1, 5): (1, 1, 0)}


@pytest.mark.parametrize("receipt", [[0, 1, 2], [0, 2, 1]], ids=["comment first", "close first"])
def test_closed_with_a_comment(case: Case, receipt: list[int]) -> None:
    """A comment in the second of the close, which still shows the issue open, does not open it again."""
    issue = case.issue()
    opened, comment = issue.opened(), issue.commented(MONA, at(hours=2), "Fixed.")
    assert comment.payload["issue"]["state"] == "open"
    case.store(opened, comment, issue.closed(MONA, at(hours=2)), receipt=receipt)
    found = case.one()
    assert picked(found, "state", "state_reason", "closed_at") == ("closed", "completed", at(hours=2))
    assert picked(found, "open_hours", "first_response_at", "reopen_count") == (2.0, at(hours=2), 0)


@pytest.mark.parametrize(
    ("receipt", "state", "open_hours"),
    [([0, 1, 2], "open", 28 * 24.0), ([0, 2, 1], "closed", 2.0)],
    ids=["closed first", "reopened first"],
)
def test_closed_and_reopened_in_a_second(
    case: Case, receipt: list[int], state: str, open_hours: float
) -> None:
    """Of a close and a reopening in one second, the one that was received later decides."""
    issue = case.issue()
    case.store(
        issue.opened(), issue.closed(MONA, at(hours=2)), issue.reopened(MONA, at(hours=2)), receipt=receipt
    )
    assert picked(case.one(), "state", "open_hours", "reopen_count") == (state, open_hours, 1)


def test_percentiles_are_continuous(case: Case) -> None:
    """p50 and p90 lie between neighbours, in proportion: of 10, 20, 30 and 100 hours, 25 and 79."""
    events = []
    for number, hours in enumerate((10, 100, 20, 30)):
        issue = case.issue(number)
        events += [
            issue.opened(),
            issue.commented(MONA, at(hours=hours), "Yes."),
            issue.closed(MONA, at(hours=hours)),
        ]
    case.store(*events, case.issue(9).opened())
    close, response = case.one("time_to_close"), case.one("time_to_first_response")
    assert picked(close, "n", "p50_hours", "p90_hours") == (4, 25.0, pytest.approx(79))
    assert picked(response, "n", "p50_hours", "p90_hours") == (4, 25.0, pytest.approx(79))
    assert picked(response, "answered_within_24h", "answered_within_72h", "unanswered") == (2, 3, 1)
    assert picked(case.one("reopen_rate"), "closed_issues", "reopened_issues", "rate") == (4, 0, 0.0)
    weeks = case.weeks("p50_hours_to_close", "p90_hours_to_close", "p50_hours_to_first_response")
    assert weeks == {date(2026, 1, 5): (25.0, pytest.approx(79), 25.0)}


def test_exactly_a_day(case: Case) -> None:
    """A response after exactly 24 hours is within 24 hours, one a second later is not."""
    first, second = case.issue(1), case.issue(2)
    case.store(
        first.opened(),
        second.opened(),
        first.commented(MONA, at(hours=24), "Hi."),
        second.commented(MONA, at(hours=24) + timedelta(seconds=1), "Hi."),
    )
    assert picked(case.one("time_to_first_response"), "n", "answered_within_24h") == (2, 1)


def test_open_issues(case: Case) -> None:
    """The open issues have their age, whether they are answered, and how long they have been quiet."""
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


def test_the_pipeline_s_delay(case: Case) -> None:
    """The delay runs from the event to its row, by the event's day, over the webhook's deliveries alone."""
    then = NOON - timedelta(days=2000)  # days on which no other test has events

    def after(seconds: float) -> datetime:
        return then + timedelta(seconds=seconds)

    def opened(number: int) -> payloads.Event:
        return case.issue(number, created_at=then).opened()

    comment = case.issue(9, is_pull_request=True, created_at=then).commented(MONA, after(60), "Nice.")
    labeled = case.issue(6, created_at=then).labeled(MONA, after(86_400), "bug")
    case.insert(
        case.delivered(opened(1), "1", inserted_at=after(2)),
        case.delivered(opened(1), "1", received_after=9000, inserted_at=after(500_000)),
        case.delivered(opened(2), "2", inserted_at=after(4)),
        case.delivered(comment, "3", inserted_at=after(72.5)),
        case.delivered(opened(3), "4", inserted_at=after(300_000), source="backfill"),
        case.delivered(opened(4), "5", inserted_at=after(300_000), source="reconcile"),
        case.delivered(opened(5), "6", inserted_at=after(300_000), source="replay"),
        case.delivered(labeled, "7", inserted_at=after(86_401.1)),
    )
    rows = case.warehouse.query(
        "SELECT * FROM `${DATASET}.pipeline_delay` WHERE day < '2021-01-01' ORDER BY day", case.dataset
    )
    assert [tuple(row.values()) for row in rows] == [
        (date(2020, 7, 15), 3, 4.0, pytest.approx(11.65), 12.5),
        (date(2020, 7, 16), 1, 1.1, 1.1, 1.1),
    ]
