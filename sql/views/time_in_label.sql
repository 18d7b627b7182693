-- How long each issue carried each label while it was open, one row for every label that an event shows on the issue. A
-- label is there from the issue_updated_at of the first event that shows it to that of the first that does not, so a lost
-- delivery is made good by the next one. A label that was there before the first event counts from that event on.
-- Time in which the issue was closed is left out; an issue that leaves (see `issues`) ends it. hours is 0 for a label that
-- was there only while the issue was closed.
-- open_since: for an open issue that carries the label now, when the present part of these hours began: when the label
-- was added, or when the issue was reopened after that.
-- Issues that bots opened count too. A renamed label is another label.
--
-- Cost: reads `issue_timelines` once, so one pass over `events`, and computes a row for each event, label and change of
-- state. A filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.time_in_label` OPTIONS (labels = [("app", "issuewire")]) AS
WITH
  labelled AS (
    SELECT
      repository_id,
      repository,
      issue_number,
      label,
      state = 'open' AND label IN UNNEST(labels) AS is_there_now,
      IF(label IN UNNEST(step.labels_before), NULL, step.labels_from) AS added_at,
      step.labels_from,
      COALESCE(step.labels_to, GREATEST(CURRENT_TIMESTAMP(), step.labels_from)) AS labels_to,
      entry.change,
      GREATEST(entry.moment, entered_at) AS changed_at
    FROM `${DATASET}.issue_timelines`
    CROSS JOIN UNNEST(steps) AS step
    CROSS JOIN UNNEST(step.labels) AS label
    CROSS JOIN UNNEST(history) AS entry
  )
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  issue_number,
  label,
  -- The changes up to a moment add up to 1 if the issue is open then, else to 0. So the time that passes after each
  -- change, times the change, adds up to the time for which the issue is open.
  SUM(
    change * (
      GREATEST(TIMESTAMP_DIFF(labels_to, changed_at, MICROSECOND), 0)
      - GREATEST(TIMESTAMP_DIFF(labels_from, changed_at, MICROSECOND), 0)
    )
  ) / 3600000000 AS hours,
  IF(ANY_VALUE(is_there_now), GREATEST(MAX(added_at), MAX(IF(change = 1, changed_at, NULL))), NULL) AS open_since
FROM labelled
GROUP BY repository_id, issue_number, label;
