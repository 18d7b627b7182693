"""What keeps questions cheap: the deliveries of some days, and payloads that are emptied."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.send import accounts, payloads
from tests.sql.deliveries import a_row, other_event, row
from tests.support.checkout import ROOT
from tests.support.messages import NOON, an_issue
from tests.support.warehouse import Warehouse

REFERENCE = (ROOT / "docs" / "reference.md").read_text()
[DAY_QUERY] = re.findall(r"^```sql\n(SELECT events\.\*.*?)^```", REFERENCE, re.DOTALL | re.MULTILINE)
DAY = timedelta(days=1)
MONA = accounts.Account(login="mona")


@pytest.fixture(scope="module")
def table(warehouse: Warehouse) -> str:
    """Return a dataset with the table and issue_events only."""
    return warehouse.dataset(views=["issue_events"])


def copies(event: payloads.Event, name: str, *days: int) -> list[dict[str, Any]]:
    """Return the copies of a delivery that were received so many days after NOON."""
    return [row(event, name, NOON + days * DAY) for days in days]


def test_the_query_of_a_day_shows_what_issue_events_shows(warehouse: Warehouse, table: str) -> None:
    """The documented query has the rows of issue_events, also of deliveries that came again later."""
    issue = an_issue()
    star = other_event("star", issue.repository, MONA, "created")
    warehouse.insert(
        table,
        [
            *copies(issue.opened(), "dated by GitHub, in another order", 2, 0, 1),
            *copies(issue.deleted(MONA, NOON), "without a time of its own", 1, 0),
            *copies(star, "without an issue", 0, 2),
            *copies(star, "the second day", 1, 1, 2),
            *copies(star, "the third day", 2),
        ],
    )
    found = {}
    for day in range(-1, 4):
        since, until = (f"{NOON + DAY * (day + more):%Y-%m-%d}" for more in (0, 1))
        sql = DAY_QUERY.replace("2026-01-05", "{since}").replace("2026-01-06", "{until}")
        sql = sql.format(since=since, until=until).replace("github.", f"{table}.")
        view = (
            f"SELECT * FROM {table}.issue_events "
            f"WHERE event_at >= TIMESTAMP '{since}' AND event_at < TIMESTAMP '{until}'"
        )
        shown = warehouse.query(sql, table)
        key = lambda row: row["delivery_id"]  # noqa: E731
        assert sorted(shown, key=key) == sorted(warehouse.query(view, table), key=key)
        found[day] = len(shown)
    assert found == {-1: 0, 0: 3, 1: 1, 2: 1, 3: 0}


def test_payloads_are_emptied_after_some_days(warehouse: Warehouse) -> None:
    """The statement of deploy.sh empties old payloads, of rows that BigQuery can change, and no more."""
    dataset, now = warehouse.dataset(views=()), datetime.now(UTC)

    def stored(name: str, days: float, hours: float) -> dict[str, Any]:
        happened, inserted = now - timedelta(days=days), now - timedelta(hours=hours)
        times = {"event_at": happened, "received_at": happened, "inserted_at": inserted}
        texts = {column: time.isoformat() for column, time in times.items()}
        return a_row(delivery_id=name, payload='{"action": "opened"}', **texts)

    rows = [
        stored("old", 91, 91 * 24),
        stored("old, and just streamed", 91, 0.2),
        stored("young", 89, 89 * 24),
    ]
    warehouse.insert(dataset, rows)
    everything = "SELECT * FROM `${DATASET}.events` ORDER BY delivery_id"
    before = warehouse.query(everything, dataset)
    warehouse.query(scheduled_statement(dataset, 90), dataset)
    after = warehouse.query(everything, dataset)
    emptied = {row["delivery_id"] for row in after if row["payload"] is None}
    assert emptied == {"old"}
    for old, new in zip(before, after, strict=True):
        assert new | {"payload": None} == old | {"payload": None}


def scheduled_statement(dataset: str, days: int) -> str:
    """Return the statement that deploy.sh gives to Cloud Scheduler."""
    script = "source deploy/payloads.sh; payload_request"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env={"DATASET": dataset, "PAYLOAD_DAYS": str(days), "BQ_LOCATION": "US"},
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return str(json.loads(done.stdout)["query"])
