-- Every delivery once. Pub/Sub and GitHub deliver at least once; the copy that was received first counts.
-- Copies are compared before a filter on event_at or repository reaches the table's partitions and clusters, so this
-- view reads the whole table, in the columns that the query selects. For payloads of some days see docs/reference.md.
-- The day is no part of PARTITION BY: copies of a delivery that GitHub does not date are received, and so dated, on
-- different days, and each day would keep one.

CREATE OR REPLACE VIEW `${DATASET}.issue_events` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT *
FROM `${DATASET}.events`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY delivery_id ORDER BY received_at, inserted_at) = 1;
