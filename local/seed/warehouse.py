"""The year in the local BigQuery: the rows that stream_bq stores, by load jobs."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from google.cloud import bigquery

from local.seed.year import Sent

ROWS = 1_000  # of one job
SECONDS = 60.0


def is_loaded(client: bigquery.Client, table: str, first: Sent) -> bool:
    """Return whether the table has the first delivery of the year. Raises one of FAILURES, like `load`."""
    sql = f"SELECT COUNT(*) AS n FROM `{table}` WHERE delivery_id = '{first.delivery.delivery_id}'"
    [row] = client.query_and_wait(sql, api_timeout=SECONDS, wait_timeout=SECONDS)
    return bool(row.n)


def load(
    client: bigquery.Client, table: str, deliveries: Sequence[Sent], payloads_since: datetime
) -> Iterator[int]:
    """Store the rows, with payloads only since then, and yield how many are stored, after each job.

    Payloads are most of the bytes; a replay needs them.
    """
    done = 0
    for some in batched(deliveries, ROWS, strict=False):
        rows = [_row(sent, payloads_since) for sent in some]
        client.load_table_from_json(rows, table, timeout=SECONDS).result(timeout=SECONDS)
        done += len(rows)
        yield done


def _row(sent: Sent, payloads_since: datetime) -> dict[str, Any]:
    """Return the row as a load job takes it: the payload as JSON, and not as its text."""
    row = sent.row(store_payload=sent.delivery.received_at >= payloads_since)
    return row | {"payload": row["payload"] and json.loads(row["payload"])}
