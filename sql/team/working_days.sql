-- When work is done, one row per working day, from 2008 to five years ahead: its date in the zone of [hours] in
-- config/team.toml, and the moments at which it opens and closes. Without [hours] every day is one, from midnight to
-- midnight UTC.
--
-- Cost: reads no table.

CREATE OR REPLACE VIEW `${DATASET}.working_days` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  day,
  TIMESTAMP(DATETIME_ADD(DATETIME(day, TIME(0, 0, 0)), INTERVAL ${OPENING_MINUTE} MINUTE), '${ZONE}') AS opens_at,
  TIMESTAMP(DATETIME_ADD(DATETIME(day, TIME(0, 0, 0)), INTERVAL ${CLOSING_MINUTE} MINUTE), '${ZONE}') AS closes_at
FROM UNNEST(GENERATE_DATE_ARRAY(DATE '2008-01-01', DATE_ADD(DATE(CURRENT_TIMESTAMP()), INTERVAL 5 YEAR))) AS day
WHERE EXTRACT(DAYOFWEEK FROM day) IN (${WEEKDAYS})
  AND day NOT IN UNNEST(ARRAY<DATE>[${HOLIDAYS}]);
