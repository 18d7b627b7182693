-- The backlog, one row per open issue: its age, whether it has a response, and the hours since its last event. The last
-- event is the last that happened, not the last that was received; an arrival by transfer is an event. answered is null
-- for an issue that may have been answered before its first event (response_unknown in `issues`).
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.open_issues` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  repository,
  issue_number,
  title,
  url,
  author,
  opened_at,
  GREATEST(TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), opened_at, MICROSECOND), 0) / 3600000000 AS age_hours,
  IF(response_unknown, NULL, first_response_at IS NOT NULL) AS answered,
  GREATEST(TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), last_event_at, MICROSECOND), 0) / 3600000000 AS hours_since_last_event,
  labels,
  assignees,
  is_bot_authored
FROM `${DATASET}.issues`
WHERE state = 'open';
