-- What became of the issues opened in each week (Monday to Sunday, UTC): answered within a day and within three, closed
-- now, and still open. A week in which no issue was opened has no row.
--
-- opened: as in `issues_weekly`, so an issue that came by a transfer counts in the week in which it came, and issues that
-- bots opened count too. closed and still_open leave out deleted and transferred issues, so they may add up to less.
-- answered_within_24h and answered_within_72h count first responses, and never an issue whose first response is unknown.
-- p50_hours_to_close: of the issues of this week that are closed now, whatever the reason. Recent weeks are not
-- comparable to old ones: their issues had less time.
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on week does not prune.

CREATE OR REPLACE VIEW `${DATASET}.issues_by_week_opened` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  week,
  COUNT(*) AS opened,
  COUNTIF(time_to_first_response_hours <= 24) AS answered_within_24h,
  COUNTIF(time_to_first_response_hours <= 72) AS answered_within_72h,
  COUNTIF(state = 'closed') AS closed,
  COUNTIF(state = 'open') AS still_open,
  ANY_VALUE(p50) AS p50_hours_to_close
FROM (
  SELECT
    *,
    PERCENTILE_CONT(time_to_close_hours, 0.5) OVER (PARTITION BY repository_id, week) AS p50
  FROM (
    SELECT *, DATE_TRUNC(DATE(entered_at), WEEK(MONDAY)) AS week
    FROM `${DATASET}.issues`
  )
)
GROUP BY repository_id, week;
