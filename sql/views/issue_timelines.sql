-- Every issue once: the columns of `issues`, and its timeline, from which weeks and labels are counted.
--
-- `issues` says what its columns mean, and `issue_history` which events count and in which order.
-- history: when the issue was opened (or came), closed, reopened, left, or was seen in another state without an event
-- about the change, and by how much each changed the number of open issues.
-- steps: each event, in order: when it happened (seen_at), which labels it shows and the event before it, and from when
-- to when it is the last that shows any.
--
-- Cost: reads `issue_history` once, so one pass over `events`; a filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.issue_timelines` OPTIONS (labels = [("app", "issuewire")]) AS
WITH
  histories AS (
    SELECT
      repository_id,
      issue_number,
      ANY_VALUE(repository) AS repository,
      ANY_VALUE(ended_at) AS ended_at,
      ANY_VALUE(opened_at) AS opened_at,
      ANY_VALUE(entered_at) AS entered_at,
      ARRAY_AGG(
        STRUCT(
          event_at AS event_at,
          moment AS moment,
          IF(is_pull, 'transferred', action) AS action,
          is_departure AS is_departure,
          COALESCE(state, state_before, 'open') AS state,
          issue_title AS title,
          issue_url AS url,
          issue_state_reason AS state_reason,
          issue_author AS author,
          issue_author_type AS author_type,
          is_bot_authored AS is_bot_authored,
          issue_labels AS labels,
          issue_assignees AS assignees,
          issue_milestone AS milestone
        )
        ORDER BY position DESC LIMIT 1)[OFFSET(0)] AS latest,
      ARRAY_AGG(
        IF(state = 'closed', COALESCE(issue_state_reason, 'completed'), NULL)
        IGNORE NULLS ORDER BY position DESC)[SAFE_OFFSET(0)] AS close_reason,
      ANY_VALUE(response_at) AS response_at,
      MIN(IF(is_response AND is_team_word, comment_created_at, NULL)) AS team_response_at,
      -- An event up to that comment must have shown that there was no comment.
      COALESCE(
        MAX(IF(is_response AND action = 'created' AND comment_created_at = response_at, updated_at, NULL)),
        ANY_VALUE(response_at)
      ) AS asked_at,
      MIN(IF(issue_comments = 0 OR (is_opening AND issue_comments IS NULL), updated_at, NULL)) AS uncommented_at,
      COUNTIF(is_team_word OR (position = 1 AND is_team_authored)) > 0 AS team_spoke,
      MIN(IF(is_waiting_word, comment_created_at, NULL)) AS waiting_word_at,
      MIN(shown_closed_at) AS first_closed_at,
      MAX(shown_closed_at) AS last_closed_at,
      MAX(seen_at) AS last_event_at,
      COUNTIF(what = 'reopened') AS reopen_count,
      SUM(-change * UNIX_MICROS(moment)) AS closed_micros,
      COUNTIF(is_opening) = 0 AS left_censored,
      ARRAY_AGG(
        IF(what IS NULL, NULL, STRUCT(moment AS moment, what AS what, change AS change))
        IGNORE NULLS ORDER BY position) AS state_changes,
      ARRAY_AGG(
        STRUCT(
          seen_at AS seen_at,
          is_opening AS is_opening,
          updated_at AS labels_from,
          next_updated_at AS labels_to,
          issue_labels AS labels,
          labels_before AS labels_before
        )
        ORDER BY position) AS steps
    FROM `${DATASET}.issue_history`
    GROUP BY repository_id, issue_number
    HAVING COUNTIF(NOT is_pull) > 0
  ),
  lives AS (
    SELECT
      *,
      CASE
        WHEN latest.is_departure THEN latest.event_at
        WHEN latest.state = 'open' THEN ended_at
      END AS left_at,
      COALESCE(uncommented_at > asked_at, uncommented_at IS NULL) AS response_unknown,
      IF(team_spoke, waiting_word_at, opened_at) AS spoken_since
    FROM histories
  ),
  spoken AS (
    SELECT
      *,
      IF(left_at IS NULL AND latest.state = 'open' AND NOT latest.is_bot_authored, spoken_since, NULL) AS waiting_since
    FROM lives
  )
SELECT
  repository_id,
  repository,
  issue_number,
  latest.title AS title,
  latest.url AS url,
  CASE WHEN left_at IS NULL THEN latest.state WHEN latest.is_departure THEN latest.action ELSE 'deleted' END AS state,
  latest.state_reason AS state_reason,
  IF(latest.state = 'closed', close_reason, NULL) AS close_reason,
  latest.author AS author,
  latest.author_type AS author_type,
  latest.labels AS labels,
  latest.assignees AS assignees,
  latest.milestone AS milestone,
  opened_at,
  entered_at,
  IF(response_unknown, NULL, response_at) AS first_response_at,
  IF(response_unknown, NULL, team_response_at) AS first_team_response_at,
  first_closed_at,
  IF(latest.state = 'closed', last_closed_at, NULL) AS closed_at,
  left_at,
  last_event_at,
  reopen_count,
  (closed_micros - UNIX_MICROS(opened_at) + IF(
    latest.state = 'closed', 0, UNIX_MICROS(GREATEST(COALESCE(left_at, CURRENT_TIMESTAMP()), latest.moment))
  )) / 3600000000 AS open_hours,
  IF(
    left_at IS NULL AND NOT response_unknown,
    GREATEST(TIMESTAMP_DIFF(response_at, opened_at, MICROSECOND), 0) / 3600000000, NULL
  ) AS time_to_first_response_hours,
  IF(
    left_at IS NULL AND latest.state = 'closed',
    GREATEST(TIMESTAMP_DIFF(last_closed_at, opened_at, MICROSECOND), 0) / 3600000000, NULL
  ) AS time_to_close_hours,
  left_at IS NULL AND latest.state = 'closed' AND response_at IS NULL AND NOT response_unknown AS closed_unanswered,
  waiting_since IS NOT NULL AS waiting_on_us,
  waiting_since,
  latest.is_bot_authored AS is_bot_authored,
  left_censored,
  response_unknown,
  ARRAY_CONCAT(
    [STRUCT(entered_at AS moment, 'opened' AS what, 1 AS change)],
    COALESCE(state_changes, []),
    IF(
      left_at IS NULL,
      [],
      [
        STRUCT(
          GREATEST(left_at, latest.moment) AS moment, 'left' AS what, IF(latest.state = 'closed', 0, -1) AS change
        )
      ])
  ) AS history,
  steps
FROM spoken;
