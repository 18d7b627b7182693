"""The numbers that README shows are what the views say of the demo's story."""

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
def story(warehouse: Warehouse) -> str:
    """Return a dataset that holds the story as stream_bq stores it."""
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
def test_a_query_of_the_readme_gives_what_it_shows(
    warehouse: Warehouse, story: str, query: str, shown: str
) -> None:
    """Every example query runs, and its result is the table below it, cell by cell."""
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines()]
    found = warehouse.query(query.replace("github.", f"{story}."), story)
    assert [list(row) for row in found[:1]] == [head]
    assert [[str(value) for value in row.values()] for row in found] == lines


def test_a_repository_can_be_forgotten(warehouse: Warehouse, story: str) -> None:
    """README's statement removes a repository from the table, and so from every view."""
    (statement,) = DELETION
    warehouse.query(statement.replace("github.", f"{story}."), story)
    left = warehouse.query(f"SELECT DISTINCT repository FROM {story}.issues", story)
    assert [row["repository"] for row in left] == ["acme/app"]


def test_the_readme_has_its_examples() -> None:
    """Four queries with their results are found, so the tests above compare something."""
    assert len(QUERIES) == 4
