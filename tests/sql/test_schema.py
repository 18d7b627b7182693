"""The table has the columns of the contract, and new columns reach existing tables."""

import re
from pathlib import Path

import pytest

from ops import schema
from tests.sql.deliveries import a_row
from tests.support.warehouse import COLUMNS, PROJECT, Warehouse

TYPES = {"INTEGER": "INT64", "BOOLEAN": "BOOL"}


def test_the_table_has_the_columns_of_the_contract(warehouse: Warehouse, dataset: str) -> None:
    """The table has exactly the columns of the contract, in its order, with its types and modes."""
    table = warehouse.client.get_table(f"{PROJECT}.{dataset}.events")
    found = {
        field.name: TYPES.get(field.field_type, field.field_type)
        + ("" if field.mode == "NULLABLE" else f" {field.mode}")
        for field in table.schema
    }
    assert found == COLUMNS
    assert list(found) == list(COLUMNS)


def test_the_table_is_partitioned_and_clustered(warehouse: Warehouse, dataset: str) -> None:
    """The table is partitioned by day of event_at and clustered by repository and issue."""
    table = warehouse.client.get_table(f"{PROJECT}.{dataset}.events")
    assert table.time_partitioning is not None
    assert (table.time_partitioning.type_, table.time_partitioning.field) == ("DAY", "event_at")
    assert table.clustering_fields == ["repository", "issue_number"]


def test_a_row_has_the_table_s_columns() -> None:
    """A row of stream_bq has the names of the table's columns."""
    assert set(a_row()) == set(COLUMNS)


def test_a_new_column_reaches_a_table_with_rows(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column added to events.sql reaches an existing table, keeps its rows, and is in the view."""
    (tmp_path / "views").mkdir()
    for name in ("events.sql", "views/issue_events.sql"):
        (tmp_path / name).write_text((schema.SQL / name).read_text())
    monkeypatch.setattr(schema, "SQL", tmp_path)
    dataset = warehouse.dataset()
    warehouse.insert(dataset, [a_row(delivery_id="old")])
    with (tmp_path / "events.sql").open("a") as file:
        file.write("\nALTER TABLE `${DATASET}.events` ADD COLUMN IF NOT EXISTS mood STRING;\n")
    for _ in range(2):
        warehouse.create(dataset)
    warehouse.insert(dataset, [a_row(delivery_id="new", mood="calm")])
    rows = warehouse.query(
        "SELECT delivery_id, mood FROM `${DATASET}.issue_events` ORDER BY delivery_id DESC", dataset
    )
    assert rows == [{"delivery_id": "old", "mood": None}, {"delivery_id": "new", "mood": "calm"}]


def test_a_table_of_the_first_version_gets_the_newer_columns(warehouse: Warehouse) -> None:
    """A table without the newer columns gets them in the contract's order and keeps its rows."""
    newer = list(COLUMNS)[list(COLUMNS).index("hook_id") :]
    dataset = warehouse.dataset(views=["issue_events"])
    warehouse.insert(dataset, [a_row(delivery_id="old")])
    for name in newer:
        warehouse.query(f"ALTER TABLE `${{DATASET}}.events` DROP COLUMN {name}", dataset)
    for _ in range(2):
        warehouse.create(dataset, views=["issue_events"])
    warehouse.insert(dataset, [a_row(delivery_id="new", hook_id=5, issue_type="Bug")])
    table = warehouse.client.get_table(f"{PROJECT}.{dataset}.events")
    assert [field.name for field in table.schema] == list(COLUMNS)
    rows = warehouse.query(
        "SELECT delivery_id, hook_id, issue_type FROM `${DATASET}.issue_events` ORDER BY delivery_id DESC",
        dataset,
    )
    assert rows == [
        {"delivery_id": "old", "hook_id": None, "issue_type": None},
        {"delivery_id": "new", "hook_id": 5, "issue_type": "Bug"},
    ]


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


def test_the_table_is_created_before_the_views() -> None:
    """Every file of sql/ is applied, the table first: the views read it."""
    names = [str(path.relative_to(schema.SQL)) for path in schema.files()]
    assert names[0] == "events.sql"
    assert sorted(names) == sorted(str(path.relative_to(schema.SQL)) for path in schema.SQL.rglob("*.sql"))


def test_a_view_is_created_after_what_it_reads() -> None:
    """BigQuery creates a view only if there are the tables and views that it reads."""
    created: set[str] = set()
    for path in schema.files():
        read = set(
            re.findall(r"^[^-]*(?:FROM|JOIN)\s+`\$\{DATASET\}\.(\w+)`", path.read_text(), re.MULTILINE)
        )
        assert read <= created, path.name
        created.add(path.stem)
    assert {"accounts", "issue_timelines", "issues", "backlog_age"} <= created
