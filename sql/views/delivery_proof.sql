-- The proof: for each day (UTC) and source, how many events GitHub lists, and how many of them are stored. An event belongs
-- to the day of its first attempt. expected = stored + refused, with lost = 0, means that everything has arrived; a
-- difference on a recent day is still on its way. A source without our webhook has a line with zeros.
-- Of each day and webhook, the last row of `delivery_ledger` counts. An event that webhooks of two sources deliver is in
-- both lines.

CREATE OR REPLACE VIEW `${DATASET}.delivery_proof` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  day,
  source,
  SUM(expected) AS expected,
  SUM(stored) AS stored,
  SUM(recovered) AS recovered,
  SUM(refused) AS refused,
  SUM(lost) AS lost
FROM (
  SELECT DATE(window_start) AS day, source, expected, stored, recovered, refused, lost
  FROM `${DATASET}.delivery_ledger`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY source, hook_id, DATE(window_start)
    ORDER BY run_at DESC
  ) = 1
)
GROUP BY day, source;
