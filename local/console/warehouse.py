"""What BigQuery has: an issue's row and events, the numbers, the report, and a person's own question."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from datetime import time as clock_time
from typing import Any, Final

from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from clients.bigquery import FAILURES, RETRY_SECONDS, connect, first_line
from local.console.interruption import NoAnswer, in_background
from local.console.numbers import numbers
from local.console.read_only import MAX_ROWS, bounded
from local.console.wishes import NotPossible
from local.processes import ROOT
from local.stack.topics import PROJECT
from metrics.figures import Report
from ops.report.fetch import ReportQuery, fetch
from pipeline.team import Team

DATASET: Final = "github"
QUERY_SECONDS: Final = 10.0
EVENTS: Final = 20
LONGEST: Final = 2_000  # characters of a value
AT_ONCE: Final = 2  # questions of persons
LONGEST_PAUSE_SECONDS: Final = 3.0  # between two counts; otherwise as long as a count takes

type Json = dict[str, Any]

_ISSUE = "SELECT * FROM issues WHERE repository = @repository AND issue_number = @number LIMIT 1"
_EVENTS = (
    "SELECT * EXCEPT (payload) FROM issue_events WHERE repository = @repository AND issue_number = @number "
    f"ORDER BY received_at DESC LIMIT {EVENTS}"
)
_BODY = "SELECT TO_JSON_STRING(payload) AS body FROM events WHERE delivery_id = @id LIMIT 1"


class Warehouse:
    """The local BigQuery at `url`, for many threads. `happened` is the number of the newest happening."""

    def __init__(self, url: str, team: Team, happened: Callable[[], int]) -> None:
        self._client = connect(PROJECT, emulator=url)
        self._team = team
        self._happened = happened
        self._asking = threading.Semaphore(AT_ONCE)
        self._reporting = threading.Lock()
        self._numbers: tuple[int, float, Json] | None = None
        self._tables = {path.stem for path in (ROOT / "sql").rglob("*.sql")}

    def ask(self, sql: object) -> Json:
        """Answer a person's SELECT. Raises NotPossible for anything else, and for one that takes too long."""
        if not isinstance(sql, str):
            raise NotPossible("sql must be a text")
        query = bounded(sql, self._tables)
        if not self._asking.acquire(blocking=False):
            raise NotPossible(f"{AT_ONCE} other questions are being answered; wait a moment")
        began = time.monotonic()
        try:
            columns, rows = self._run(query, {})
        except NoAnswer as error:
            raise NotPossible(str(error)) from error
        finally:
            self._asking.release()
        return {
            "columns": columns,
            "rows": [[text(value) for value in row] for row in rows[:MAX_ROWS]],
            "truncated": len(rows) > MAX_ROWS,
            "ms": round(1000 * (time.monotonic() - began)),
        }

    def issue(self, repository: str, number: int) -> Json:
        """Return the issue's row in `issues`, and its latest rows in `issue_events`. Raises NoAnswer."""
        named = {"repository": repository, "number": number}
        row = in_background(lambda: self._dicts(_ISSUE, named))
        events = self._dicts(_EVENTS, named)
        return {"row": next(iter(row.result()), None), "events": events}

    def body(self, delivery_id: str) -> str | None:
        """Return the stored body of a delivery, None if there is none. Raises NoAnswer."""
        _, rows = self._run(_BODY, {"id": delivery_id})
        return next((row[0] for row in rows if row[0] not in {None, "null"}), None)

    def numbers(self) -> Json:
        """Return the headline numbers and two charts; made again only if something has happened.

        It waits until the last ones are a moment old, so that the last happening is always counted.
        """
        with self._reporting:
            if self._numbers is not None and self._numbers[0] == self._happened():
                return self._numbers[2]
            if self._numbers is not None:
                time.sleep(max(self._numbers[1] - time.monotonic(), 0.0))
            happened, began = self._happened(), time.monotonic()
            found = self._count()
            now = time.monotonic()
            self._numbers = happened, now + min(now - began, LONGEST_PAUSE_SECONDS), found
            return found

    def report(self) -> str:
        """Return the report as HTML. Raises NoAnswer."""
        from ops.report.page import render  # noqa: PLC0415 - matplotlib takes longer to import than the page

        with self._reporting:
            return render(self._report())

    def close(self) -> None:
        """Read nothing more; what is being read ends with the engine."""
        self._client.close()

    def _count(self) -> Json:
        try:
            return numbers(self._client, DATASET, self._team, datetime.now(UTC))
        except FAILURES as error:
            raise NoAnswer(f"BigQuery did not answer: {first_line(error)}") from error

    def _report(self) -> Report:
        wanted = ReportQuery(
            dataset=DATASET, repository=None, since=None, now=datetime.now(UTC), team=self._team
        )
        try:
            return fetch(self._client, wanted, lambda _: None)
        except FAILURES as error:
            raise NoAnswer(f"BigQuery did not answer: {first_line(error)}") from error

    def _dicts(self, sql: str, values: Json) -> list[Json]:
        columns, rows = self._run(sql, values)
        return [dict(zip(columns, map(text, row), strict=True)) for row in rows]

    def _run(self, sql: str, values: Json) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return names and rows of a query that may take QUERY_SECONDS. Raises NoAnswer."""
        kinds = {int: "INT64", str: "STRING"}
        config = bigquery.QueryJobConfig(
            default_dataset=f"{PROJECT}.{DATASET}",
            query_parameters=[
                bigquery.ScalarQueryParameter(name, kinds[type(value)], value)
                for name, value in values.items()
            ],
        )
        retry = DEFAULT_RETRY.with_timeout(RETRY_SECONDS)
        bounds: Json = {"retry": retry, "job_retry": None}
        try:
            job = self._client.query(sql, job_config=config, timeout=RETRY_SECONDS, **bounds)
            with _stopped_after(QUERY_SECONDS, job):
                found = job.result(timeout=2 * QUERY_SECONDS, max_results=MAX_ROWS + 1, **bounds)
                return [field.name for field in found.schema], [tuple(row.values()) for row in found]
        except FAILURES as error:
            raise NoAnswer(first_line(error)) from error


@contextmanager
def _stopped_after(seconds: float, job: bigquery.QueryJob) -> Iterator[None]:
    """Cancel the job if the block takes longer; it then fails with NoAnswer."""
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        with suppress(*FAILURES):  # the block has a limit of its own
            job.cancel(timeout=RETRY_SECONDS)

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        yield
    except FAILURES as error:
        if not stopped.is_set():
            raise
        raise NoAnswer(f"the query was stopped: it took more than {seconds:g} s") from error
    finally:
        timer.cancel()
        timer.join()


def text(value: object) -> str | None:
    """Return a value as the page shows it: a text, or null."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case datetime():
            shown = value.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
        case date() | clock_time():
            shown = value.isoformat()
        case list() | dict() | tuple():
            shown = json.dumps(value, default=str, ensure_ascii=False)
        case float():
            shown = f"{value:.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
        case _:
            shown = str(value)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
