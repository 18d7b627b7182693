-- The weeks of a repository, Monday to Sunday in UTC, from the first to the last event of its issues, quiet weeks with
-- zeros.
--
-- opened: by created_at, also when the issue is known only through later events; an issue that came by a transfer, by
-- its arrival. closed and reopened count events, those of issues that left later included.
-- backlog: issues open at the week's end; deleted and transferred ones leave it at that moment.
-- p50 and p90 to close: over issues closed now whose last close falls in the week; p50 to first response: over issues
-- first answered in the week; both without issues that left, and null for a week that has none.
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on week does not prune.

CREATE OR REPLACE VIEW `${DATASET}.issues_weekly` AS
WITH
  dated AS (
    SELECT
      repository_id,
      repository,
      DATE_TRUNC(DATE(GREATEST(entry.moment, entered_at)), WEEK(MONDAY)) AS week,
      entry.what,
      entry.change,
      IF(entry.what = 'last close', time_to_close_hours, NULL) AS hours_to_close,
      IF(entry.what = 'first response', time_to_first_response_hours, NULL) AS hours_to_first_response
    FROM
      `${DATASET}.issues`,
      UNNEST(ARRAY_CONCAT(
        history,
        [
          STRUCT(closed_at AS moment, 'last close' AS what, 0 AS change),
          STRUCT(first_response_at AS moment, 'first response' AS what, 0 AS change),
          STRUCT(last_event_at AS moment, 'last event' AS what, 0 AS change)
        ]
      )) AS entry
    WHERE entry.moment IS NOT NULL
  ),
  ranked AS (
    SELECT
      *,
      PERCENTILE_CONT(hours_to_close, 0.5) OVER (PARTITION BY repository_id, week) AS p50_to_close,
      PERCENTILE_CONT(hours_to_close, 0.9) OVER (PARTITION BY repository_id, week) AS p90_to_close,
      PERCENTILE_CONT(hours_to_first_response, 0.5) OVER (PARTITION BY repository_id, week) AS p50_to_response
    FROM dated
  ),
  busy AS (
    SELECT
      repository_id,
      ANY_VALUE(repository) AS repository,
      week AS busy_week,
      COUNTIF(what = 'opened') AS opened,
      COUNTIF(what = 'closed') AS closed,
      COUNTIF(what = 'reopened') AS reopened,
      SUM(change) AS net,
      ANY_VALUE(p50_to_close) AS p50_to_close,
      ANY_VALUE(p90_to_close) AS p90_to_close,
      ANY_VALUE(p50_to_response) AS p50_to_response
    FROM ranked
    GROUP BY repository_id, week
  ),
  told AS (
    SELECT
      *,
      SUM(net) OVER (PARTITION BY repository_id ORDER BY busy_week) AS backlog,
      LEAD(busy_week) OVER (PARTITION BY repository_id ORDER BY busy_week) AS next_busy_week
    FROM busy
  )
-- Each busy week is shown once more for every quiet week that follows it.
SELECT
  repository_id,
  repository,
  week,
  IF(week = busy_week, opened, 0) AS opened,
  IF(week = busy_week, closed, 0) AS closed,
  IF(week = busy_week, reopened, 0) AS reopened,
  backlog,
  IF(week = busy_week, p50_to_close, NULL) AS p50_hours_to_close,
  IF(week = busy_week, p90_to_close, NULL) AS p90_hours_to_close,
  IF(week = busy_week, p50_to_response, NULL) AS p50_hours_to_first_response
FROM
  told,
  UNNEST(GENERATE_DATE_ARRAY(
    busy_week, COALESCE(DATE_SUB(next_busy_week, INTERVAL 7 DAY), busy_week), INTERVAL 7 DAY
  )) AS week;
