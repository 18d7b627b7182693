-- The weeks of a repository, Monday to Sunday in UTC, from the first to the last event of its issues; weeks without
-- events are included, with zeros.
--
-- opened: by created_at, even if the issue is known only through later events; an issue that came by a transfer, by
-- its arrival. closed and reopened count changes of state that an event reports, including those of issues that left
-- later. backlog: issues open at the week's end; those that were deleted or transferred, became a pull request, or were
-- in a repository that was deleted leave it at that moment.
-- active: issues with an event in the week other than their opening (or arrival). closed_ratio: closed / opened, null
-- in a week in which none was opened. Issues that bots opened count in every column.
-- What happened before an issue's opening or arrival counts in the week of that.
-- p50 and p90 to close: of issues closed now whose last close falls in the week; p50 to first response: of issues
-- first answered in the week; both without deleted and transferred issues, and null in a week that has none.
--
-- Cost: reads `issue_timelines` once, so one pass over `events`; a filter on week does not prune.

CREATE OR REPLACE VIEW `${DATASET}.issues_weekly` OPTIONS (labels = [("app", "issuewire")]) AS
WITH
  entries AS (
    SELECT
      repository_id,
      repository,
      issue_number,
      DATE_TRUNC(DATE(GREATEST(entry.moment, entered_at)), WEEK(MONDAY)) AS week,
      entry.what,
      entry.change,
      IF(entry.what = 'last close', time_to_close_hours, NULL) AS hours_to_close,
      IF(entry.what = 'first response', time_to_first_response_hours, NULL) AS hours_to_first_response
    FROM
      `${DATASET}.issue_timelines`,
      UNNEST(ARRAY_CONCAT(
        history,
        ARRAY(
          SELECT AS STRUCT step.seen_at AS moment, 'active' AS what, 0 AS change
          FROM UNNEST(steps) AS step
          WHERE NOT step.is_opening
        ),
        [
          STRUCT(closed_at AS moment, 'last close' AS what, 0 AS change),
          STRUCT(first_response_at AS moment, 'first response' AS what, 0 AS change),
          STRUCT(last_event_at AS moment, 'last event' AS what, 0 AS change)
        ]
      )) AS entry
    WHERE entry.moment IS NOT NULL
  ),
  with_percentiles AS (
    SELECT
      *,
      PERCENTILE_CONT(hours_to_close, 0.5) OVER (PARTITION BY repository_id, week) AS p50_to_close,
      PERCENTILE_CONT(hours_to_close, 0.9) OVER (PARTITION BY repository_id, week) AS p90_to_close,
      PERCENTILE_CONT(hours_to_first_response, 0.5) OVER (PARTITION BY repository_id, week) AS p50_to_response
    FROM entries
  ),
  active_weeks AS (
    SELECT
      repository_id,
      ANY_VALUE(repository) AS repository,
      week AS active_week,
      COUNTIF(what = 'opened') AS opened,
      COUNTIF(what = 'closed') AS closed,
      COUNTIF(what = 'reopened') AS reopened,
      COUNT(DISTINCT IF(what = 'active', issue_number, NULL)) AS active,
      SUM(change) AS net,
      ANY_VALUE(p50_to_close) AS p50_to_close,
      ANY_VALUE(p90_to_close) AS p90_to_close,
      ANY_VALUE(p50_to_response) AS p50_to_response
    FROM with_percentiles
    GROUP BY repository_id, week
  ),
  with_backlog AS (
    SELECT
      *,
      SUM(net) OVER (PARTITION BY repository_id ORDER BY active_week) AS backlog,
      LEAD(active_week) OVER (PARTITION BY repository_id ORDER BY active_week) AS next_active_week
    FROM active_weeks
  )
-- Each active week is repeated for every week without events that follows it.
SELECT
  repository_id,
  repository,
  week,
  IF(week = active_week, opened, 0) AS opened,
  IF(week = active_week, closed, 0) AS closed,
  IF(week = active_week, reopened, 0) AS reopened,
  backlog,
  IF(week = active_week, active, 0) AS active,
  IF(week = active_week, SAFE_DIVIDE(closed, opened), NULL) AS closed_ratio,
  IF(week = active_week, p50_to_close, NULL) AS p50_hours_to_close,
  IF(week = active_week, p90_to_close, NULL) AS p90_hours_to_close,
  IF(week = active_week, p50_to_response, NULL) AS p50_hours_to_first_response
FROM
  with_backlog,
  UNNEST(GENERATE_DATE_ARRAY(
    active_week, COALESCE(DATE_SUB(next_active_week, INTERVAL 7 DAY), active_week), INTERVAL 7 DAY
  )) AS week;
