"""Stores one row in BigQuery, or raises an error."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from clients.bigquery import FAILURES, connect
from pipeline.errors import Unavailable

TIMEOUT_SECONDS = 10.0
LOAD_SECONDS = 40.0
POLL_SECONDS = 0.5

# Rows are streamed only to partitions within 1,825 days in the past and 366 in the future; a day is margin.
STREAM_PAST = timedelta(days=1824)
STREAM_FUTURE = timedelta(days=365)


class Table:
    """The events table. Each call is bounded: the client's defaults retry longer than a function may run."""

    def __init__(self, name: str) -> None:
        self._client = connect(project=name.rsplit(".", maxsplit=2)[0])
        self._name = name
        self._retry = DEFAULT_RETRY.with_timeout(TIMEOUT_SECONDS)

    def insert(self, columns: Mapping[str, Any], event_at: datetime) -> None:
        """Store one row. Its row id is the delivery id, by which BigQuery drops a quick repetition.

        Raises Unavailable unless BigQuery has confirmed it.
        """
        try:
            if streamable(event_at, datetime.now(UTC)):
                self._stream(columns)
            else:
                self._load(columns)
        except NotFound as error:
            raise Unavailable(
                "table_missing", f"{self._name} does not exist; run ./issuewire schema apply."
            ) from error
        except FAILURES as error:
            raise Unavailable(
                "bigquery_failed", f"{self._name} took no row: {type(error).__name__}."
            ) from error

    def _stream(self, columns: Mapping[str, Any]) -> None:
        refused = self._client.insert_rows_json(
            self._name,
            [dict(columns)],
            row_ids=[columns["delivery_id"]],
            retry=self._retry,
            timeout=TIMEOUT_SECONDS,
        )
        if refused:
            raise Unavailable("row_refused", f"{self._name} refused the row: {_summary(refused)}.")

    def _load(self, columns: Mapping[str, Any]) -> None:
        """Store by a load job, which accepts any date. A load takes the payload as JSON and not as text."""
        payload = columns["payload"]
        row = {**columns, "payload": None if payload is None else json.loads(payload)}
        job = self._client.load_table_from_json(
            [row],
            self._name,
            job_config=bigquery.LoadJobConfig(
                autodetect=False,  # if unset, the client reads the table without a time limit
                create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
                write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            ),
            num_retries=1,
            timeout=TIMEOUT_SECONDS,
        )
        self._finish(job)

    def _finish(self, job: bigquery.LoadJob) -> None:
        """Wait for the job. Its own `result` would allow two minutes for each poll."""
        deadline = time.monotonic() + LOAD_SECONDS
        while not job.done(retry=self._retry, timeout=TIMEOUT_SECONDS):
            if time.monotonic() > deadline:
                raise Unavailable(
                    "load_unfinished", f"{self._name} has not loaded the row in {LOAD_SECONDS:.0f} s."
                )
            time.sleep(POLL_SECONDS)
        job.result(timeout=TIMEOUT_SECONDS)  # the job is done: this raises its error, if any


def streamable(event_at: datetime, now: datetime) -> bool:
    """Return whether BigQuery accepts a row of this time by streaming: an event may be about an old issue."""
    return now - STREAM_PAST < event_at < now + STREAM_FUTURE


def _summary(refused: Sequence[dict[str, Any]]) -> str:
    """Return reasons and columns, and no values."""
    errors = [error for row in refused for error in row.get("errors", [])]
    return "; ".join(f"{error.get('reason')} at {error.get('location') or 'the row'}" for error in errors)
