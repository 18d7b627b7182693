-- How old the open issues of each repository are, in hours since their opening; issues that a bot opened are left out.
-- n is the number of the open issues; a repository without any has n = 0 and no hours.
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.backlog_age` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  COUNT(hours) AS n,
  ANY_VALUE(p50) AS p50_hours,
  ANY_VALUE(p90) AS p90_hours,
  MAX(hours) AS max_hours
FROM (
  SELECT
    *,
    PERCENTILE_CONT(hours, 0.5) OVER (PARTITION BY repository_id) AS p50,
    PERCENTILE_CONT(hours, 0.9) OVER (PARTITION BY repository_id) AS p90
  FROM (
    SELECT
      repository_id,
      repository,
      IF(
        state = 'open' AND NOT is_bot_authored,
        GREATEST(TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), opened_at, MICROSECOND), 0) / 3600000000, NULL
      ) AS hours
    FROM `${DATASET}.issues`
  )
)
GROUP BY repository_id;
