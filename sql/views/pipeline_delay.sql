-- The pipeline's own delay by the day (UTC) of the event, over all repositories: the seconds from the event at GitHub
-- to its row here. Only webhook deliveries count: what was reconciled, backfilled or replayed is late on purpose.
-- Pull requests and events about no issue count too; the latter are dated by their receipt.
-- A delivery that does not say when it happened looks late: an arrival by transfer is dated by the issue's creation, a
-- deletion by the last change before it. The percentiles hardly change by that; max_seconds may.
--
-- Cost: one pass over five columns of `events`; a filter on day does not prune.

CREATE OR REPLACE VIEW `${DATASET}.pipeline_delay` AS
SELECT
  day,
  COUNT(*) AS n,
  ANY_VALUE(p50) AS p50_seconds,
  ANY_VALUE(p95) AS p95_seconds,
  MAX(seconds) AS max_seconds
FROM (
  SELECT
    day,
    seconds,
    PERCENTILE_CONT(seconds, 0.5) OVER (PARTITION BY day) AS p50,
    PERCENTILE_CONT(seconds, 0.95) OVER (PARTITION BY day) AS p95
  FROM (
    SELECT
      DATE(event_at) AS day,
      TIMESTAMP_DIFF(inserted_at, event_at, MICROSECOND) / 1000000 AS seconds
    FROM `${DATASET}.issue_events`
    WHERE source = 'webhook' AND inserted_at IS NOT NULL
  )
)
GROUP BY day;
