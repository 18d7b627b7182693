"""History that is too old to be streamed is loaded into BigQuery in batches, each delivery once."""

import json
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.github.issue_history import IssueHistory
from clients.github.synthetic_deliveries import deliveries
from local.github.repository import HostedRepository
from local.github.server import GitHubServer
from ops.backfill import old_rows
from ops.backfill.old_rows import LOAD_PAST, OldRows
from ops.send import accounts
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable
from tests.ops.backfill.rig import (
    AUTHOR,
    MONA,
    SECONDS,
    PubSub,
    environment,
    error_line,
    fill,
    ids,
    invoke,
    start,
    wait_for,
)
from tests.support.messages import an_issue
from tests.support.warehouse import PROJECT, Proxy, Warehouse

NOW = datetime.now(UTC)
LOADS = f"/upload/bigquery/v2/projects/{PROJECT}/jobs"


def fill_old(hosted: HostedRepository, issues: int) -> Counter[str]:
    """Add issues whose first three events are three years too old to be streamed, and one of last week."""
    delivered: Counter[str] = Counter()
    long_ago = NOW - LOAD_PAST - timedelta(days=1000)
    for number in range(1, issues + 1):
        at = long_ago + timedelta(minutes=10 * number)
        issue = an_issue(number=number, created_at=at)
        events = [
            issue.opened(),
            issue.commented(MONA, at + timedelta(hours=1), "Looking."),
            issue.closed(MONA, at + timedelta(days=2)),
            issue.commented(AUTHOR, NOW - timedelta(days=9), "Thanks."),
        ]
        for event in events:
            hosted.record(event)
            delivered[f"{event.name}.{event.payload['action']}"] += 1
    return delivered


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return a dataset that the tests use one after another."""
    return warehouse.dataset(views=["issue_events"])


@pytest.fixture
def settings(
    server: GitHubServer, pubsub: PubSub, warehouse: Warehouse, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Return the settings of a backfill with an empty dataset, which loads 50 rows at once."""
    monkeypatch.setattr(old_rows, "BATCH_ROWS", 50)
    monkeypatch.setattr(old_rows, "POLL_SECONDS", 0.01)
    warehouse.query("DELETE FROM ${DATASET}.events WHERE TRUE", dataset)
    return environment(
        server, pubsub, BIGQUERY_DATASET=f"{PROJECT}.{dataset}", BIGQUERY_EMULATOR_HOST=warehouse.url
    )


def stored(warehouse: Warehouse, settings: dict[str, str], view: str = "events") -> list[dict[str, Any]]:
    """Return the stored rows."""
    sql = f"SELECT delivery_id, event, action, event_at, source, payload FROM ${{DATASET}}.{view}"
    return warehouse.query(sql, settings["BIGQUERY_DATASET"].partition(".")[2])


def test_old_history_is_loaded_in_batches(
    pubsub: PubSub,
    hosted: HostedRepository,
    warehouse: Warehouse,
    settings: dict[str, str],
) -> None:
    """What is too old is loaded by few jobs, the rest is published; each delivery is in one of the two."""
    delivered = fill_old(hosted, 100)
    result = invoke(settings, "--json")
    assert result.exit_code == 0, result.output
    outcome = json.loads(result.stdout)
    rows, messages = stored(warehouse, settings), pubsub.pull()
    assert (outcome["loaded"], outcome["published"]) == (len(rows), len(messages)) == (300, 100)
    assert outcome["load_jobs"] == 300 / 50
    assert outcome["deliveries"] == dict(sorted(delivered.items()))
    assert len({row["delivery_id"] for row in rows} | set(ids(messages))) == 400
    assert {row["source"] for row in rows} == {"backfill"}
    assert max(row["event_at"] for row in rows) < NOW - LOAD_PAST
    [opened] = [row for row in rows if row["action"] == "opened" and row["payload"]["issue"]["number"] == 7]
    assert opened["payload"]["repository"]["full_name"] == "acme/app"


def test_a_second_run_shows_each_delivery_once(
    pubsub: PubSub,
    hosted: HostedRepository,
    warehouse: Warehouse,
    settings: dict[str, str],
) -> None:
    """A second run loads the same rows again, and issue_events shows each once."""
    fill_old(hosted, 20)
    for _ in range(2):
        assert invoke(settings).exit_code == 0
    pubsub.pull()
    assert len(stored(warehouse, settings)) == 120
    assert len(stored(warehouse, settings, "issue_events")) == 60


def test_a_run_that_is_killed_while_it_loads_resumes(
    hosted: HostedRepository,
    warehouse: Warehouse,
    settings: dict[str, str],
) -> None:
    """A run that is killed between two loads continues with the next batch, and nothing is missing."""
    delivered = fill_old(hosted, 40)
    proxy = Proxy(warehouse.url)
    proxy.start()
    try:
        proxy.answer = lambda *_: proxy.hold.set() if len(uploads(proxy)) == 2 else None
        killed = start(settings | {"BIGQUERY_EMULATOR_HOST": proxy.url}, batch=50)
        wait_for(proxy.hold.is_set)
        killed.kill()
        killed.communicate(timeout=SECONDS)
        assert killed.returncode == -signal.SIGKILL
    finally:
        proxy.stop()
    result = invoke(settings, "--json")
    assert result.exit_code == 0, result.output
    outcome = json.loads(result.stdout)
    assert (outcome["resumed"], outcome["loaded"], outcome["deliveries"]) == (
        True,
        120,
        dict(sorted(delivered.items())),
    )
    assert outcome["load_jobs"] < 3
    assert len(stored(warehouse, settings, "issue_events")) == 120


