"""Reads stored events from BigQuery, as far as the rules ask for them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from clients.bigquery import QueryRunner
from functions.triage.rules import Rule
from metrics import queries
from metrics.query import Query
from ops.report.fetch import find_repository
from ops.stored_payload import from_columns
from ops.triage.trial import StoredEvent
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which events are read: those that happened in a span, of one repository or of all."""

    since: datetime
    until: datetime
    repository: str | None = None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    delivery_id: str
    event: str
    action: str
    event_at: datetime
    repository_id: int | None
    repository: str | None
    sender: str | None
    sender_type: str | None
    issue_number: int | None
    issue_title: str | None
    issue_state: str | None
    issue_author: str | None
    issue_author_type: str | None
    issue_author_association: str | None
    issue_labels: tuple[str, ...]
    issue_assignees: tuple[str, ...]
    is_pull_request: bool | None
    label: str | None
    comment_author: str | None
    comment_author_type: str | None
    comment_author_association: str | None
    issue_body: str | None
    comment_body: str | None
    with_payload: bool


# The days are on the table itself and not on the view issue_events, which would read all of them. QUALIFY is
# the view's. The payload is most of the table, so it is read only if a rule asks for words.
_EVENTS = Query(
    subject="the events",
    row=_Row,
    sql="""
SELECT
  delivery_id, event, action, event_at, repository_id, repository, sender, sender_type, issue_number,
  issue_title, issue_state, issue_author, issue_author_type, issue_author_association, issue_labels,
  issue_assignees, is_pull_request, label, comment_author, comment_author_type, comment_author_association,
  ${TEXTS}
FROM `${DATASET}.events`
WHERE event_at >= @since AND event_at < @until
  AND CONCAT(event, '.', action) IN UNNEST(@events)
  AND (repository_id = @repository OR @repository IS NULL)
QUALIFY ROW_NUMBER() OVER (PARTITION BY delivery_id ORDER BY received_at, inserted_at) = 1
ORDER BY event_at, received_at, delivery_id
LIMIT ${LIMIT}
""",
)
_TEXTS = """\
payload IS NOT NULL AS with_payload,
  JSON_VALUE(payload, '$.issue.body') AS issue_body,
  JSON_VALUE(payload, '$.comment.body') AS comment_body"""
_NO_TEXTS = "TRUE AS with_payload, CAST(NULL AS STRING) AS issue_body, CAST(NULL AS STRING) AS comment_body"


def events(run: QueryRunner, rules: Sequence[Rule], scope: Scope) -> Iterator[StoredEvent]:
    """Yield the events that the rules name, in the order in which they happened, one more than the limit.

    Raises UnknownRepository, and one of clients.bigquery.FAILURES.
    """
    texts = _TEXTS if any(rule.words_any for rule in rules) else _NO_TEXTS
    sql = _EVENTS.sql.replace("${TEXTS}", texts).replace("${LIMIT}", str(scope.limit + 1))
    values = {
        "since": scope.since,
        "until": scope.until,
        "events": sorted({event for rule in rules for event in rule.events}),
        "repository": None
        if scope.repository is None
        else find_repository(scope.repository, run(queries.REPOSITORY_NAMES, {})),
    }
    for row in run.stream(replace(_EVENTS, sql=sql), values):
        yield StoredEvent(event=_event(row), with_payload=row.with_payload)


def _event(row: _Row) -> IssueEvent:
    """Return the event as if its webhook had come when it happened."""
    delivery = Delivery(
        delivery_id=row.delivery_id,
        event=row.event,
        body=json.dumps(from_columns(asdict(row))).encode(),
        received_at=row.event_at,
    )
    return IssueEvent.from_delivery(delivery)
