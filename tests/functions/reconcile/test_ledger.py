"""The ledger's queries and the proof, against the local BigQuery."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.reconcile.ledger import Ledger
from functions.reconcile.missed import KnownIssue
from functions.reconcile.plan import LedgerRow, Past
from local.processes import free_port
from pipeline.errors import Unavailable
from tests.sql.deliveries import a_row
from tests.support.warehouse import PROJECT, Warehouse

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 4, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return an empty dataset."""
    return warehouse.dataset(views=["delivery_proof"])


@pytest.fixture
def ledger(warehouse: Warehouse, dataset: str, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Return the ledger in the dataset."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.url)
    return Ledger(f"{PROJECT}.{dataset}")


def row(**changes: Any) -> dict[str, Any]:
    """Return a row of events; times may be datetimes."""
    texts = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in changes.items()
    }
    return a_row(**texts)


def ledger_row(**changes: Any) -> LedgerRow:
    """Return a row of the ledger about 4 March, until noon."""
    defaults = {
        "run_at": NOON,
        "hook_id": 1,
        "source": "acme/app",
        "window_start": MIDNIGHT,
        "window_end": NOON,
        "expected": 5,
        "stored": 5,
    }
    return LedgerRow(**{**defaults, **changes})


def test_stored_deliveries_are_found_in_any_partition(
    warehouse: Warehouse, dataset: str, ledger: Ledger
) -> None:
    """A delivery is found whether its event is recent or, like an arrival by transfer, years old."""
    assert ledger.stored(["new"], NOON) == frozenset()
    assert ledger.stored_until(NOON) is None
    times = {"event_at": NOON, "received_at": NOON, "inserted_at": NOON, "source": "webhook"}
    rows = [
        row(delivery_id="new", **times),
        row(delivery_id="late", **times | {"received_at": NOON + HOUR, "inserted_at": NOON + HOUR}),
        row(delivery_id="old", **times | {"event_at": NOON - 1000 * DAY}),
        row(delivery_id="history", **times | {"received_at": NOON + HOUR, "source": "backfill"}),
    ]
    warehouse.insert(dataset, rows)
    assert ledger.stored(["new", "old", "missing"], NOON) == {"new", "old"}
    assert ledger.stored_until(NOON) == NOON
    assert ledger.stored_until(NOON + HOUR) == NOON + HOUR


def test_the_latest_state_of_an_issue_is_found(warehouse: Warehouse, dataset: str, ledger: Ledger) -> None:
    """The state after the last change is returned, for the issues of one repository."""
    issue = {"repository_id": 77, "issue_number": 7, "event_at": NOON, "received_at": NOON}
    rows = [
        row(delivery_id="i1", issue_state="open", issue_updated_at=NOON - HOUR, issue_title="a", **issue),
        row(
            delivery_id="i2", issue_state="closed", issue_updated_at=NOON, issue_title="b",
            issue_labels=["bug", "p1"], issue_assignees=["kim"], **issue,
        ),
        row(delivery_id="i3", issue_state="open", issue_updated_at=NOON, **issue | {"repository_id": 78}),
        row(
            delivery_id="i4", issue_state="open", issue_updated_at=NOON - 99 * DAY, issue_title="c",
            **issue | {"issue_number": 8, "event_at": NOON - 99 * DAY},
        ),
    ]  # fmt: skip
    warehouse.insert(dataset, rows)
    found = ledger.issues(77, [7, 8, 9], NOON)
    assert set(found) == {7, 8}
    labels = frozenset({"bug", "p1"})
    assert found[7] == KnownIssue(
        updated_at=NOON, state="closed", title="b", labels=labels, assignees=frozenset({"kim"})
    )
    assert (found[8].title, found[8].labels) == ("c", frozenset())


def test_the_ledger_says_what_is_open_and_the_view_shows_a_line_a_day(
    warehouse: Warehouse, ledger: Ledger, dataset: str
) -> None:
    """The last row of a day counts, and webhooks of a source add up."""
    assert ledger.past(MIDNIGHT - 3 * DAY) == Past()
    first = ledger_row(run_at=NOON - HOUR, stored=2, lost=1)
    ledger.write([first])
    assert ledger.past(MIDNIGHT - 3 * DAY) == Past(ended_at=NOON, open_since=MIDNIGHT)
    ledger.write([
        ledger_row(stored=4, refused=1, recovered=2),
        ledger_row(hook_id=2, expected=1, stored=1),
        replace(first, source="acme", window_start=MIDNIGHT - 2 * DAY, window_end=MIDNIGHT - DAY),
        ledger_row(source="acme", window_start=MIDNIGHT - DAY, window_end=MIDNIGHT, expected=3, stored=3),
    ])  # fmt: skip
    assert ledger.past(MIDNIGHT - DAY) == Past(ended_at=NOON, open_since=None)
    assert ledger.past(MIDNIGHT - 2 * DAY) == Past(ended_at=NOON, open_since=MIDNIGHT - 2 * DAY)
    shown = warehouse.query("SELECT * FROM `${DATASET}.delivery_proof` ORDER BY day, source", dataset)
    assert [tuple(line.values()) for line in shown] == [
        ((MIDNIGHT - 2 * DAY).date(), "acme", 5, 2, 0, 0, 1),
        ((MIDNIGHT - DAY).date(), "acme", 3, 3, 0, 0, 0),
        (MIDNIGHT.date(), "acme/app", 6, 5, 2, 1, 0),
    ]


def test_a_missing_table_is_reported_with_its_fix(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the tables, the error names the command that creates them."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.url)
    with pytest.raises(Unavailable) as caught:
        Ledger(f"{PROJECT}.{warehouse.unused_name()}").past(NOON)
    assert (caught.value.reason, "./deploy.sh setup" in str(caught.value)) == ("table_missing", True)


def test_an_unreachable_bigquery_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """If BigQuery is away, each call fails within its bounds and says so."""
    monkeypatch.setattr("functions.reconcile.ledger.RETRY_SECONDS", 0.2)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{free_port()}")
    ledger = Ledger("p.github")
    for call in (lambda: ledger.past(NOON), lambda: ledger.stored(["a"], NOON)):
        with pytest.raises(Unavailable) as caught:
            call()
        assert caught.value.reason == "bigquery_failed"
