"""The numbers in the README are what the views return for the events of the demo."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.stream_bq.row import to_row
from local.story import tell
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent, parse_payload
from tests.support.warehouse import Warehouse

README = (Path(__file__).parent.parent.parent / "README.md").read_text()
QUERIES = re.findall(r"^```sql\n(SELECT[^`]*)^```\n\n((?:^\|[^\n]*\n)+)", README, re.MULTILINE)
DELETION = re.findall(r"^```sql\n(DELETE.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def demo_dataset(warehouse: Warehouse) -> str:
    """Return a dataset with the events of the demo as stream_bq stores them."""
    dataset, now = warehouse.dataset(), datetime.now(UTC)
    rows = []
    for step in tell(now):
        if step.forged or step.is_ping:
            continue
        delivery = Delivery(
            delivery_id=step.delivery_id,
            event=step.name,
            body=step.body,
            received_at=now,
            action=parse_payload(step.body)["action"],
        )
        event = IssueEvent.from_delivery(delivery)
        rows.append(to_row(event, now - timedelta(hours=3), store_payload=True).columns)
    warehouse.insert(dataset, rows)
    return dataset


@pytest.mark.parametrize(("query", "shown"), QUERIES)
def test_a_query_of_the_readme_returns_its_table(
    warehouse: Warehouse, demo_dataset: str, query: str, shown: str
) -> None:
    """Every example query runs, and its result equals the table below it, cell by cell."""
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines()]
    found = warehouse.query(query.replace("github.", f"{demo_dataset}."), demo_dataset)
    assert [list(row) for row in found[:1]] == [head]
    assert [[str(value) for value in row.values()] for row in found] == lines


def test_a_repository_can_be_deleted(warehouse: Warehouse, demo_dataset: str) -> None:
    """The statement in the README removes a repository from the table, and so from every view."""
    (statement,) = DELETION
    warehouse.query(statement.replace("github.", f"{demo_dataset}."), demo_dataset)
    left = warehouse.query(f"SELECT DISTINCT repository FROM {demo_dataset}.issues", demo_dataset)
    assert [row["repository"] for row in left] == ["acme/app"]


def test_the_readme_has_four_queries() -> None:
    """The README has four queries with their results, so the tests above compare something."""
    assert len(QUERIES) == 4
