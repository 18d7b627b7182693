"""From the views of sql/ to a report; the only module that queries BigQuery for it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from metrics import queries
from metrics.figures import AGE_LIMITS, DELAY_DAYS, MAX_UNANSWERED, Report
from metrics.rows import RepositoryNames, Times
from metrics.weeks import join_weeks, monday, recent_from

QUERY_SECONDS = 120.0
RETRY_SECONDS = 10.0  # the client retries for ten minutes by default, without a word


class UnknownRepository(Exception):
    """No event of the repository is stored; `known` are the names of those that are."""

    def __init__(self, requested: str, known: Iterable[str]) -> None:
        super().__init__(f"nothing is stored of {requested}")
        self.known = tuple(sorted(set(known)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """What the report is about. `since` is rounded down to its Monday; `repository` None means all."""

    dataset: str
    repository: str | None
    since: date | None
    now: datetime


def fetch(client: bigquery.Client, query: ReportQuery, progress: Callable[[str], None]) -> Report:
    """Run every query of the report; `progress` gets the subject of each before it runs.

    Raises UnknownRepository, and what the client raises.
    """
    since = None if query.since is None else monday(query.since)
    from_day = max(since or date.min, query.now.astimezone(UTC).date() - timedelta(days=DELAY_DAYS))
    run = QueryRunner(client, query.dataset, progress)
    scope: dict[str, Any] = {"repository": None}
    if query.repository is not None:
        scope = {"repository": find_repository(query.repository, run(queries.REPOSITORY_NAMES, {}))}
    period = scope | {"since": _midnight(since or date(1, 1, 1))}
    times = Times(run(queries.TIMES, period | {"recent": _midnight(recent_from(query.now))}))
    last_week = max(monday(query.now), since or date.min)
    weeks, initial_backlog = join_weeks(run(queries.WEEKS, scope), since, last_week)
    return Report(
        made_at=query.now,
        since=since,
        requested=query.repository,
        repositories=tuple(
            replace(
                repository,
                responses=times.get("response", "repository", repository.id),
                close=times.get("close", "repository", repository.id),
            )
            for repository in run(queries.REPOSITORIES, period)
        ),
        weeks=tuple(
            replace(
                week,
                response=times.get("response", "week", week=week.week),
                close=times.get("close", "week", week=week.week),
            )
            for week in weeks
        ),
        initial_backlog=initial_backlog,
        responses=times.get("response", "all"),
        close=times.get("close", "all"),
        recent_response=times.get("response", "recent"),
        earlier_response=times.get("response", "earlier"),
        ages=run(queries.AGES, scope | {"age_limits": list(AGE_LIMITS)}),
        oldest_unanswered=run(queries.UNANSWERED_ISSUES, scope | {"max_rows": MAX_UNANSWERED}),
        delay=replace(
            run(queries.DELAY, {"from_time": _midnight(from_day)})[0],
            days=run(queries.DELAY_DAYS, {"from_day": from_day}),
        ),
    )


def find_repository(requested: str, repositories: Sequence[RepositoryNames]) -> int:
    """Return the id of the repository of this name, or else of the only one that once had it.

    `repositories` are in the order of their last event, the latest first: a new repository may have taken the
    name of a deleted one.

    Raises UnknownRepository.
    """
    name = requested.casefold()
    current = [repository.id for repository in repositories if repository.name.casefold() == name]
    former = [
        repository.id for repository in repositories if name in {old.casefold() for old in repository.names}
    ]
    if not current and len(former) != 1:
        raise UnknownRepository(requested, (repository.name for repository in repositories))
    return (current or former)[0]


class QueryRunner:
    """Runs queries on one dataset, each with a time limit."""

    def __init__(self, client: bigquery.Client, dataset: str, progress: Callable[[str], None]) -> None:
        self._client = client
        self._dataset = dataset
        self._progress = progress

    def __call__[Row](self, query: queries.Query[Row], values: Mapping[str, Any]) -> tuple[Row, ...]:
        """Return the rows of the query with these parameters."""
        return tuple(self.stream(query, values))

    def stream[Row](self, query: queries.Query[Row], values: Mapping[str, Any]) -> Iterator[Row]:
        """Yield the rows as they arrive: they may be too many for the memory."""
        self._progress(query.subject)
        retry = DEFAULT_RETRY.with_timeout(RETRY_SECONDS)
        job = self._client.query(
            query.sql.replace("${DATASET}", self._dataset),
            job_config=bigquery.QueryJobConfig(
                query_parameters=[_parameter(name, value) for name, value in values.items()]
            ),
            retry=retry,
            job_retry=None,
            timeout=RETRY_SECONDS,
        )
        rows = job.result(retry=retry, job_retry=None, timeout=QUERY_SECONDS)
        for row in rows:
            yield query.row(
                **{name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
            )


def _parameter(name: str, value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    if isinstance(value, list):
        return bigquery.ArrayQueryParameter(name, "STRING" if isinstance(value[0], str) else "INT64", value)
    kind = "TIMESTAMP" if isinstance(value, datetime) else "DATE" if isinstance(value, date) else "INT64"
    return bigquery.ScalarQueryParameter(name, kind, value)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
