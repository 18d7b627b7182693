"""Finds stored deliveries in BigQuery, and reads them as they are published again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from clients.bigquery import QueryRunner
from metrics import queries
from metrics.query import Query
from ops.report.fetch import UnknownRepository, find_repository
from ops.why.timeline import IssueName
from pipeline.delivery import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A condition on the columns of `events`, with its parameters."""

    where: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A delivery that is stored; `first` and `last` are the event_at of its copies."""

    delivery_id: str
    event: str
    action: str | None
    received_at: datetime
    first: datetime
    last: datetime

    @property
    def title(self) -> str:
        """Return the event with its action, such as issues.opened."""
        return f"{self.event}.{self.action}" if self.action else self.event


@dataclass(frozen=True, slots=True, kw_only=True)
class _Id:
    delivery_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """The first copy of a delivery that has a payload, which is its JSON text."""

    delivery_id: str
    event: str
    action: str | None
    repository: str | None
    received_at: datetime
    source: str | None
    hook_id: int | None
    payload: str


# The payload is most of the table, so it is read only from the days on which the deliveries are.
_STORED = Query(
    subject="the deliveries",
    row=Stored,
    sql="""
SELECT
  delivery_id,
  ANY_VALUE(event) AS event,
  ANY_VALUE(action) AS action,
  MIN(received_at) AS received_at,
  MIN(event_at) AS first,
  MAX(event_at) AS last
FROM `${DATASET}.events`
WHERE ${WHERE}
GROUP BY delivery_id
ORDER BY received_at, delivery_id
""",
)
_WITH_PAYLOAD = Query(
    subject="which have a payload",
    row=_Id,
    sql="""
SELECT DISTINCT delivery_id
FROM `${DATASET}.events`
WHERE ${WHERE} AND event_at BETWEEN @first AND @last AND payload IS NOT NULL
""",
)
_COPIES = Query(
    subject="the payloads",
    row=_Copy,
    sql="""
SELECT
  delivery_id, event, action, repository, received_at, source, hook_id, TO_JSON_STRING(payload) AS payload
FROM `${DATASET}.events`
WHERE ${WHERE} AND event_at BETWEEN @first AND @last AND payload IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY delivery_id ORDER BY received_at, inserted_at) = 1
ORDER BY received_at, delivery_id
""",
)


def by_ids(ids: Sequence[str]) -> Selection:
    """Select deliveries by their ids."""
    return Selection(where="delivery_id IN UNNEST(@ids)", values={"ids": list(ids)})


def by_span(since: datetime, until: datetime) -> Selection:
    """Select what ingest received from `since` to before `until`."""
    return Selection(
        where="received_at >= @since AND received_at < @until", values={"since": since, "until": until}
    )


def by_issue(run: QueryRunner, issue: IssueName) -> Selection | None:
    """Select the deliveries about an issue, under every name of its repository; None if none is stored."""
    repositories = run(queries.REPOSITORY_NAMES, {})
    try:
        found = find_repository(issue.repository, repositories)
    except UnknownRepository:
        return None
    [names] = [repository.names for repository in repositories if repository.id == found]
    return Selection(
        # The table is clustered by the first two.
        where="repository IN UNNEST(@names) AND issue_number = @number AND repository_id = @repository",
        values={"names": list(names), "number": issue.number, "repository": found},
    )


def find(run: QueryRunner, selection: Selection) -> tuple[list[Stored], list[Stored]]:
    """Return the selected deliveries that have a payload, and those that have none, by their receipt."""
    stored = run(_where(_STORED, selection), selection.values)
    if not stored:
        return [], []
    known = {row.delivery_id for row in run(_where(_WITH_PAYLOAD, selection), _bounded(selection, stored))}
    return (
        [each for each in stored if each.delivery_id in known],
        [each for each in stored if each.delivery_id not in known],
    )


def deliveries(
    run: QueryRunner, selection: Selection, stored: Sequence[Stored], only: str | None
) -> Iterator[Delivery]:
    """Yield the deliveries with their payloads, for one subscription or for all."""
    for copy in run.stream(_where(_COPIES, selection), _bounded(selection, stored)):
        yield Delivery(
            delivery_id=copy.delivery_id,
            event=copy.event,
            body=copy.payload.encode(),
            received_at=copy.received_at,
            action=copy.action,
            repository=copy.repository,
            source="backfill" if copy.source == "backfill" else "replay",
            hook_id=copy.hook_id,
            only=only,
        )


def _where[Row](query: Query[Row], selection: Selection) -> Query[Row]:
    return replace(query, sql=query.sql.replace("${WHERE}", selection.where))


def _bounded(selection: Selection, stored: Sequence[Stored]) -> dict[str, Any]:
    bounds = {"first": min(each.first for each in stored), "last": max(each.last for each in stored)}
    return {**selection.values, **bounds}
