-- The open issues in which somebody outside the team had the last word, one row each: since when they wait, in hours by
-- the clock and in working hours. `issues` says which words count, and whose; issues that a bot opened wait for no one.
-- working_hours: the part of the hours since waiting_since that is within `working_days`; where config/team.toml names no
-- hours, these are all hours from 2008 on.
--
-- Cost: reads `issues` once, so one pass over `events`, and has a row for each day that each issue waits; a filter on
-- repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.waiting_on_us` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  issue_number,
  ANY_VALUE(title) AS title,
  ANY_VALUE(url) AS url,
  ANY_VALUE(author) AS author,
  ANY_VALUE(opened_at) AS opened_at,
  waiting_since,
  GREATEST(TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), waiting_since, MICROSECOND), 0) / 3600000000 AS waiting_hours,
  COALESCE(SUM(GREATEST(
    TIMESTAMP_DIFF(LEAST(closes_at, CURRENT_TIMESTAMP()), GREATEST(opens_at, waiting_since), MICROSECOND), 0
  )), 0) / 3600000000 AS working_hours,
  ANY_VALUE(labels) AS labels,
  ANY_VALUE(assignees) AS assignees
FROM `${DATASET}.issues`
-- The day of a working day is that of the team's time zone, which may be the day before or after that of UTC.
CROSS JOIN
  UNNEST(GENERATE_DATE_ARRAY(
    DATE_SUB(DATE(LEAST(waiting_since, CURRENT_TIMESTAMP())), INTERVAL 1 DAY),
    DATE_ADD(DATE(CURRENT_TIMESTAMP()), INTERVAL 1 DAY)
  )) AS waiting_day
LEFT JOIN `${DATASET}.working_days` ON day = waiting_day
WHERE waiting_on_us
GROUP BY repository_id, issue_number, waiting_since;
