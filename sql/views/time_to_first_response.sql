-- The time from opened to the first comment by neither the author nor a bot. Deleted and transferred issues and those
-- that a bot opened are left out. n is the number of answered issues; answered_within_24h and answered_within_72h are
-- counts of these, up to and including the last second; unanswered is the number of open issues known to have no
-- response, closed_unanswered of those that are closed without one; unknown is the number of issues, open or closed, that
-- may have been answered before their first event. bot_authored is the number of issues that a bot opened: with n,
-- unanswered, closed_unanswered and unknown it adds up to all issues that were neither deleted nor transferred.
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.time_to_first_response` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  COUNT(hours) AS n,
  ANY_VALUE(p50) AS p50_hours,
  ANY_VALUE(p90) AS p90_hours,
  COUNTIF(hours <= 24) AS answered_within_24h,
  COUNTIF(hours <= 72) AS answered_within_72h,
  COUNTIF(is_counted AND state = 'open' AND first_response_at IS NULL AND NOT response_unknown) AS unanswered,
  COUNTIF(is_counted AND response_unknown) AS unknown,
  COUNTIF(is_counted AND closed_unanswered) AS closed_unanswered,
  COUNTIF(is_bot_authored AND left_at IS NULL) AS bot_authored
FROM (
  SELECT
    *,
    PERCENTILE_CONT(hours, 0.5) OVER (PARTITION BY repository_id) AS p50,
    PERCENTILE_CONT(hours, 0.9) OVER (PARTITION BY repository_id) AS p90
  FROM (
    SELECT
      *,
      left_at IS NULL AND NOT is_bot_authored AS is_counted,
      IF(is_bot_authored, NULL, time_to_first_response_hours) AS hours
    FROM `${DATASET}.issues`
  )
)
GROUP BY repository_id;
