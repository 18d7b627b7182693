"""From the views of sql/ to a report; the only module that queries BigQuery for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from google.cloud import bigquery

from clients.bigquery import QueryRunner
from metrics import queries
from metrics.figures import AGE_LIMITS, DELAY_DAYS, MAX_LABELS, Authors, LabelTimes, Report, Repository
from metrics.rows import RepositoryNames
from metrics.times import TIMES, Times
from metrics.waiting import WAITING, ranked
from metrics.weeks import join_weeks, monday, recent_from, trends
from pipeline.team import Team

AUTHORS = ("the team", "others", "bots")


class UnknownRepository(Exception):
    """No event of the repository is stored; `known` are the names of those that are."""

    def __init__(self, requested: str, known: Iterable[str]) -> None:
        super().__init__(f"nothing is stored of {requested}")
        self.known = tuple(sorted(set(known)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """What the report is about. `since` is rounded down to its Monday; `repository` None means all.

    Without `labels` the most used ones are shown.
    """

    dataset: str
    repository: str | None
    since: date | None
    now: datetime
    team: Team = field(default_factory=Team)
    labels: tuple[str, ...] = ()


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
    waiting = ranked(run(WAITING, scope), query.team.targets, query.team.hours, query.now)
    times = Times(run(TIMES, period | {"recent": _midnight(recent_from(query.now))}))
    last_week = max(monday(query.now), since or date.min)
    by_repository = run(queries.WEEKS, scope)
    weeks, initial_backlog = join_weeks(by_repository, since, last_week)
    return Report(
        made_at=query.now,
        since=since,
        requested=query.repository,
        repositories=_repositories(
            run(queries.REPOSITORIES, period), times, trends(by_repository, last_week)
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
        waiting=tuple(waiting),
        has_targets=bool(query.team.targets),
        has_team=bool(query.team.logins),
        responses=times.get("response", "all"),
        team_responses=times.get("team response", "all"),
        close=times.get("close", "all"),
        recent_response=times.get("response", "recent"),
        earlier_response=times.get("response", "earlier"),
        ages=run(queries.AGES, scope | {"age_limits": list(AGE_LIMITS)}),
        backlog_age=run(queries.BACKLOG_AGE, scope)[0],
        cohorts=tuple(
            replace(cohort, close=times.get("close", "opened", week=cohort.week))
            for cohort in run(queries.COHORTS, scope)
            if cohort.opened and cohort.week >= (since or date.min)
        ),
        authors=_authors(run(queries.AUTHORS, period), times),
        labels=choose_labels(run(queries.LABELS, scope), query.labels),
        delay=replace(
            run(queries.DELAY, {"from_time": _midnight(from_day)})[0],
            days=run(queries.DELAY_DAYS, {"from_day": from_day}),
        ),
    )


def choose_labels(found: Sequence[LabelTimes], chosen: Iterable[str]) -> tuple[LabelTimes, ...]:
    """Return the chosen labels, in any case, or the first ones if none are chosen.

    A chosen label that no issue has carried has n = 0.
    """
    by_name = {label.label.casefold(): label for label in found}
    names = dict.fromkeys(chosen)
    return tuple(by_name.get(name.casefold(), LabelTimes(label=name)) for name in names) or tuple(
        found[:MAX_LABELS]
    )


def _repositories(
    found: Iterable[Repository], times: Times, trend: Mapping[int, tuple[int, ...]]
) -> tuple[Repository, ...]:
    return tuple(
        replace(
            repository,
            responses=times.get("response", "repository", repository.id),
            close=times.get("close", "repository", repository.id),
            trend=trend.get(repository.id, ()),
        )
        for repository in found
    )


def _authors(found: Iterable[Authors], times: Times) -> tuple[Authors, ...]:
    """Return the counts and times of the team, others and bots; no times are taken of issues of bots."""
    by_name = {authors.name: authors for authors in found}
    return tuple(
        replace(
            by_name.get(name, Authors(name=name)),
            response=times.get("response", f"by {name}"),
            team_response=times.get("team response", f"by {name}"),
            close=times.get("close", f"by {name}"),
        )
        for name in AUTHORS
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
