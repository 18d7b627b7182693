"""The last complete week of some repositories, against the week before it: the digest's numbers."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from metrics.figures import Percentiles, Week
from metrics.query import Query
from metrics.rows import RepositoryWeek
from metrics.weeks import WEEK, join_weeks, monday

CHART_WEEKS = 53  # the picture shows a year


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWeek(RepositoryWeek):
    """One week of one repository, with its present name."""

    repository: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How long one close or first response (`kind`) took, in the week in which it ended."""

    kind: str
    repository_id: int
    week: date
    hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekReview:
    """The week, the one before it, and the weeks of the chart, the reviewed one last.

    `before` is None if nothing is known of the time before the week.
    """

    repositories: tuple[str, ...]
    week: Week
    before: Week | None
    weeks: tuple[Week, ...]


NAMED_WEEKS = Query(
    subject="the weeks",
    row=NamedWeek,
    sql="""
SELECT
  repository_id,
  COALESCE(repository, CONCAT('repository ', CAST(repository_id AS STRING))) AS repository,
  week,
  opened,
  closed,
  reopened,
  backlog
FROM `${DATASET}.issues_weekly`
ORDER BY week
""",
)

# The same populations as in the views time_to_close and time_to_first_response. Percentiles of several
# repositories together need all durations: they cannot be derived from each repository's percentiles.
DURATIONS = Query(
    subject="response and close times of two weeks",
    row=Duration,
    sql="""
SELECT kind, repository_id, DATE_TRUNC(DATE(ended_at), WEEK(MONDAY)) AS week, hours
FROM
  `${DATASET}.issues`,
  UNNEST([
    STRUCT(
      'close' AS kind,
      GREATEST(closed_at, entered_at) AS ended_at,
      IF(close_reason = 'completed', time_to_close_hours, NULL) AS hours
    ),
    STRUCT(
      'response' AS kind,
      GREATEST(first_response_at, entered_at) AS ended_at,
      time_to_first_response_hours AS hours
    )
  ])
WHERE
  hours IS NOT NULL
  AND NOT is_bot_authored
  AND DATE(ended_at) >= @from_day
  AND DATE(ended_at) < @until_day
""",
)


def last_week(day: date) -> date:
    """Return the Monday of the week before that of a day, which is one of the team's calendar.

    In the east the week goes on in UTC for some hours then: its last events are counted a week later.
    """
    return monday(day) - WEEK


def review(
    rows: Sequence[NamedWeek], durations: Iterable[Duration], week: date, wanted: Callable[[str], bool]
) -> WeekReview | None:
    """Return the numbers of the repositories with a wanted name; None if none has an event up to the week.

    `rows` are in the order of their weeks. `durations` are those of the week and of the one before it.
    """
    known = [row for row in rows if wanted(row.repository) and row.week <= week]
    if not known:
        return None
    first = max(known[0].week, week - (CHART_WEEKS - 1) * WEEK)
    weeks, _ = join_weeks(known, first, week)
    ids = {row.repository_id for row in known}
    spans = [duration for duration in durations if duration.repository_id in ids]
    numbers = [_with_times(each, spans) for each in weeks[-2:]]
    return WeekReview(
        repositories=tuple(sorted({row.repository for row in known})),
        week=numbers[-1],
        before=numbers[0] if len(numbers) > 1 else None,
        weeks=weeks,
    )


def percentiles(hours: Iterable[float]) -> Percentiles:
    """Return p50 and p90 by linear interpolation, as PERCENTILE_CONT does."""
    ranked = sorted(hours)
    if not ranked:
        return Percentiles()
    return Percentiles(n=len(ranked), p50=_at(ranked, 0.5), p90=_at(ranked, 0.9))


def _with_times(week: Week, durations: Sequence[Duration]) -> Week:
    def of(kind: str) -> Percentiles:
        return percentiles(each.hours for each in durations if (each.kind, each.week) == (kind, week.week))

    return replace(week, response=of("response"), close=of("close"))


def _at(ranked: Sequence[float], part: float) -> float:
    place = part * (len(ranked) - 1)
    below, above = ranked[math.floor(place)], ranked[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))
