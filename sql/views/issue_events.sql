-- Every delivery once. Pub/Sub and GitHub deliver at least once; the copy that was received first counts.
-- Copies are compared before a filter on event_at or repository reaches the table's partitions and clusters, so this
-- view reads the whole table, in the columns that the query selects.

CREATE OR REPLACE VIEW `${DATASET}.issue_events` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT *
FROM `${DATASET}.events`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY delivery_id ORDER BY received_at, inserted_at) = 1;
