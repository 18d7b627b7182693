-- The time from opened to the first comment by neither the author nor a bot. Deleted and transferred issues are left
-- out. n is the number of answered issues; answered_within_24h and answered_within_72h are counts of these, up to and
-- including the last second; unanswered is the number of open issues known to have no response; unknown is the number
-- of issues, open or closed, that may have been answered before their first event.
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.time_to_first_response` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  COUNT(time_to_first_response_hours) AS n,
  ANY_VALUE(p50) AS p50_hours,
  ANY_VALUE(p90) AS p90_hours,
  COUNTIF(time_to_first_response_hours <= 24) AS answered_within_24h,
  COUNTIF(time_to_first_response_hours <= 72) AS answered_within_72h,
  COUNTIF(state = 'open' AND first_response_at IS NULL AND NOT response_unknown) AS unanswered,
  COUNTIF(left_at IS NULL AND response_unknown) AS unknown
FROM (
  SELECT
    *,
    PERCENTILE_CONT(time_to_first_response_hours, 0.5) OVER (PARTITION BY repository_id) AS p50,
    PERCENTILE_CONT(time_to_first_response_hours, 0.9) OVER (PARTITION BY repository_id) AS p90
  FROM `${DATASET}.issues`
)
GROUP BY repository_id;
