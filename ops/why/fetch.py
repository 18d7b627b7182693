"""Reads the stored deliveries of one issue from BigQuery."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast, get_args

from google.cloud import bigquery

from clients.bigquery import QueryRunner
from metrics import queries
from metrics.query import Query
from ops.report.fetch import UnknownRepository, find_repository
from ops.stored_payload import from_columns
from ops.why.timeline import IssueName, StoredDelivery
from pipeline.delivery import Delivery, Source
from pipeline.events import IssueEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """The columns from which a delivery can be explained; `payload` is its JSON text."""

    delivery_id: str
    event: str
    action: str | None
    received_at: datetime
    inserted_at: datetime | None
    source: str | None
    repository: str
    sender: str | None
    sender_type: str | None
    issue_title: str | None
    issue_state: str | None
    issue_author: str | None
    issue_author_type: str | None
    issue_labels: tuple[str, ...]
    issue_assignees: tuple[str, ...]
    is_pull_request: bool | None
    label: str | None
    payload: str | None


# The table is clustered by these columns, so only the issue's part is read, where the view issue_events reads
# all of it. QUALIFY is the view's; all copies of a delivery are about the same issue.
ISSUE_EVENTS = Query(
    subject="the issue's deliveries",
    row=EventRow,
    sql="""
SELECT
  delivery_id, event, action, received_at, inserted_at, source, repository, sender, sender_type,
  issue_title, issue_state, issue_author, issue_author_type, issue_labels, issue_assignees, is_pull_request,
  label, TO_JSON_STRING(payload) AS payload
FROM `${DATASET}.events`
WHERE repository IN UNNEST(@names) AND issue_number = @number AND repository_id = @repository
QUALIFY ROW_NUMBER() OVER (PARTITION BY delivery_id ORDER BY received_at, inserted_at) = 1
ORDER BY received_at, delivery_id
""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIssue:
    """The issue's deliveries in the order of their receipt, and every name that its repository had."""

    names: tuple[str, ...]
    deliveries: tuple[StoredDelivery, ...]


def fetch(
    client: bigquery.Client, dataset: str, issue: IssueName, progress: Callable[[str], None]
) -> StoredIssue:
    """Return what is stored about the issue. Raises what the client raises."""
    run = QueryRunner(client, dataset, progress)
    repositories = run(queries.REPOSITORY_NAMES, {})
    try:
        repository_id = find_repository(issue.repository, repositories)
    except UnknownRepository:
        return StoredIssue(names=(issue.repository,), deliveries=())
    [names] = [repository.names for repository in repositories if repository.id == repository_id]
    rows = run(ISSUE_EVENTS, {"names": list(names), "number": issue.number, "repository": repository_id})
    return StoredIssue(
        names=tuple(sorted(names)),
        deliveries=tuple(_delivery(row, repository_id, issue.number) for row in rows),
    )


def _delivery(row: EventRow, repository_id: int, number: int) -> StoredDelivery:
    columns = {**asdict(row), "repository_id": repository_id, "issue_number": number}
    with_payload = row.payload not in {None, "null"}
    body = row.payload if with_payload else json.dumps(from_columns(columns))
    delivery = Delivery(
        delivery_id=row.delivery_id,
        event=row.event,
        body=(body or "").encode(),
        received_at=row.received_at,
        source=cast("Source", row.source) if row.source in get_args(Source) else "webhook",
    )
    return StoredDelivery(
        event=IssueEvent.from_delivery(delivery), inserted_at=row.inserted_at, with_payload=with_payload
    )
