-- The time from opened to the LAST close, over issues that are closed now as completed, were neither deleted nor
-- transferred, and were not opened by a bot. n is the number of these issues; a repository whose issues are all open has
-- n = 0. put_aside is the number of those closed for another reason (not_planned, duplicate), bot_authored of those that
-- a bot opened, whatever the reason: n, put_aside and bot_authored add up to the issues that are closed now.
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.time_to_close` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  COUNT(hours) AS n,
  ANY_VALUE(p50) AS p50_hours,
  ANY_VALUE(p90) AS p90_hours,
  COUNTIF(NOT is_bot_authored AND time_to_close_hours IS NOT NULL AND hours IS NULL) AS put_aside,
  COUNTIF(is_bot_authored AND time_to_close_hours IS NOT NULL) AS bot_authored
FROM (
  SELECT
    *,
    PERCENTILE_CONT(hours, 0.5) OVER (PARTITION BY repository_id) AS p50,
    PERCENTILE_CONT(hours, 0.9) OVER (PARTITION BY repository_id) AS p90
  FROM (
    SELECT
      repository_id,
      repository,
      is_bot_authored,
      time_to_close_hours,
      IF(NOT is_bot_authored AND close_reason = 'completed', time_to_close_hours, NULL) AS hours
    FROM `${DATASET}.issues`
  )
)
GROUP BY repository_id;
