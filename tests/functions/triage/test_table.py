"""A row is stored, or the delivery is repeated; its id is that of the same outcome."""

from dataclasses import replace

import pytest

from functions.triage import table as table_module
from functions.triage.outcome import Outcome
from functions.triage.rules import Action
from functions.triage.table import ActionTable, Row, to_row
from pipeline.errors import Unavailable
from tests.functions.triage.support import opened
from tests.support.messages import NOON
from tests.support.warehouse import PROJECT, Warehouse

EVENT = opened()
DONE = Outcome(
    action=Action(rule="a" * 100, what="comment", value="Thanks! " * 100, dry_run=False), result="done"
)


def row(outcome: Outcome = DONE, *, dry_run: bool = False) -> Row:
    """Return the row of an outcome."""
    return to_row(EVENT, outcome, NOON, dry_run=dry_run)


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return one dataset with the tables."""
    return warehouse.dataset(views=())


@pytest.fixture
def reachable(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the table reach the engine."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.url)


def error_of(table: ActionTable, *rows: Row) -> Unavailable:
    """Return the error of an insert."""
    with pytest.raises(Unavailable) as caught:
        table.insert(rows)
    return caught.value


def test_a_row_says_what_became_of_an_action() -> None:
    """A long comment is shortened; the issue is named as people name it, and by its repository's id."""
    columns = row(replace(DONE, result="removed", reason="comment_deleted")).columns
    assert columns["issue"] == "acme/app#7"
    assert (columns["repository_id"], columns["issue_number"]) == (EVENT.repository_id, 7)
    assert (columns["result"], columns["reason"]) == ("removed", "comment_deleted")
    assert columns["value"] == ("Thanks! " * 100)[:200]


@pytest.mark.parametrize(("of_function", "of_rule"), [(True, False), (False, True)])
def test_a_dry_run_is_that_of_the_function_or_of_the_rule(*, of_function: bool, of_rule: bool) -> None:
    """Whichever keeps the action from being done, the row says that it was a dry run."""
    would = Outcome(action=replace(DONE.action, dry_run=of_rule), result="would")
    assert row(would, dry_run=of_function).columns["dry_run"] is True
    assert row().columns["dry_run"] is False


def test_an_outcome_has_one_id_that_bigquery_takes() -> None:
    """The same outcome of a repeated delivery is the same row, another one is not."""
    others = (
        replace(DONE, result="present"),
        *(replace(DONE, action=replace(DONE.action, **change)) for change in ({"rule": "b"}, {"value": "x"})),
    )
    ids = {row().id, row(replace(DONE, detail="again")).id, *(row(other).id for other in others)}
    assert len(ids) == 4
    assert all(len(each) <= 128 for each in ids)


@pytest.mark.usefixtures("reachable")
def test_every_column_is_in_the_table(warehouse: Warehouse, dataset: str) -> None:
    """The row's columns are those of the table; a repeated insert stores nothing twice."""
    table = ActionTable(f"{PROJECT}.{dataset}")
    for _ in range(2):
        table.insert([row()])
    [stored] = warehouse.query("SELECT * FROM `${DATASET}.triage_actions`", dataset)
    assert stored.keys() == row().columns.keys()
    assert stored | {"at": None} == row().columns | {"at": None}


@pytest.mark.usefixtures("reachable")
def test_a_refused_row_is_an_error(dataset: str) -> None:
    """A row that BigQuery does not take has the delivery repeated; the error quotes no value."""
    wrong = replace(row(), columns={**row().columns, "at": "yesterday"})
    error = error_of(ActionTable(f"{PROJECT}.{dataset}"), wrong)
    assert error.reason in {"row_refused", "bigquery_failed"}
    assert "Thanks" not in str(error)


@pytest.mark.usefixtures("reachable")
def test_a_missing_table_is_an_error_that_says_what_to_do(warehouse: Warehouse) -> None:
    """The sentence names the command that makes the table."""
    error = error_of(ActionTable(f"{PROJECT}.{warehouse.unused_name()}"), row())
    assert (error.reason, "./deploy.sh setup" in str(error)) == ("table_missing", True)


def test_bigquery_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own retry goes on for ten minutes; the table's ends with its time limit."""
    monkeypatch.setattr(table_module, "CALL_SECONDS", 0.3)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    assert error_of(ActionTable("p.d"), row()).reason == "bigquery_failed"
