-- The time from opened to the LAST close, over issues that are closed now and were neither deleted nor transferred. n
-- is the number of these issues; a repository whose issues are all open has n = 0.
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.time_to_close` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  COUNT(time_to_close_hours) AS n,
  ANY_VALUE(p50) AS p50_hours,
  ANY_VALUE(p90) AS p90_hours
FROM (
  SELECT
    repository_id,
    repository,
    time_to_close_hours,
    PERCENTILE_CONT(time_to_close_hours, 0.5) OVER (PARTITION BY repository_id) AS p50,
    PERCENTILE_CONT(time_to_close_hours, 0.9) OVER (PARTITION BY repository_id) AS p90
  FROM `${DATASET}.issues`
)
GROUP BY repository_id;
