-- The pipeline's own delay by the day (UTC) of the event, over all repositories: the seconds from the event at GitHub
-- to its row here. Only webhook deliveries count: what was reconciled, backfilled or replayed is late on purpose.
-- `recovered` counts the events that GitHub never sent and reconcile found. A day with none but these has n = 0 and no
-- seconds. What GitHub delivered again after a failure is a webhook delivery, and late.
-- Pull requests and events about no issue count too; the latter are dated by their receipt.
-- A deletion or transfer, which GitHub does not date, is dated by its receipt too. An arrival by transfer is dated by
-- the issue's creation, so it looks late: the percentiles hardly change by that; max_seconds may. GitHub's clock may be
-- ahead of ours, and its times are whole seconds: a delay is never below 0.
--
-- Cost: one pass over six columns of `events`; a filter on day does not prune.

CREATE OR REPLACE VIEW `${DATASET}.pipeline_delay` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  day,
  COUNT(seconds) AS n,
  ANY_VALUE(p50) AS p50_seconds,
  ANY_VALUE(p95) AS p95_seconds,
  MAX(seconds) AS max_seconds,
  COUNTIF(is_recovered) AS recovered
FROM (
  SELECT
    day,
    seconds,
    is_recovered,
    PERCENTILE_CONT(seconds, 0.5) OVER (PARTITION BY day) AS p50,
    PERCENTILE_CONT(seconds, 0.95) OVER (PARTITION BY day) AS p95
  FROM (
    SELECT
      DATE(event_at) AS day,
      source = 'reconcile' AS is_recovered,
      -- Null for a recovered event: percentiles and COUNT leave it out.
      IF(source = 'webhook', GREATEST(TIMESTAMP_DIFF(inserted_at, event_at, MICROSECOND), 0) / 1000000, NULL) AS seconds
    FROM `${DATASET}.issue_events`
    WHERE (source = 'webhook' AND inserted_at IS NOT NULL) OR source = 'reconcile'
  )
)
GROUP BY day;
