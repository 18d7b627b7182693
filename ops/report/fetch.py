"""From the views of sql/ to the figures of a report; the only place that asks BigQuery."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from metrics import queries as sql
from metrics.figures import (
    DELAY_DAYS,
    Age,
    Delay,
    DelayDay,
    Report,
    Repository,
    Responses,
    Spread,
    Waiting,
    Week,
    join_weeks,
    monday,
    recent_from,
    with_spreads,
)

QUERY_SECONDS = 120.0
RETRY_SECONDS = 10.0  # the client's own default is ten minutes, in silence
MOST_WAITING = 20
BUCKETS = (0, 7, 30, 90, 365)  # the first day of each age

Rows = list[dict[str, Any]]


class UnknownRepository(Exception):
    """No event of the repository is stored; `known` are the names that are."""

    def __init__(self, asked: str, known: Sequence[str]) -> None:
        super().__init__(f"nothing is stored of {asked}")
        self.known = tuple(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the report is about. `since` is rounded down to its Monday; `repository` None means all."""

    dataset: str
    repository: str | None
    since: date | None
    now: datetime


def fetch(client: bigquery.Client, wanted: Wanted, say: Callable[[str], None]) -> Report:
    """Ask for everything; `say` hears what is asked for next.

    Raises UnknownRepository, and what the client raises.
    """
    since = None if wanted.since is None else monday(wanted.since)
    from_day = max(since or date.min, wanted.now.astimezone(UTC).date() - timedelta(days=DELAY_DAYS))
    ask = _Asker(client, wanted.dataset, say)
    identity = None
    if wanted.repository is not None:
        identity = find(wanted.repository, ask("the repositories' names", sql.NAMES, {}))
    scope: dict[str, Any] = {"repository": identity}
    period = scope | {"since": _midnight(since or date(1, 1, 1))}
    spreads = _Spreads(
        ask("response and close times", sql.SPREADS, period | {"recent": _midnight(recent_from(wanted.now))})
    )
    weeks, before = join_weeks(
        _weeks(ask("the weeks", sql.WEEKS, scope)), since, max(monday(wanted.now), since or date.min)
    )
    return Report(
        made_at=wanted.now,
        since=since,
        asked=wanted.repository,
        repositories=tuple(
            _repository(row, spreads) for row in ask("the repositories", sql.REPOSITORIES, period)
        ),
        weeks=with_spreads(weeks, spreads.by_week("response"), spreads.by_week("close")),
        backlog_before=before,
        responses=spreads.responses("all"),
        close=spreads.get("close", "all"),
        recent_response=spreads.get("response", "recent"),
        earlier_response=spreads.get("response", "earlier"),
        ages=_ages(ask("the backlog's age", sql.AGES, scope | {"buckets": list(BUCKETS)})),
        waiting=tuple(
            _waiting(row) for row in ask("unanswered issues", sql.WAITING, scope | {"most": MOST_WAITING})
        ),
        delay=_delay(
            ask("the pipeline's delay", sql.DELAY, {"from_time": _midnight(from_day)})[0],
            ask("the pipeline's delay by day", sql.DELAY_BY_DAY, {"from_day": from_day}),
        ),
    )


def find(asked: str, rows: Rows) -> int:
    """Return the id of the repository that has this name, or else of the one that had it before."""
    name = asked.casefold()
    now = [row["repository_id"] for row in rows if row["name"].casefold() == name]
    once = [row["repository_id"] for row in rows if name in {old.casefold() for old in row["names"]}]
    if not now and len(once) != 1:
        raise UnknownRepository(asked, sorted(row["name"] for row in rows))
    return int((now or once)[0])


class _Asker:
    """Runs one query after another, each within a bound."""

    def __init__(self, client: bigquery.Client, dataset: str, say: Callable[[str], None]) -> None:
        self._client = client
        self._dataset = dataset
        self._say = say

    def __call__(self, what: str, statement: str, values: Mapping[str, Any]) -> Rows:
        self._say(what)
        retry = DEFAULT_RETRY.with_timeout(RETRY_SECONDS)
        job = self._client.query(
            statement.replace("${DATASET}", self._dataset),
            job_config=bigquery.QueryJobConfig(
                query_parameters=[_parameter(name, value) for name, value in values.items()]
            ),
            retry=retry,
            job_retry=None,
            timeout=RETRY_SECONDS,
        )
        rows = job.result(retry=retry, job_retry=None, timeout=QUERY_SECONDS)
        return [dict(row) for row in rows]


def _parameter(name: str, value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    if isinstance(value, list):
        return bigquery.ArrayQueryParameter(name, "INT64", value)
    kind = "TIMESTAMP" if isinstance(value, datetime) else "DATE" if isinstance(value, date) else "INT64"
    return bigquery.ScalarQueryParameter(name, kind, value)


class _Spreads:
    """The answer to sql.SPREADS, to be looked up."""

    def __init__(self, rows: Rows) -> None:
        self._rows = {
            (row["kind"], row["scope"], row["repository_id"], row["week"]): Responses(
                spread=Spread(n=row["n"], p50=row["p50"], p90=row["p90"]),
                within_24h=row["within_24h"],
                within_72h=row["within_72h"],
            )
            for row in rows
        }

    def responses(self, scope: str, repository: int | None = None) -> Responses:
        return self._rows.get(("response", scope, repository, None), Responses())

    def get(self, kind: str, scope: str, repository: int | None = None) -> Spread:
        return self._rows.get((kind, scope, repository, None), Responses()).spread

    def by_week(self, kind: str) -> dict[date, Spread]:
        return {
            week: value.spread
            for (of, scope, _, week), value in self._rows.items()
            if (of, scope) == (kind, "week")
        }


def _weeks(rows: Rows) -> dict[int, list[Week]]:
    found: dict[int, list[Week]] = {}
    for row in rows:
        week = Week(
            week=row["week"],
            opened=row["opened"],
            closed=row["closed"],
            reopened=row["reopened"],
            backlog=row["backlog"],
        )
        found.setdefault(row["repository_id"], []).append(week)
    return found


def _repository(row: Mapping[str, Any], spreads: _Spreads) -> Repository:
    identity = row["repository_id"]
    return Repository(
        id=identity,
        name=row["name"] or f"repository {identity}",
        open=row["open"],
        unanswered=row["unanswered"],
        closed_issues=row["closed_issues"],
        reopened_issues=row["reopened_issues"],
        responses=spreads.responses("repository", identity),
        close=spreads.get("close", "repository", identity),
    )


def _ages(rows: Rows) -> tuple[Age, ...]:
    found = {row["bucket"]: row for row in rows}
    return tuple(
        Age(
            days=days,
            until=until,
            answered=found[days]["answered"] if days in found else 0,
            unanswered=found[days]["unanswered"] if days in found else 0,
        )
        for days, until in zip(BUCKETS, (*BUCKETS[1:], None), strict=True)
    )


def _waiting(row: Mapping[str, Any]) -> Waiting:
    return Waiting(
        repository=row["repository"] or "",
        number=row["issue_number"],
        title=row["title"],
        url=row["url"],
        age_hours=row["age_hours"],
        quiet_hours=row["hours_since_last_event"],
        labels=tuple(row["labels"]),
    )


def _delay(total: Mapping[str, Any], rows: Rows) -> Delay:
    days = tuple(
        DelayDay(
            day=row["day"],
            n=row["n"],
            p50=row["p50_seconds"],
            p95=row["p95_seconds"],
            most=row["max_seconds"],
        )
        for row in rows
    )
    return Delay(n=total["n"], p50=total["p50"], p95=total["p95"], most=total["most"], days=days)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
