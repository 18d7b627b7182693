"""Deliveries that once gave wrong numbers, each with its right value in the views."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.stream_bq.row import to_row
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.sql.cases import dataset_at
from tests.support.warehouse import Warehouse

DATA = Path(__file__).parent / "data"
RECEIVED = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
NOW = RECEIVED + timedelta(hours=1)
VIEWS = (
    "issue_events", "issue_history", "issue_timelines", "issues", "issues_weekly", "open_issues",
    "reopen_rate", "time_to_close", "time_to_first_response",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The rows of one case, all received at RECEIVED."""

    warehouse: Warehouse
    dataset: str

    def rows(self, columns: str, source: str) -> list[tuple[Any, ...]]:
        """Return these columns of a view, in the order of the first two."""
        sql = f"SELECT {columns} FROM ${{DATASET}}.{source}"
        return sorted(
            (tuple(row.values()) for row in self.warehouse.query(sql, self.dataset)), key=lambda row: row[:2]
        )


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a dataset that the cases use one after another."""
    return dataset_at(NOW, warehouse, tmp_path_factory.mktemp("sql"), VIEWS)


@pytest.fixture
def case(warehouse: Warehouse, dataset: str, request: pytest.FixtureRequest) -> Case:
    """Store only the deliveries that the test's name names, as stream_bq stores them."""
    warehouse.query("DELETE FROM ${DATASET}.events WHERE TRUE", dataset)
    name = request.node.name.removeprefix("test_").replace("_", "-")
    rows = []
    for number, step in enumerate(json.loads((DATA / f"{name}.json").read_text())):
        delivery = Delivery(
            delivery_id=f"{name}-{number}",
            event=step["event"],
            body=json.dumps(step["payload"]).encode(),
            received_at=RECEIVED,
        )
        rows.append(to_row(IssueEvent.from_delivery(delivery), RECEIVED, store_payload=True).columns)
    warehouse.insert(dataset, rows)
    return Case(warehouse=warehouse, dataset=dataset)


def test_left_at_is_last_change(case: Case) -> None:
    """A deletion happens when it is received: the issue is in the backlog of every week until then."""
    [(state, left_at, open_hours)] = case.rows("state, left_at, open_hours", "issues")
    opened_at = datetime(2026, 9, 1, 9, tzinfo=UTC)
    assert (state, left_at) == ("deleted", RECEIVED)
    assert open_hours == (RECEIVED - opened_at) / timedelta(hours=1)
    assert [backlog for _, backlog in case.rows("week, backlog", "issues_weekly")] == [1] * 12 + [0]


def test_first_response_of_an_old_issue(case: Case) -> None:
    """The first comment that is seen of an old issue with 14 comments is not its first response."""
    columns = "n, p50_hours, unanswered, unknown"
    assert case.rows(columns, "time_to_first_response") == [(0, None, 0, 1)]
    assert case.rows("time_to_first_response_hours, response_unknown", "issues") == [(None, True)]


def test_first_response_of_a_moved_issue(case: Case) -> None:
    """An issue that was answered before it moved is neither unanswered nor answered after 35 days."""
    columns = "repository, n, unanswered, unknown"
    assert case.rows(columns, "time_to_first_response") == [("acme/from", 0, 0, 0), ("acme/to", 0, 0, 1)]
    assert case.rows("repository, time_to_first_response_hours", "issues WHERE state = 'open'") == [
        ("acme/to", None)
    ]


def test_reason_changed_counts_two_closes(case: Case) -> None:
    """`closed` of another reason is no second close."""
    assert case.rows("SUM(opened), SUM(closed), SUM(reopened)", "issues_weekly") == [(1, 1, 0)]
    assert case.rows("state_reason, open_hours, time_to_close_hours", "issues") == [("duplicate", 24.0, 24.0)]


def test_closed_twice_in_one_second(case: Case) -> None:
    """A pull request and its commit close an issue once."""
    assert case.rows("SUM(closed)", "issues_weekly") == [(1,)]


def test_deleted_repository_stays_in_the_backlog(case: Case) -> None:
    """The issues of a deleted repository are not open; those of a new one of the same name are."""
    assert case.rows("repository_id, repository", "open_issues") == [(3008, "acme/phoenix")]
    assert case.rows("repository_id, state, left_at", "issues") == [
        (3007, "deleted", RECEIVED),
        (3008, "open", None),
    ]
    assert case.rows("repository_id, unanswered", "time_to_first_response") == [(3007, 0), (3008, 1)]
    weeks = case.rows("week, repository_id, backlog", "issues_weekly")
    assert [backlog for _, repository_id, backlog in weeks if repository_id == 3007] == [1, 1, 1, 0]


def test_renamed_repository_leaves_a_stale_card(case: Case) -> None:
    """A renamed repository is one repository, shown by its last name."""
    for view in ("time_to_close", "time_to_first_response", "reopen_rate"):
        assert case.rows("repository_id, repository", view) == [(1001, "acme/app2")]


def test_transfer_arrival_called_new(case: Case) -> None:
    """An issue that comes by a transfer is opened in the week of its arrival, and keeps its age."""
    assert case.rows("issue_number, state, left_censored, response_unknown", "issues") == [
        (2, "open", False, True),
        (3, "closed", False, False),
    ]
    columns = "SUM(opened), MAX(opened), SUM(closed), MAX(backlog)"
    assert case.rows(columns, "issues_weekly") == [(2, 2, 0, 1)]


def test_comment_count(case: Case) -> None:
    """The first comment is the first response, and stays it, although its event counts none yet."""
    assert case.rows("time_to_first_response_hours * 60, response_unknown", "issues") == [(1.0, False)]
    assert case.rows("action, event_at", "issue_events WHERE action = 'deleted'") == [("deleted", RECEIVED)]
