"""Stores what became of each action, one row in the table triage_actions."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.cloud.bigquery.retry import DEFAULT_RETRY

from clients.bigquery import FAILURES, connect, unavailable
from pipeline.delivery import format_time
from pipeline.errors import Unavailable
from pipeline.events import IssueEvent
from pipeline.once import once

from .outcome import Outcome

CALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: its columns, and the id by which BigQuery drops a quick repetition."""

    id: str
    columns: dict[str, Any]


def to_row(event: IssueEvent, outcome: Outcome, at: datetime, *, dry_run: bool) -> Row:
    """Return the row of an outcome. A repeated delivery has further rows, as far as its results differ."""
    number = event.issue.number if event.issue else None
    columns = {
        "delivery_id": event.delivery_id,
        "rule": outcome.action.rule,
        "repository_id": event.repository_id,
        "issue": f"{event.repository}#{number}",
        "issue_number": number,
        "what": outcome.action.what,
        "value": outcome.value,
        "result": outcome.result,
        "reason": outcome.reason,
        "dry_run": dry_run or outcome.action.dry_run,
        "at": format_time(at),
    }
    action = outcome.action
    parts = f"{event.delivery_id}\n{action.rule}\n{action.what}\n{action.value}\n{outcome.result}"
    # BigQuery takes up to 128 characters.
    return Row(id=hashlib.sha256(parts.encode()).hexdigest(), columns=columns)


class ActionTable:
    """The table triage_actions of a dataset, PROJECT.DATASET. Each call has a time limit."""

    def __init__(self, dataset: str) -> None:
        self._name = f"{dataset}.triage_actions"
        self._client = once(lambda: connect(project=dataset.rsplit(".", maxsplit=1)[0]))
        self._retry = DEFAULT_RETRY.with_timeout(CALL_SECONDS)

    def insert(self, rows: Sequence[Row]) -> None:
        """Store the rows. Raises Unavailable unless BigQuery has confirmed all of them."""
        try:
            refused = self._client().insert_rows_json(
                self._name,
                [row.columns for row in rows],
                row_ids=[row.id for row in rows],
                retry=self._retry,
                timeout=CALL_SECONDS,
            )
        except FAILURES as error:
            raise unavailable(error) from error
        if refused:
            reasons = {str(found.get("reason")) for entry in refused for found in entry["errors"]}
            raise Unavailable("row_refused", f"{self._name} refused a row: {', '.join(sorted(reasons))}.")
