"""A row is streamed, or loaded if its date is out of reach, or Unavailable is raised."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.stream_bq import table as table_module
from functions.stream_bq.row import Row, to_row
from functions.stream_bq.table import Table, streamable
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable
from pipeline.events import IssueEvent
from tests.support.messages import an_issue
from tests.support.warehouse import COLUMNS, PROJECT, Proxy, Warehouse

TODAY = datetime.now(UTC).replace(microsecond=5)
SIX_YEARS_AGO = TODAY - timedelta(days=6 * 365)
TWO_YEARS_AHEAD = TODAY + timedelta(days=2 * 365)


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return one dataset; each test looks for its own delivery ids in it."""
    return warehouse.dataset(views=())


@pytest.fixture
def proxy(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Return a proxy between the table and the engine."""
    proxy = Proxy(warehouse.url)
    proxy.start()
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
    monkeypatch.setattr(table_module, "POLL_SECONDS", 0.01)
    yield proxy
    proxy.stop()


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time limits, so that a test does not wait for them."""
    monkeypatch.setattr(table_module, "TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(table_module, "JOB_SECONDS", 0.5)


@pytest.fixture
def open_table(proxy: Proxy, dataset: str) -> Iterator[Any]:
    """Return a function that opens a table, by default the dataset's events, through the proxy."""
    assert proxy.url
    opened: list[Table] = []

    def open_it(name: str | None = None) -> Table:
        opened.append(Table(name or f"{PROJECT}.{dataset}.events"))
        return opened[-1]

    yield open_it
    for table in opened:
        table._client().close()


def row_at(event_at: datetime, delivery_id: str, *, store_payload: bool = True, **issue: Any) -> Row:
    """Return the row of an issue that was opened at this time."""
    body = json.dumps(an_issue(created_at=event_at, **issue).opened().payload).encode()
    delivery = Delivery(delivery_id=delivery_id, event="issues", body=body, received_at=TODAY)
    event = IssueEvent.from_delivery(delivery)
    return to_row(event, TODAY, store_payload=store_payload)


def stored(warehouse: Warehouse, dataset: str, *delivery_ids: str) -> list[dict[str, Any]]:
    """Return the stored rows of these deliveries, with the issue's title by JSON path."""
    ids = ", ".join(f"'{delivery_id}'" for delivery_id in delivery_ids)
    sql = (
        "SELECT *, JSON_VALUE(payload, '$.issue.title') AS path_title, payload IS NULL AS no_payload "
        f"FROM `${{DATASET}}.events` WHERE delivery_id IN ({ids}) ORDER BY delivery_id"
    )
    return warehouse.query(sql, dataset)


def with_columns(row: Row, **columns: Any) -> Row:
    """Return the row with other values, which `to_row` would not let through."""
    return replace(row, columns=row.columns | columns)


def insert(table: Table, *rows: Row) -> None:
    """Insert the rows one after the other."""

    async def one_by_one() -> None:
        for row in rows:
            await table.insert(row)

    asyncio.run(one_by_one())


def failure(table: Table, row: Row) -> Unavailable:
    """Return what the insert raised."""
    with pytest.raises(Unavailable) as caught:
        insert(table, row)
    return caught.value


def test_a_row_is_streamed(warehouse: Warehouse, dataset: str, proxy: Proxy, open_table: Any) -> None:
    """One row is one call of insertAll, and every column is stored as it was given."""
    inserted = row_at(TODAY, "one", labels=["bug", "ui"], body="x")
    insert(open_table(), inserted)
    assert [path.rsplit("/", 1)[1] for path in proxy.paths()] == ["insertAll"]
    [row] = stored(warehouse, dataset, "one")
    for name, column in COLUMNS.items():
        given = inserted.columns[name]
        if column.startswith("TIMESTAMP") and given is not None:
            given = datetime.fromisoformat(given)
        assert row[name] == (json.loads(given) if name == "payload" else given), name


def test_the_same_delivery_twice_is_one_row(warehouse: Warehouse, dataset: str, open_table: Any) -> None:
    """The delivery id is the row id, by which BigQuery drops a quick repetition."""
    table = open_table()
    for _ in range(2):
        insert(table, row_at(TODAY, "twice"))
    assert len(stored(warehouse, dataset, "twice")) == 1


def together(table: Table, *rows: Row) -> list[str]:
    """Insert the rows at the same time, and return the reason of each failure, or "stored"."""

    async def all_of_them() -> list[BaseException | None]:
        return await asyncio.gather(*(table.insert(row) for row in rows), return_exceptions=True)

    outcomes = asyncio.run(all_of_them())
    return [outcome.reason if isinstance(outcome, Unavailable) else "stored" for outcome in outcomes]


@pytest.fixture
def one_insert_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first row go alone and all others together."""
    for name in ("STREAM_LIMITS", "LOAD_LIMITS"):
        monkeypatch.setattr(table_module, name, replace(getattr(table_module, name), sends=1, enough=1))


@pytest.mark.usefixtures("one_insert_in_flight")
def test_rows_that_wait_are_streamed_together(
    warehouse: Warehouse, dataset: str, proxy: Proxy, open_table: Any
) -> None:
    """One insert has many rows, also two of one delivery; a refused one does not stop the others."""
    bad = with_columns(row_at(TODAY, "group-bad"), issue_id="sesame")
    names = ("group-1", "group-2", "group-2", "group-3")
    outcomes = together(open_table(), *(row_at(TODAY, name) for name in names), bad, row_at(TODAY, "group-4"))
    assert outcomes == ["stored"] * 4 + ["row_refused", "stored"]
    assert [len(json.loads(body)["rows"]) for body in proxy.bodies] == [1, 5]
    ids = [row["delivery_id"] for row in stored(warehouse, dataset, *names, "group-bad", "group-4")]
    assert ids == ["group-1", "group-2", "group-3", "group-4"]


@pytest.mark.usefixtures("one_insert_in_flight")
def test_rows_that_wait_are_loaded_together(
    warehouse: Warehouse, dataset: str, proxy: Proxy, open_table: Any
) -> None:
    """One load job has many rows; if it fails, its halves are loaded, so that a bad row fails alone."""
    names = ("load-1", "load-2", "load-3", "load-4")
    bad = with_columns(row_at(SIX_YEARS_AGO, "load-bad"), issue_created_at="sesame")
    rows = [row_at(SIX_YEARS_AGO, name) for name in names]
    assert together(open_table(), *rows, bad) == ["stored"] * 4 + ["bigquery_failed"]
    lines = [body.count(b'{"delivery_id"') for body in proxy.bodies]
    assert [count for count in lines if count] == [1, 4, 2, 2, 1, 1]
    found = stored(warehouse, dataset, *names, "load-bad")
    assert [row["delivery_id"] for row in found] == list(names)


@pytest.mark.usefixtures("one_insert_in_flight")
def test_a_load_does_not_hold_up_a_stream(proxy: Proxy, open_table: Any) -> None:
    """A row is streamed while a load job is unfinished."""
    loads, streamed = threading.Event(), threading.Event()

    def answer(_method: str, path: str) -> tuple[int, bytes] | None:
        if path.startswith("/upload/"):
            loads.set()
            streamed.wait(30)
        return None

    proxy.answer = answer
    table = open_table()

    async def main() -> None:
        load = asyncio.create_task(table.insert(row_at(SIX_YEARS_AGO, "apart-1")))
        await asyncio.to_thread(loads.wait, 30)
        await table.insert(row_at(TODAY, "apart-2"))
        assert not load.done()
        streamed.set()
        await load

    asyncio.run(main())


def test_a_refused_row_names_columns_and_no_values(open_table: Any) -> None:
    """The error about a refused row names reasons and columns, and no value of the row."""
    row = with_columns(row_at(TODAY, "refused"), issue_id="sesame", mood="sesame", event=None)
    error = failure(open_table(), row)
    assert error.reason == "row_refused"
    for name in ("issue_id", "mood", "event"):
        assert f"invalid at {name}" in str(error)
    assert "sesame" not in str(error)
    assert error.__cause__ is None


def test_a_refusal_without_a_column(proxy: Proxy, open_table: Any) -> None:
    """A refusal that names no column, such as BigQuery's `stopped`, is an error too."""
    refusal = {
        "insertErrors": [{"index": 0, "errors": [{"reason": "stopped", "location": "", "message": "sesame"}]}]
    }
    proxy.answer = lambda *_: (200, json.dumps(refusal).encode())
    error = failure(open_table(), row_at(TODAY, "stopped"))
    assert str(error).endswith("refused the row: stopped at the row.")


@pytest.mark.parametrize("event_at", [TODAY, SIX_YEARS_AGO], ids=["streamed", "loaded"])
def test_a_missing_table_names_the_command(warehouse: Warehouse, open_table: Any, event_at: datetime) -> None:
    """If the table is missing, streaming and loading fail, name the command to run, and create no table."""
    dataset = warehouse.unused_name()
    warehouse.client.create_dataset(dataset)
    error = failure(open_table(f"{PROJECT}.{dataset}.events"), row_at(event_at, "lost"))
    assert error.reason == "table_missing"
    assert str(error) == f"{PROJECT}.{dataset}.events does not exist; run ./issuewire schema apply."
    assert list(warehouse.client.list_tables(dataset)) == []


@pytest.mark.parametrize("event_at", [TODAY, SIX_YEARS_AGO], ids=["streamed", "loaded"])
def test_recovery_after_bigquery_was_down(
    warehouse: Warehouse, dataset: str, proxy: Proxy, open_table: Any, event_at: datetime
) -> None:
    """While BigQuery is down an insert fails; the same table works when BigQuery is up again."""
    table = open_table()
    delivery_id = f"down-{event_at.year}"
    patient = table._retry
    table._retry = patient.with_timeout(0.5)
    proxy.stop()
    error = failure(table, row_at(event_at, delivery_id))
    assert error.reason == "bigquery_failed"
    table._retry = patient
    proxy.start()
    insert(table, row_at(event_at, delivery_id))
    assert len(stored(warehouse, dataset, delivery_id)) == 1


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("event_at", [TODAY, SIX_YEARS_AGO], ids=["streamed", "loaded"])
def test_a_silent_bigquery_is_given_up(proxy: Proxy, open_table: Any, event_at: datetime) -> None:
    """If BigQuery takes the request and never answers, the insert fails in time."""
    proxy.hold.set()
    assert failure(open_table(), row_at(event_at, "silent")).reason == "bigquery_failed"
    assert proxy.requests


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("status", [400, 403, 429, 500, 502, 503])
def test_an_error_of_bigquery_is_unavailable(proxy: Proxy, open_table: Any, status: int) -> None:
    """With any error status of BigQuery the row does not count as stored."""
    body = {"error": {"code": status, "message": "no", "errors": [{"reason": "whatever", "message": "no"}]}}
    proxy.answer = lambda *_: (status, json.dumps(body).encode())
    for event_at in (TODAY, SIX_YEARS_AGO):
        error = failure(open_table(), row_at(event_at, "refused"))
        assert error.reason == "bigquery_failed"
        assert error.__cause__ is not None


@pytest.mark.parametrize("event_at", [SIX_YEARS_AGO, TWO_YEARS_AHEAD], ids=["past", "future"])
def test_dates_out_of_the_stream_s_reach_are_loaded(
    warehouse: Warehouse, dataset: str, proxy: Proxy, open_table: Any, event_at: datetime
) -> None:
    """A row that streaming would refuse for its date is loaded, and is stored as a streamed one is."""
    near, far = f"near-{event_at.year}", f"far-{event_at.year}"
    table = open_table()
    insert(table, row_at(TODAY, near, labels=["bug"]))
    assert [path for path in proxy.paths() if path.startswith("/upload/")] == []
    proxy.requests.clear()
    insert(table, row_at(event_at, far, labels=["bug"]))
    assert [path.split("/")[1] for path in proxy.paths()] == ["upload"]
    loaded, streamed = stored(warehouse, dataset, near, far)
    assert loaded.pop("event_at") == event_at.replace(microsecond=0)
    assert streamed.pop("event_at") == TODAY.replace(microsecond=0)
    own = {"delivery_id", "payload", "issue_created_at", "issue_updated_at"}
    assert loaded["path_title"] == "Export fails"
    assert {name: value for name, value in loaded.items() if name not in own} == {
        name: value for name, value in streamed.items() if name not in own
    }
    assert loaded["payload"].keys() == streamed["payload"].keys()


def test_each_way_has_its_form_of_json(proxy: Proxy, open_table: Any) -> None:
    """Streaming takes the payload as JSON text, a load as JSON, where text would become a JSON string."""
    table = open_table()
    insert(table, row_at(TODAY, "form-1"))
    insert(table, row_at(SIX_YEARS_AGO, "form-2"))
    streamed = json.loads(proxy.bodies[0])["rows"][0]
    assert streamed["insertId"] == "form-1"
    assert json.loads(streamed["json"]["payload"])["issue"]["title"] == "Export fails"
    [line] = [line for line in proxy.bodies[1].splitlines() if line.startswith(b'{"delivery_id"')]
    assert json.loads(line)["payload"]["issue"]["title"] == "Export fails"


def test_a_load_keeps_nulls_and_empty_lists(warehouse: Warehouse, dataset: str, open_table: Any) -> None:
    """A loaded row has a null payload and empty lists if they were given so."""
    table = open_table()
    insert(table, row_at(SIX_YEARS_AGO, "bare", store_payload=False))
    [row] = stored(warehouse, dataset, "bare")
    assert (row["no_payload"], row["path_title"]) == (True, None)
    assert (row["issue_labels"], row["issue_assignees"], row["label"]) == ([], [], None)


def test_both_ways_keep_unusual_values(warehouse: Warehouse, dataset: str, open_table: Any) -> None:
    """Quotes, newlines, other scripts and emoji are stored unchanged by both ways."""
    title = 'He said: "50% \\ {}" \t\n\u6f22\u5b57 \U0001f600 \u2028 null'
    table = open_table()
    for delivery_id, event_at in (("awkward-1", TODAY), ("awkward-2", SIX_YEARS_AGO)):
        insert(table, row_at(event_at, delivery_id, title=title))
    rows = stored(warehouse, dataset, "awkward-1", "awkward-2")
    assert [(row["issue_title"], row["path_title"]) for row in rows] == [(title, title)] * 2


def test_a_large_payload_is_loaded(
    warehouse: Warehouse, dataset: str, open_table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large payload is loaded too; over 5 MiB the client uploads it in another way."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.url)
    insert(open_table(), row_at(SIX_YEARS_AGO, "large", body="x" * 5_300_000))
    sql = (
        "SELECT LENGTH(JSON_VALUE(payload, '$.issue.body')) AS length FROM `${DATASET}.events` "
        "WHERE delivery_id = 'large'"
    )
    assert warehouse.query(sql, dataset) == [{"length": 5_300_000}]


def test_a_load_that_fails_is_unavailable(open_table: Any, warehouse: Warehouse, dataset: str) -> None:
    """A load job that ends with an error raises, and nothing is stored."""
    row = with_columns(row_at(SIX_YEARS_AGO, "unloadable"), issue_created_at="sesame")
    error = failure(open_table(), row)
    assert error.reason == "bigquery_failed"
    assert "sesame" not in str(error)
    assert stored(warehouse, dataset, "unloadable") == []


def running_job() -> bytes:
    """Return a load job that is still running."""
    job = {
        "jobReference": {"projectId": PROJECT, "jobId": "slow", "location": "US"},
        "configuration": {
            "load": {"destinationTable": {"projectId": PROJECT, "datasetId": "d", "tableId": "events"}}
        },
        "status": {"state": "RUNNING"},
    }
    return json.dumps(job).encode()


@pytest.mark.usefixtures("short_limits")
def test_an_endless_load_is_given_up(proxy: Proxy, open_table: Any) -> None:
    """A load job that does not end is polled until the time limit, and then fails."""
    proxy.answer = lambda *_: (200, running_job())
    error = failure(open_table(), row_at(SIX_YEARS_AGO, "endless"))
    assert error.reason == "load_unfinished"
    assert len(proxy.paths("GET")) > 1


@pytest.mark.usefixtures("short_limits")
def test_a_load_without_a_state_is_given_up(proxy: Proxy, open_table: Any) -> None:
    """A load job whose state cannot be read fails too."""

    def answer(method: str, _path: str) -> tuple[int, bytes]:
        if method == "POST":
            proxy.hold.set()
        return 200, running_job()

    proxy.answer = answer
    assert failure(open_table(), row_at(SIX_YEARS_AGO, "dumb")).reason == "bigquery_failed"
    assert proxy.paths("GET")


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, True), (-1823, True), (-1824, False), (-1900, False), (364, True), (365, False), (700, False)],
)
def test_rows_of_recent_dates_are_streamed(days: int, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Rows of the last 1,825 and the next 366 days are streamed, with a day's margin at each end."""
    assert streamable(TODAY + timedelta(days=days), TODAY) is expected


@pytest.mark.parametrize("year", [1, 9999])
def test_the_first_and_last_year_are_loaded(year: int) -> None:
    """The first and the last year of a datetime can be compared too."""
    assert streamable(datetime(year, 1, 1, tzinfo=UTC), TODAY) is False
