"""The numbers in the documents are what the views return for the demo's scenario."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.stream_bq.row import to_row
from local.demo.scenario import scenario
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent, parse_payload
from tests.support.documents import commands
from tests.support.warehouse import ISSUES, Warehouse

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = (ROOT / "README.md").read_text() + (ROOT / "docs" / "reference.md").read_text()
QUERIES = re.findall(r"^```sql\n(SELECT[^`]*)^```\n\n((?:^\|[^\n]*\n)+)", DOCUMENTS, re.MULTILINE)
DELETION = re.findall(r"^```sql\n(DELETE.*?)^```", DOCUMENTS, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return a dataset with the rows that stream_bq stores for the scenario."""
    asked = {view for query, _ in QUERIES for view in re.findall(r"github\.(\w+)", query)}
    name, now = warehouse.dataset(asked.union(ISSUES)), datetime.now(UTC)
    rows = []
    for step in scenario(now):
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
    warehouse.insert(name, rows)
    return name


@pytest.mark.parametrize(("query", "shown"), QUERIES)
def test_a_query_returns_what_the_document_shows(
    warehouse: Warehouse, dataset: str, query: str, shown: str
) -> None:
    """Every example query returns exactly the table that is shown below it."""
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines()]
    found = warehouse.query(query.replace("github.", f"{dataset}."), dataset)
    assert [list(row) for row in found[:1]] == [head]
    assert [[str(value) for value in row.values()] for row in found] == lines


def runbook_query(warehouse: Warehouse, dataset: str, about: str) -> list[dict[str, object]]:
    """Run the query of the runbook that names `about`; it has the options that deploy.sh uses."""
    runbook = (ROOT / "docs" / "operations.md").read_text()
    [(*options, query)] = [call for call in commands(runbook) if call[0] == "bq" and about in call[-1]]
    assert options == ["bq", "--project_id=my-project", "query", "--use_legacy_sql=false"]
    query = query.replace("github.", f"{dataset}.").replace("acme/phoenix", "acme/website")
    return warehouse.query(query, dataset)


def test_the_runbook_finds_the_id_of_a_repository(warehouse: Warehouse, dataset: str) -> None:
    """The query of the runbook prints the one id of a repository."""
    assert len(runbook_query(warehouse, dataset, "repository_id")) == 1


def test_the_runbook_shows_what_triage_did(warehouse: Warehouse, dataset: str) -> None:
    """The query of the runbook fits the table of triage, which is empty where no rule has matched."""
    assert runbook_query(warehouse, dataset, "triage_actions") == []


def test_a_repository_can_be_deleted(warehouse: Warehouse, dataset: str) -> None:
    """The documented statement deletes a repository from the table and thereby from every view."""
    (statement,) = DELETION
    warehouse.query(statement.replace("github.", f"{dataset}."), dataset)
    left = warehouse.query(f"SELECT DISTINCT repository FROM {dataset}.issues", dataset)
    assert [row["repository"] for row in left] == ["acme/app"]


def test_the_examples_are_found() -> None:
    """The documents show four queries with their results."""
    assert len(QUERIES) == 4
