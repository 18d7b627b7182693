"""What the views are asked: ${DATASET} is the dataset, and @repository null means all repositories."""

from metrics.figures import AgeBucket, Authors, BacklogAge, Cohort, Delay, DelayDay, LabelTimes, Repository
from metrics.query import Query
from metrics.rows import RepositoryNames, RepositoryWeek

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
  COUNTIF(state = 'open' AND is_bot_authored) AS open_by_bots,
  COUNTIF(state = 'open' AND waiting_on_us) AS waiting,
  COUNTIF(state = 'open' AND first_response_at IS NULL AND NOT response_unknown AND NOT is_bot_authored)
    AS unanswered,
  COUNTIF(state = 'open' AND response_unknown AND NOT is_bot_authored) AS unknown,
  COUNTIF(first_closed >= @since AND NOT is_bot_authored) AS closed_issues,
  COUNTIF(reopen_count > 0 AND first_closed >= @since AND NOT is_bot_authored) AS reopened_issues,
  COUNTIF(
    state = 'closed' AND close_reason != 'completed' AND last_closed >= @since AND NOT is_bot_authored
  ) AS put_aside,
  COUNTIF(closed_unanswered AND last_closed >= @since AND NOT is_bot_authored) AS closed_unanswered
FROM (
  SELECT
    *,
    COALESCE(first_closed_at, IF(reopen_count > 0, TIMESTAMP '0001-01-01', NULL)) AS first_closed,
    GREATEST(closed_at, entered_at) AS last_closed
  FROM `${DATASET}.issues`
  WHERE repository_id = @repository OR @repository IS NULL
)
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

COHORTS = Query(
    subject="the issues by the week they were opened",
    row=Cohort,
    sql="""
SELECT
  week,
  SUM(opened) AS opened,
  SUM(answered_within_24h) AS within_24h,
  SUM(answered_within_72h) AS within_72h,
  SUM(closed) AS closed,
  SUM(still_open) AS still_open
FROM `${DATASET}.issues_by_week_opened`
WHERE repository_id = @repository OR @repository IS NULL
GROUP BY week
ORDER BY week
""",
)

AUTHORS = Query(
    subject="the team and others",
    row=Authors,
    sql="""
SELECT
  CASE WHEN is_bot_authored THEN 'bots' WHEN login IS NULL THEN 'others' ELSE 'the team' END AS name,
  COUNTIF(entered_at >= @since) AS opened,
  COUNTIF(state = 'open') AS open,
  COUNTIF(state = 'open' AND waiting_on_us) AS waiting
FROM `${DATASET}.issues`
LEFT JOIN (SELECT login FROM `${DATASET}.accounts` WHERE role = 'team') ON login = LOWER(author)
WHERE repository_id = @repository OR @repository IS NULL
GROUP BY name
""",
)

# Labels are the same in any case at GitHub.
LABELS = Query(
    subject="the time in labels",
    row=LabelTimes,
    sql="""
SELECT
  MIN(label) AS label,
  COUNT(*) AS n,
  ANY_VALUE(p50) AS p50,
  ANY_VALUE(p90) AS p90,
  COUNT(open_since) AS open,
  GREATEST(TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), MIN(open_since), MICROSECOND), 0) / 3600000000 AS longest_open
FROM (
  SELECT
    label,
    LOWER(label) AS name,
    open_since,
    PERCENTILE_CONT(hours, 0.5) OVER (PARTITION BY LOWER(label)) AS p50,
    PERCENTILE_CONT(hours, 0.9) OVER (PARTITION BY LOWER(label)) AS p90
  FROM `${DATASET}.time_in_label`
  WHERE (hours > 0 OR open_since IS NOT NULL) AND (repository_id = @repository OR @repository IS NULL)
)
GROUP BY name
ORDER BY n DESC, label
""",
)

# The same issues as in the view backlog_age, over all repositories together.
BACKLOG_AGE = Query(
    subject="the backlog's age",
    row=BacklogAge,
    sql="""
SELECT COUNT(*) AS n, ANY_VALUE(p50) AS p50, ANY_VALUE(p90) AS p90, MAX(age_hours) AS longest
FROM (
  SELECT
    age_hours,
    PERCENTILE_CONT(age_hours, 0.5) OVER () AS p50,
    PERCENTILE_CONT(age_hours, 0.9) OVER () AS p90
  FROM `${DATASET}.open_issues`
  WHERE NOT is_bot_authored AND (repository_id = @repository OR @repository IS NULL)
)
""",
)

AGES = Query(
    subject="the ages of open issues",
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
  WHERE NOT is_bot_authored AND (repository_id = @repository OR @repository IS NULL)
) ON bucket = days
GROUP BY days
ORDER BY days
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
