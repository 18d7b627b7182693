"""Loads deliveries that are too old to be streamed straight into BigQuery, many rows by each load job.

stream_bq would need one load job for each, and BigQuery allows 1,500 a day for a table.
https://cloud.google.com/bigquery/quotas#load_jobs
"""

import io
import json
import time
from datetime import UTC, datetime, timedelta

from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from clients.bigquery import FAILURES, connect, explain
from functions.stream_bq.row import to_row
from functions.stream_bq.table import STREAM_PAST
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable
from pipeline.events import IssueEvent

# Pub/Sub keeps a message for seven days: what is published must still be young enough to be streamed then.
LOAD_PAST = STREAM_PAST - timedelta(days=8)
BATCH_ROWS = 10_000  # the checkpoint moves that often
BATCH_BYTES = 30_000_000  # of memory
CALL_SECONDS = 60.0
JOB_SECONDS = 600.0
POLL_SECONDS = 0.5


def is_old(delivery: Delivery, began_at: datetime) -> bool:
    """Return whether the delivery's row is loaded and not streamed, in a backfill that began then."""
    return IssueEvent.from_delivery(delivery).event_at < began_at - LOAD_PAST


class OldRows:
    """Loads rows into `table`, PROJECT.DATASET.events; `jobs` counts the load jobs."""

    def __init__(self, table: str, *, store_payload: bool) -> None:
        self._client = connect(table.split(".", maxsplit=1)[0])
        self._table = table
        self._store_payload = store_payload
        self._lines = io.BytesIO()
        self._rows = 0
        self.jobs = 0

    def close(self) -> None:
        """Close the connection."""
        self._client.close()  # type: ignore[no-untyped-call]

    def add(self, delivery: Delivery) -> None:
        """Take one delivery, and load what was added if that is large. Raises Unavailable."""
        event = IssueEvent.from_delivery(delivery)
        row = to_row(event, datetime.now(UTC), store_payload=self._store_payload).columns
        payload = row["payload"]  # a load takes the payload as JSON and not as text
        fields = json.dumps({name: value for name, value in row.items() if name != "payload"})
        self._lines.write(f'{fields[:-1]}, "payload": {payload or "null"}}}\n'.encode())
        self._rows += 1
        if self._lines.tell() >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Load what was added. When this returns, BigQuery has stored all of it. Raises Unavailable."""
        if not self._rows:
            return
        try:
            self._finish(self._start())
        except NotFound as error:
            raise Unavailable(
                "table_missing", f"{self._table} does not exist; run ./issuewire schema apply."
            ) from error
        except FAILURES as error:
            raise Unavailable("load_failed", f"{self._table} took no rows: {explain(error)}") from error
        self._lines, self._rows = io.BytesIO(), 0

    def _start(self) -> bigquery.LoadJob:
        self.jobs += 1
        return self._client.load_table_from_file(
            self._lines,
            self._table,
            rewind=True,
            size=self._lines.tell(),
            job_config=bigquery.LoadJobConfig(
                autodetect=False,
                source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
                create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
                write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            ),
            timeout=CALL_SECONDS,
        )

    def _finish(self, job: bigquery.LoadJob) -> None:
        """Wait for the job, and raise its error if it has one."""
        retry = DEFAULT_RETRY.with_timeout(CALL_SECONDS)
        deadline = time.monotonic() + JOB_SECONDS
        while not job.done(retry=retry, timeout=CALL_SECONDS):
            if time.monotonic() > deadline:
                raise Unavailable(
                    "load_unfinished",
                    f"{self._table} has not loaded {self._rows:,} rows in {JOB_SECONDS:.0f} s.",
                )
            time.sleep(POLL_SECONDS)
        job.result(timeout=CALL_SECONDS)
