"""What a report asks the views for; ${DATASET} is the dataset, @repository null means all repositories."""

NAMES = """
SELECT
  repository_id,
  ARRAY_AGG(repository ORDER BY received_at DESC LIMIT 1)[OFFSET(0)] AS name,
  ARRAY_AGG(DISTINCT repository) AS names
FROM `${DATASET}.issue_events`
WHERE repository_id IS NOT NULL AND repository IS NOT NULL
GROUP BY repository_id
"""

# What was reopened was closed before, though no delivery tells when: it counts as closed, but in no period.
REPOSITORIES = """
SELECT
  repository_id,
  ANY_VALUE(repository) AS name,
  COUNTIF(state = 'open') AS open,
  COUNTIF(state = 'open' AND first_response_at IS NULL) AS unanswered,
  COUNTIF(closed_once_at >= @since) AS closed_issues,
  COUNTIF(closed_once_at >= @since AND reopen_count > 0) AS reopened_issues
FROM (
  SELECT
    repository_id,
    repository,
    state,
    first_response_at,
    reopen_count,
    COALESCE(first_closed_at, IF(reopen_count > 0, TIMESTAMP '0001-01-01 00:00:00+00', NULL))
      AS closed_once_at
  FROM `${DATASET}.issues`
  WHERE repository_id = @repository OR @repository IS NULL
)
GROUP BY repository_id
ORDER BY open DESC, name
"""

WEEKS = """
SELECT repository_id, week, opened, closed, reopened, backlog
FROM `${DATASET}.issues_weekly`
WHERE repository_id = @repository OR @repository IS NULL
ORDER BY week
"""

# The populations are those of the views time_to_close, time_to_first_response and issues_weekly, also taken
# over several repositories together: percentiles cannot be put together afterwards.
SPREADS = """
WITH
  spans AS (
    SELECT 'close' AS kind, repository_id, closed_at AS ended_at, time_to_close_hours AS hours
    FROM `${DATASET}.issues`
    WHERE time_to_close_hours IS NOT NULL AND (repository_id = @repository OR @repository IS NULL)
    UNION ALL
    SELECT
      'response' AS kind, repository_id, first_response_at AS ended_at, time_to_first_response_hours AS hours
    FROM `${DATASET}.issues`
    WHERE time_to_first_response_hours IS NOT NULL AND (repository_id = @repository OR @repository IS NULL)
  ),
  scoped AS (
    SELECT
      kind,
      hours,
      scope,
      IF(scope = 'repository', repository_id, NULL) AS repository_id,
      IF(scope = 'week', DATE_TRUNC(DATE(ended_at), WEEK(MONDAY)), NULL) AS week
    FROM spans, UNNEST(['all', 'repository', 'week', IF(ended_at >= @recent, 'recent', 'earlier')]) AS scope
    WHERE ended_at >= @since
  ),
  measured AS (
    SELECT
      *,
      PERCENTILE_CONT(hours, 0.5) OVER (PARTITION BY kind, scope, repository_id, week) AS p50,
      PERCENTILE_CONT(hours, 0.9) OVER (PARTITION BY kind, scope, repository_id, week) AS p90
    FROM scoped
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
"""

AGES = """
SELECT bucket, COUNTIF(answered) AS answered, COUNTIF(NOT answered) AS unanswered
FROM (
  SELECT
    answered,
    (SELECT MAX(day) FROM UNNEST(@buckets) AS day WHERE age_hours >= day * 24 OR day = 0) AS bucket
  FROM `${DATASET}.open_issues`
  WHERE repository_id = @repository OR @repository IS NULL
)
GROUP BY bucket
"""

WAITING = """
SELECT repository, issue_number, title, url, age_hours, hours_since_last_event, labels
FROM `${DATASET}.open_issues`
WHERE NOT answered AND (repository_id = @repository OR @repository IS NULL)
ORDER BY age_hours DESC, repository, issue_number
LIMIT @most
"""

DELAY_BY_DAY = """
SELECT day, n, p50_seconds, p95_seconds, max_seconds
FROM `${DATASET}.pipeline_delay`
WHERE day >= @from_day
ORDER BY day
"""

# The same deliveries as in the view pipeline_delay, over all the days together.
DELAY = """
SELECT COUNT(*) AS n, ANY_VALUE(p50) AS p50, ANY_VALUE(p95) AS p95, MAX(seconds) AS most
FROM (
  SELECT
    seconds,
    PERCENTILE_CONT(seconds, 0.5) OVER () AS p50,
    PERCENTILE_CONT(seconds, 0.95) OVER () AS p95
  FROM (
    SELECT TIMESTAMP_DIFF(inserted_at, event_at, MICROSECOND) / 1000000 AS seconds
    FROM `${DATASET}.issue_events`
    WHERE source = 'webhook' AND inserted_at IS NOT NULL AND event_at >= @from_time
  )
)
"""
