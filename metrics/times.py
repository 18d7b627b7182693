"""How long closes and first responses took: of all issues, by week, by repository, by who opened them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from metrics.figures import Responses
from metrics.query import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesRow(Responses):
    """How long closes, responses or responses of the team (`kind`) took.

    `scope` is all, recent, earlier, repository, week (in which they ended), opened (the week in which their
    issues were opened), by the team or by others (who opened their issues).
    """

    kind: str
    scope: str
    repository_id: int | None
    week: date | None


class Times:
    """The rows of TIMES by their scope."""

    def __init__(self, rows: Iterable[TimesRow]) -> None:
        self._rows = {(row.kind, row.scope, row.repository_id, row.week): row for row in rows}

    def get(
        self, kind: str, scope: str, repository: int | None = None, week: date | None = None
    ) -> Responses:
        """Return how long they took; no cases if there is no row."""
        row = self._rows.get((kind, scope, repository, week), Responses())
        names = ("n", "p50", "p90", "within_24h", "within_72h")
        return Responses(**{name: getattr(row, name) for name in names})


# The same populations as in the views time_to_close and time_to_first_response, also by week. Percentiles of
# several repositories together need all durations: they cannot be derived from each repository's percentiles.
TIMES = Query(
    subject="response and close times",
    row=TimesRow,
    sql="""
WITH
  durations AS (
    SELECT
      kind,
      hours,
      scope,
      IF(scope = 'repository', repository_id, NULL) AS repository_id,
      CASE scope
        WHEN 'week' THEN DATE_TRUNC(DATE(ended_at), WEEK(MONDAY))
        WHEN 'opened' THEN DATE_TRUNC(DATE(entered_at), WEEK(MONDAY))
      END AS week
    FROM
      `${DATASET}.issues`
      LEFT JOIN (SELECT login FROM `${DATASET}.accounts` WHERE role = 'team') ON login = LOWER(author),
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
        ),
        STRUCT(
          'team response' AS kind,
          GREATEST(first_team_response_at, entered_at) AS ended_at,
          IF(
            time_to_first_response_hours IS NOT NULL,
            GREATEST(TIMESTAMP_DIFF(first_team_response_at, opened_at, MICROSECOND), 0) / 3600000000,
            NULL
          ) AS hours
        )
      ]),
      UNNEST([
        'all',
        'repository',
        'week',
        'opened',
        IF(ended_at >= @recent, 'recent', 'earlier'),
        IF(login IS NULL, 'by others', 'by the team')
      ]) AS scope
    WHERE
      hours IS NOT NULL
      AND NOT is_bot_authored
      AND ended_at >= @since
      AND (repository_id = @repository OR @repository IS NULL)
  ),
  measured AS (
    SELECT
      *,
      PERCENTILE_CONT(hours, 0.5) OVER (PARTITION BY kind, scope, repository_id, week) AS p50,
      PERCENTILE_CONT(hours, 0.9) OVER (PARTITION BY kind, scope, repository_id, week) AS p90
    FROM durations
  )
SELECT
  kind,
  scope,
  repository_id,
  week,
  COUNT(*) AS n,
  ANY_VALUE(p50) AS p50,
  ANY_VALUE(p90) AS p90,
  COUNTIF(hours <= 24) AS within_24h,
  COUNTIF(hours <= 72) AS within_72h
FROM measured
GROUP BY kind, scope, repository_id, week
""",
)
