"""Reads in BigQuery what is stored, and keeps the ledger of the runs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from clients.bigquery import FAILURES, connect, unavailable
from pipeline.once import once

from .missed import KnownIssue
from .plan import LedgerRow, Past

CALL_SECONDS = 60.0
RETRY_SECONDS = 30.0
IDS_AT_ONCE = 20_000  # a query's text and parameters may have 10 MB
MARGIN = timedelta(days=1)
EVER = datetime(1, 1, 1, tzinfo=UTC)

# Only the partitions from @since on are read. An event may be dated by its old issue, so what is not found
# there is looked for in all of them.
_STORED = """
SELECT DISTINCT delivery_id FROM `{dataset}.events`
WHERE delivery_id IN UNNEST(@ids) AND event_at >= @since
"""
_STORED_UNTIL = """
SELECT MAX(received_at) AS moment FROM `{dataset}.events`
WHERE event_at >= @since AND source = 'webhook' AND inserted_at <= @inserted_by
"""
_ISSUES = """
SELECT issue_number, issue_updated_at, issue_state, issue_title, issue_labels, issue_assignees
FROM `{dataset}.events`
WHERE repository_id = @repository_id AND issue_number IN UNNEST(@numbers) AND issue_updated_at IS NOT NULL
  AND event_at >= @since
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY issue_number ORDER BY issue_updated_at DESC, event_at DESC, received_at DESC
) = 1
"""
_PAST = """
SELECT
  (SELECT MAX(window_end) FROM `{dataset}.delivery_ledger`) AS ended_at,
  (
    SELECT MIN(window_start) FROM (
      SELECT window_start, expected, stored, refused FROM `{dataset}.delivery_ledger`
      WHERE window_end > @horizon
      QUALIFY ROW_NUMBER() OVER (
        PARTITION BY source, hook_id, DATE(window_start) ORDER BY run_at DESC
      ) = 1
    )
    WHERE expected > stored + refused
  ) AS open_since
"""


class Ledger:
    """The tables events and delivery_ledger of a dataset, PROJECT.DATASET. Every method raises Unavailable.

    Each call is bounded: the client's own retry goes on for ten minutes.
    """

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        self._client = once(lambda: connect(project=dataset.rsplit(".", maxsplit=1)[0]))
        self._retry = DEFAULT_RETRY.with_timeout(RETRY_SECONDS)

    def past(self, horizon: datetime) -> Past:
        """Return what the ledger proves; days that ended before `horizon` cannot be looked at again."""
        [row] = self._query(_PAST, _moment("horizon", horizon))
        return Past(ended_at=row["ended_at"], open_since=row["open_since"])

    def stored(self, ids: Collection[str], since: datetime) -> frozenset[str]:
        """Return which of the deliveries are stored; most have happened `since` then."""
        found: set[str] = set()
        for bound in (since - MARGIN, EVER):
            for some in batched([each for each in ids if each not in found], IDS_AT_ONCE, strict=False):
                parameters = (bigquery.ArrayQueryParameter("ids", "STRING", some), _moment("since", bound))
                found |= {row["delivery_id"] for row in self._query(_STORED, *parameters)}
        return frozenset(found)

    def stored_until(self, inserted_by: datetime) -> datetime | None:
        """Return when the latest of the deliveries stored until `inserted_by` was received."""
        since = _moment("since", inserted_by - 7 * MARGIN)
        [row] = self._query(_STORED_UNTIL, since, _moment("inserted_by", inserted_by))
        moment: datetime | None = row["moment"]
        return moment

    def issues(self, repository_id: int, numbers: Collection[int], since: datetime) -> dict[int, KnownIssue]:
        """Return the latest stored state of the issues; most have changed `since` then."""
        found: dict[int, KnownIssue] = {}
        for bound in (since - MARGIN, EVER):
            for some in batched([each for each in numbers if each not in found], IDS_AT_ONCE, strict=False):
                parameters = (
                    bigquery.ScalarQueryParameter("repository_id", "INT64", repository_id),
                    bigquery.ArrayQueryParameter("numbers", "INT64", some),
                    _moment("since", bound),
                )
                found |= {row["issue_number"]: _issue(row) for row in self._query(_ISSUES, *parameters)}
        return found

    def write(self, rows: Sequence[LedgerRow]) -> None:
        """Store the rows of a run, all or none."""
        config = bigquery.LoadJobConfig(
            autodetect=False,  # if unset, the client reads the table without a time limit
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
        )
        content = [
            {name: _json(value) for name, value in asdict(row).items()}
            for row in rows
        ]  # fmt: skip
        try:
            job = self._client().load_table_from_json(
                content,
                f"{self._dataset}.delivery_ledger",
                job_config=config,
                num_retries=1,
                timeout=CALL_SECONDS,
            )
            job.result(retry=self._retry, timeout=CALL_SECONDS)
        except FAILURES as error:
            raise unavailable(error) from error

    def _query(self, sql: str, *parameters: Any) -> Iterator[Any]:
        config = bigquery.QueryJobConfig(query_parameters=list(parameters))
        try:
            job = self._client().query(
                sql.format(dataset=self._dataset),
                job_config=config,
                timeout=CALL_SECONDS,
                retry=self._retry,
                job_retry=None,
            )
            yield from job.result(timeout=CALL_SECONDS, retry=self._retry, job_retry=None)
        except FAILURES as error:
            raise unavailable(error) from error


def _moment(name: str, value: datetime) -> bigquery.ScalarQueryParameter:
    return bigquery.ScalarQueryParameter(name, "TIMESTAMP", value)


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _issue(row: Any) -> KnownIssue:
    return KnownIssue(
        updated_at=row["issue_updated_at"],
        state=row["issue_state"],
        title=row["issue_title"],
        labels=frozenset(row["issue_labels"]),
        assignees=frozenset(row["issue_assignees"]),
    )
