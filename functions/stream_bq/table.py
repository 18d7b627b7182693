"""Stores rows in BigQuery in groups. Each row is confirmed, or gets its own error."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from clients.bigquery import FAILURES, connect
from pipeline.errors import Unavailable
from pipeline.group_commit import GroupCommit, Limits
from pipeline.once import once

from .row import Row

TIMEOUT_SECONDS = 10.0
STREAM_SECONDS = 30.0  # until the answer, with the time in the queue; Cloud Run ends a request after 60 s
JOB_SECONDS = 35.0
LOAD_SECONDS = 45.0
POLL_SECONDS = 0.5

# BigQuery takes 10 MB in a request and recommends 500 rows: https://cloud.google.com/bigquery/quotas
STREAM_LIMITS = Limits(sends=4, group_items=500, group_bytes=9_000_000, waiting_bytes=50_000_000)
# A table takes 1,500 load jobs a day.
LOAD_LIMITS = Limits(sends=2, group_items=500, group_bytes=9_000_000, waiting_bytes=50_000_000)

# Rows are streamed only to partitions within 1,825 days in the past and 366 in the future; a day is margin.
STREAM_PAST = timedelta(days=1824)
STREAM_FUTURE = timedelta(days=365)


class Table:
    """The events table, used on one event loop.

    The official client blocks, so its calls run on threads of their own. A load never holds up a stream.
    Each call is bounded: the client's defaults retry longer than a function may run.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._client = once(lambda: connect(project=name.rsplit(".", maxsplit=2)[0]))
        self._retry = DEFAULT_RETRY.with_timeout(TIMEOUT_SECONDS)
        self._streams = _group_commit(self._stream, STREAM_LIMITS)
        self._loads = _group_commit(self._load, LOAD_LIMITS)

    async def insert(self, row: Row) -> None:
        """Store one row. Its row id is the delivery id, by which BigQuery drops a quick repetition.

        Raises Unavailable unless BigQuery has confirmed it.
        """
        try:
            if streamable(row.event_at, datetime.now(UTC)):
                await self._streams.submit(row, row.size, STREAM_SECONDS)
            else:
                await self._loads.submit(row, row.size, LOAD_SECONDS)
        except NotFound as error:
            raise Unavailable(
                "table_missing", f"{self._name} does not exist; run ./issuewire schema apply."
            ) from error
        except FAILURES as error:
            raise Unavailable(
                "bigquery_failed", f"{self._name} took no row: {type(error).__name__}."
            ) from error

    def _stream(self, rows: Sequence[Row]) -> Sequence[Unavailable | None]:
        """Insert the rows. A row that BigQuery refuses does not stop the others."""
        refused = self._client().insert_rows_json(
            self._name,
            [row.columns for row in rows],
            row_ids=[row.columns["delivery_id"] for row in rows],
            skip_invalid_rows=True,
            retry=self._retry,
            timeout=TIMEOUT_SECONDS,
        )
        errors: list[list[dict[str, Any]]] = [[] for _ in rows]
        for entry in refused:
            errors[entry["index"]] += entry["errors"]
        return [self._refusal(found) if found else None for found in errors]

    def _refusal(self, errors: Sequence[dict[str, Any]]) -> Unavailable:
        """Return the error of one row: reasons and columns, and no values."""
        found = "; ".join(
            f"{error.get('reason')} at {error.get('location') or 'the row'}" for error in errors
        )
        return Unavailable("row_refused", f"{self._name} refused the row: {found}.")

    def _load(self, rows: Sequence[Row]) -> Sequence[None]:
        """Store by one load job, which accepts any date, and stores all rows or none."""
        deadline = time.monotonic() + JOB_SECONDS
        job = self._client().load_table_from_json(
            [_as_json(row) for row in rows],
            self._name,
            job_config=bigquery.LoadJobConfig(
                autodetect=False,  # if unset, the client reads the table without a time limit
                create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
                write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            ),
            num_retries=1,
            timeout=TIMEOUT_SECONDS,
        )
        self._finish(job, deadline)
        return [None] * len(rows)

    def _finish(self, job: bigquery.LoadJob, deadline: float) -> None:
        """Wait for the job. Its own `result` would allow two minutes for each poll."""
        while not job.done(retry=self._retry, timeout=TIMEOUT_SECONDS):
            if time.monotonic() > deadline:
                raise Unavailable(
                    "load_unfinished", f"{self._name} has not loaded the row in {JOB_SECONDS:.0f} s."
                )
            time.sleep(POLL_SECONDS)
        job.result(timeout=TIMEOUT_SECONDS)  # the job is done: this raises its error, if any


def streamable(event_at: datetime, now: datetime) -> bool:
    """Return whether BigQuery accepts a row of this time by streaming: an event may be about an old issue."""
    return now - STREAM_PAST < event_at < now + STREAM_FUTURE


def _group_commit(store: Callable[[Sequence[Row]], Sequence[Any]], limits: Limits) -> GroupCommit[Row, None]:
    threads = ThreadPoolExecutor(limits.sends)  # starts none before the first call

    async def send(rows: Sequence[Row], _seconds: float) -> Sequence[Any]:
        return await asyncio.get_running_loop().run_in_executor(threads, store, rows)

    return GroupCommit(send, limits, splits=_may_be_one_row)


def _may_be_one_row(error: Exception) -> bool:
    """Return whether one row, or too many of them, can be why BigQuery refused the whole request or job."""
    return isinstance(error, GoogleAPICallError) and error.code in {400, 413}


def _as_json(row: Row) -> dict[str, Any]:
    """Return the columns for a load, which takes the payload as JSON and not as text."""
    payload = row.columns["payload"]
    return {**row.columns, "payload": None if payload is None else json.loads(payload)}
