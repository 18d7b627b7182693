"""What the views are asked: ${DATASET} is the dataset, and @repository null means all repositories."""

from metrics.figures import AgeBucket, Delay, DelayDay, Repository, UnansweredIssue
from metrics.query import Query
from metrics.rows import RepositoryNames, RepositoryWeek, TimesRow

REPOSITORY_NAMES = Query(
    subject="the repositories' names",
    row=RepositoryNames,
    sql="""
SELECT
  repository_id AS id,
  ARRAY_AGG(repository ORDER BY received_at DESC LIMIT 1)[OFFSET(0)] AS name,
  ARRAY_AGG(DISTINCT repository) AS names
FROM `${DATASET}.issue_events`
WHERE repository_id IS NOT NULL AND repository IS NOT NULL
GROUP BY repository_id
ORDER BY MAX(received_at) DESC
""",
)

# An issue that was reopened was closed before, even if no delivery says when: it counts as closed over all
# time, but in no period.
REPOSITORIES = Query(
    subject="the repositories",
    row=Repository,
    sql="""
SELECT
  repository_id AS id,
  COALESCE(ANY_VALUE(repository), CONCAT('repository ', CAST(repository_id AS STRING))) AS name,
  COUNTIF(state = 'open') AS open,
  COUNTIF(state = 'open' AND first_response_at IS NULL AND NOT response_unknown) AS unanswered,
  COUNTIF(state = 'open' AND response_unknown) AS unknown,
  COUNTIF(COALESCE(first_closed_at, IF(reopen_count > 0, TIMESTAMP '0001-01-01', NULL)) >= @since)
    AS closed_issues,
  COUNTIF(reopen_count > 0 AND COALESCE(first_closed_at, TIMESTAMP '0001-01-01') >= @since)
    AS reopened_issues
FROM `${DATASET}.issues`
WHERE repository_id = @repository OR @repository IS NULL
GROUP BY repository_id
ORDER BY open DESC, name
""",
)

WEEKS = Query(
    subject="the weeks",
    row=RepositoryWeek,
    sql="""
SELECT repository_id, week, opened, closed, reopened, backlog
FROM `${DATASET}.issues_weekly`
WHERE repository_id = @repository OR @repository IS NULL
ORDER BY week
""",
)

# The same populations as in the views time_to_close, time_to_first_response and issues_weekly. Percentiles of
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
      IF(scope = 'week', DATE_TRUNC(DATE(ended_at), WEEK(MONDAY)), NULL) AS week
    FROM
      `${DATASET}.issues`,
      UNNEST([
        STRUCT('close' AS kind, GREATEST(closed_at, entered_at) AS ended_at, time_to_close_hours AS hours),
        STRUCT(
          'response' AS kind,
          GREATEST(first_response_at, entered_at) AS ended_at,
          time_to_first_response_hours AS hours
        )
      ]),
      UNNEST(['all', 'repository', 'week', IF(ended_at >= @recent, 'recent', 'earlier')]) AS scope
    WHERE hours IS NOT NULL AND ended_at >= @since AND (repository_id = @repository OR @repository IS NULL)
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

AGES = Query(
    subject="the backlog's age",
    row=AgeBucket,
    sql="""
SELECT
  days,
  LEAD(days) OVER (ORDER BY days) AS until,
  COUNTIF(answered) AS answered,
  COUNTIF(NOT answered) AS unanswered,
  COUNTIF(bucket IS NOT NULL AND answered IS NULL) AS unknown
FROM UNNEST(@age_limits) AS days
LEFT JOIN (
  SELECT
    answered,
    (
      SELECT MAX(min_days)
      FROM UNNEST(@age_limits) AS min_days
      WHERE age_hours >= min_days * 24 OR min_days = 0
    ) AS bucket
  FROM `${DATASET}.open_issues`
  WHERE repository_id = @repository OR @repository IS NULL
) ON bucket = days
GROUP BY days
ORDER BY days
""",
)

UNANSWERED_ISSUES = Query(
    subject="unanswered issues",
    row=UnansweredIssue,
    sql="""
SELECT
  COALESCE(repository, '') AS repository,
  issue_number AS number,
  title,
  url,
  age_hours,
  hours_since_last_event,
  labels
FROM `${DATASET}.open_issues`
WHERE NOT answered AND (repository_id = @repository OR @repository IS NULL)
ORDER BY age_hours DESC, repository, issue_number
LIMIT @max_rows
""",
)

# The same deliveries as in the view pipeline_delay, over all days together.
DELAY = Query(
    subject="the pipeline's delay",
    row=Delay,
    sql="""
SELECT COUNT(*) AS n, ANY_VALUE(p50) AS p50, ANY_VALUE(p95) AS p95, MAX(seconds) AS slowest
FROM (
  SELECT
    seconds,
    PERCENTILE_CONT(seconds, 0.5) OVER () AS p50,
    PERCENTILE_CONT(seconds, 0.95) OVER () AS p95
  FROM (
    SELECT GREATEST(TIMESTAMP_DIFF(inserted_at, event_at, MICROSECOND), 0) / 1000000 AS seconds
    FROM `${DATASET}.issue_events`
    WHERE source = 'webhook' AND inserted_at IS NOT NULL AND event_at >= @from_time
  )
)
""",
)

DELAY_DAYS = Query(
    subject="the pipeline's delay by day",
    row=DelayDay,
    sql="""
SELECT day, n, p50_seconds AS p50, p95_seconds AS p95, max_seconds AS slowest
FROM `${DATASET}.pipeline_delay`
WHERE day >= @from_day AND n > 0
ORDER BY day
""",
)
