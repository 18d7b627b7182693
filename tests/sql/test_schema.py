"""sql/: the table is the contract's, and the view shows every delivery once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.stream_bq.row import to_row
from ops import schema
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.messages import NOON
from tests.support.warehouse import COLUMNS, PROJECT, Warehouse

TYPES = {"INTEGER": "INT64", "BOOLEAN": "BOOL"}


def a_row(**columns: Any) -> dict[str, Any]:
    """Return the row of a delivery that is about no issue, with some columns replaced."""
    delivery = Delivery(delivery_id="d-1", event="push", body=b"{}", received_at=NOON)
    row = to_row(IssueEvent.from_delivery(delivery), NOON, store_payload=True)
    return row.columns | columns


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Give one applied dataset to the tests that only look."""
    return warehouse.dataset()


def test_the_table_has_the_contract_s_columns(warehouse: Warehouse, dataset: str) -> None:
    """The applied table has exactly the contract's columns, in its order, with its types and modes."""
    table = warehouse.client.get_table(f"{PROJECT}.{dataset}.events")
    found = {
        field.name: TYPES.get(field.field_type, field.field_type)
        + ("" if field.mode == "NULLABLE" else f" {field.mode}")
        for field in table.schema
    }
    assert found == COLUMNS
    assert list(found) == list(COLUMNS)


def test_the_table_is_partitioned_and_clustered(warehouse: Warehouse, dataset: str) -> None:
    """A query for some days and one repository reads only those: partitions by day of event_at, clusters."""
    table = warehouse.client.get_table(f"{PROJECT}.{dataset}.events")
    assert table.time_partitioning is not None
    assert (table.time_partitioning.type_, table.time_partitioning.field) == ("DAY", "event_at")
    assert table.clustering_fields == ["repository", "issue_number"]


def test_a_row_has_the_table_s_columns() -> None:
    """What stream_bq sends and what the table has are the same names."""
    assert set(a_row()) == set(COLUMNS)


def test_the_view_shows_each_delivery_once(warehouse: Warehouse) -> None:
    """issue_events has one row per delivery, the copy that was received first, with all columns."""
    dataset = warehouse.dataset()

    def later(seconds: float) -> str:
        return (NOON + timedelta(seconds=seconds)).isoformat()

    warehouse.insert(
        dataset,
        [
            a_row(delivery_id="a", received_at=later(9), sender="third"),
            a_row(delivery_id="a", received_at=later(1), sender="first"),
            a_row(delivery_id="a", received_at=later(5), sender="second"),
            a_row(delivery_id="b", received_at=later(3), inserted_at=later(8), sender="stored later"),
            a_row(delivery_id="b", received_at=later(3), inserted_at=later(4), sender="stored first"),
            a_row(delivery_id="c", received_at=later(2), inserted_at=later(3), sender="twin"),
            a_row(delivery_id="c", received_at=later(2), inserted_at=later(3), sender="twin"),
            a_row(delivery_id="d", sender="alone"),
        ],
    )
    rows = warehouse.query("SELECT * FROM `${DATASET}.issue_events` ORDER BY delivery_id", dataset)
    assert [(row["delivery_id"], row["sender"]) for row in rows] == [
        ("a", "first"),
        ("b", "stored first"),
        ("c", "twin"),
        ("d", "alone"),
    ]
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["received_at"] == datetime(2026, 1, 5, 12, 0, 1, tzinfo=UTC)


def test_a_new_column_reaches_a_table_with_rows(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column added to events.sql reaches an existing table, keeps its rows, and shows in the view."""
    dataset = warehouse.dataset()
    warehouse.insert(dataset, [a_row(delivery_id="old")])
    copy = tmp_path / "sql"
    (copy / "views").mkdir(parents=True)
    for path in schema.files():
        (copy / path.relative_to(schema.SQL)).write_text(path.read_text())
    with (copy / "events.sql").open("a") as file:
        file.write("\nALTER TABLE `${DATASET}.events` ADD COLUMN IF NOT EXISTS mood STRING;\n")
    monkeypatch.setattr(schema, "SQL", copy)
    for _ in range(2):
        list(schema.apply(warehouse.client, dataset))
    warehouse.insert(dataset, [a_row(delivery_id="new", mood="calm")])
    rows = warehouse.query(
        "SELECT delivery_id, mood FROM `${DATASET}.issue_events` ORDER BY delivery_id DESC", dataset
    )
    assert rows == [{"delivery_id": "old", "mood": None}, {"delivery_id": "new", "mood": "calm"}]


def test_statements_may_hold_json_paths_and_semicolons(tmp_path: Path) -> None:
    """Only ${DATASET} is replaced, and only a semicolon at a line's end closes a statement."""
    path = tmp_path / "view.sql"
    path.write_text(
        "SELECT JSON_VALUE(payload, '$.issue.title'), ';'\nFROM `${DATASET}.events`; \n\nSELECT 1;\n"
    )
    assert schema.statements(path, "github") == [
        "SELECT JSON_VALUE(payload, '$.issue.title'), ';'\nFROM `github.events`",
        "SELECT 1",
    ]


def test_the_table_comes_before_the_views() -> None:
    """Every file of sql/ is applied, the tables first: a view reads what must exist."""
    names = [str(path.relative_to(schema.SQL)) for path in schema.files()]
    assert names[0] == "events.sql"
    assert sorted(names) == sorted(str(path.relative_to(schema.SQL)) for path in schema.SQL.rglob("*.sql"))
