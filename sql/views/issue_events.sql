-- Every delivery once: Pub/Sub and GitHub deliver at least once, and the copy that was received first counts.
-- A filter on event_at or repository reaches the table's partitions and clusters only after the copies are
-- compared, so this view reads the columns it shows of the whole table.

CREATE OR REPLACE VIEW `${DATASET}.issue_events` AS
SELECT *
FROM `${DATASET}.events`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY delivery_id ORDER BY received_at, inserted_at) = 1;