def uploads(proxy: Proxy) -> list[str]:
    """Return the uploads of load jobs."""
    return [path for path in proxy.paths() if path.startswith(LOADS)]


def test_without_a_dataset_old_history_is_an_error(
    pubsub: PubSub,
    hosted: HostedRepository,
    warehouse: Warehouse,
    settings: dict[str, str],
) -> None:
    """The error names the options; nothing is published, and the same command with them continues."""
    fill_old(hosted, 3)
    line = error_line(invoke(settings | {"BIGQUERY_DATASET": ""}))
    assert "about 9 deliveries are older than 1,816 days and are loaded into BigQuery" in line
    assert "give --project and --dataset, or set BIGQUERY_DATASET" in line
    assert pubsub.pull() == []
    dataset = settings["BIGQUERY_DATASET"].partition(".")[2]
    options = ("--project", PROJECT, "--dataset", dataset, "--json")
    result = invoke(settings | {"BIGQUERY_DATASET": ""}, *options)
    assert json.loads(result.stdout)["resumed"] is True
    assert (len(stored(warehouse, settings)), len(pubsub.pull())) == (9, 3)


def test_young_history_needs_no_dataset(
    pubsub: PubSub, hosted: HostedRepository, settings: dict[str, str]
) -> None:
    """A history of the last five years is published, whether a dataset is named or not."""
    delivered = fill(hosted, 5)
    for dataset in ("", "nowhere.nothing"):
        result = invoke(settings | {"BIGQUERY_DATASET": dataset}, "--json")
        assert json.loads(result.stdout)["loaded"] == 0
        assert len(pubsub.pull()) == delivered.total()


def test_a_dry_run_counts_what_is_too_old(hosted: HostedRepository, settings: dict[str, str]) -> None:
    """A dry run needs no dataset and loads nothing."""
    delivered = fill_old(hosted, 3)
    result = invoke(settings | {"BIGQUERY_DATASET": ""}, "--dry-run", "--json")
    outcome = json.loads(result.stdout)
    assert (outcome["too_old_to_stream"], outcome["total"], outcome["loaded"]) == (9, delivered.total(), 0)


def test_a_missing_table_is_one_line(
    pubsub: PubSub, hosted: HostedRepository, settings: dict[str, str]
) -> None:
    """The error names the table and the fix; nothing is published."""
    fill_old(hosted, 3)
    line = error_line(invoke(settings | {"BIGQUERY_DATASET": f"{PROJECT}.missing"}))
    assert f"{PROJECT}.missing.events does not exist; run ./issuewire schema apply." in line
    assert pubsub.pull() == []


def test_payloads_are_left_out_if_stream_bq_leaves_them_out(
    hosted: HostedRepository, warehouse: Warehouse, settings: dict[str, str]
) -> None:
    """STORE_PAYLOAD=false holds for loaded rows too."""
    fill_old(hosted, 2)
    assert invoke(settings | {"STORE_PAYLOAD": "false"}).exit_code == 0
    assert {row["payload"] for row in stored(warehouse, settings)} == {None}


@pytest.mark.slow
def test_fifty_thousand_rows_need_few_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """50,000 deliveries of GitHub's size are under 100 load jobs, by their number and by their bytes."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    rows = OldRows("p.d.events", store_payload=True)
    sizes: list[int] = []

    def load() -> Any:
        rows.jobs += 1
        sizes.append(rows._lines.tell())

    monkeypatch.setattr(rows, "_start", load)
    monkeypatch.setattr(rows, "_finish", lambda _job: None)
    delivery = a_delivery("x" * 10_000)
    for _ in range(5_000):  # a tenth
        rows.add(delivery)
    rows.flush()
    assert rows.jobs < 100 / 10
    assert max(sizes) < old_rows.BATCH_BYTES + 20_000


def a_delivery(body: str) -> Delivery:
    """Return a delivery of an old issue."""
    issue = an_issue(body=body, created_at=NOW - timedelta(days=3000))
    history = IssueHistory(issue=issue.as_json(), comments=[], events=[], read_at=NOW)
    repository = accounts.Repository(full_name="acme/app").as_json()
    return next(deliveries(repository, history, NOW))


def test_a_refused_load_is_one_line(
    warehouse: Warehouse, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load that BigQuery refuses raises Unavailable, and the rows are kept for the next attempt."""
    proxy = Proxy(warehouse.url)
    proxy.start()
    try:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        rows = OldRows(f"{settings['BIGQUERY_DATASET']}.events", store_payload=True)
        rows.add(a_delivery("text"))
        refusal = {"error": {"code": 403, "message": "no permission", "errors": [{"reason": "accessDenied"}]}}
        proxy.answer = lambda _method, _path: (403, json.dumps(refusal).encode())
        with pytest.raises(Unavailable, match="no permission") as caught:
            rows.flush()
        assert caught.value.reason == "load_failed"
        proxy.answer = lambda _method, _path: None
        rows.flush()
        rows.close()
    finally:
        proxy.stop()
    assert len(stored(warehouse, settings)) == 1
