"""From the views of sql/ to a report; the only module that queries BigQuery for it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from google.cloud import bigquery

from clients.bigquery import QueryRunner
from metrics import queries
from metrics.figures import AGE_LIMITS, DELAY_DAYS, MAX_UNANSWERED, Report
from metrics.rows import RepositoryNames, Times
from metrics.weeks import join_weeks, monday, recent_from


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


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
