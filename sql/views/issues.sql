-- Every issue once, with its present state: when it was answered, closed and reopened, and how long it was open.
--
-- An issue is identified by repository_id and issue_number; `repository` is the name in the repository's last event
-- about an issue. Pull requests are left out.
-- Events are ordered by issue_updated_at, event_at and received_at. GitHub's times are whole seconds and deliveries
-- overtake each other, so within one second the event's kind decides before received_at: first `opened`, then events
-- that change no state (a comment, a label), then `closed` and `reopened`, then `deleted` and `transferred`.
-- state: what the last event says, never closed_at alone: GitHub's `reopened` carries state open and a closed_at. In
-- the second of a close or reopening only these two set the state: a comment of that second may show the issue as it
-- was before.
-- `deleted` and `transferred` are final: events after them, in that order, do not count. Title, labels, author and the
-- like are those of the last event that counts.
-- opened_at: created_at. entered_at: the same, except that an issue that came by a transfer entered when it came.
-- first_closed_at: the earliest close that any event shows. closed_at: the last close, while the issue is closed; of a
-- deleted or transferred issue, as it was then. left_at: when it was deleted or transferred.
-- open_hours: the sum of the open intervals from opened_at, until now or until left_at. A close or reopening whose
-- delivery is missing is taken from the next event: at its issue_closed_at, or at its issue_updated_at.
-- first_response_at: the first comment by neither the issue's author nor a bot (type Bot, or login ending in [bot]).
-- The author of a comment is the one that its own delivery names. A comment of a deleted account is a response, unless
-- the issue's author is deleted too: both may be the same person. A comment that was edited or deleted later counts.
-- time_to_close_hours: of issues closed now; time_to_first_response_hours: of answered issues; both are null for
-- deleted and transferred ones.
-- left_censored: there is no `opened` event; what happened before the first event is unknown.
-- history: when the issue was opened (or came), closed, reopened, left, or was seen in another state without an event
-- about the change, and by how much each changed the number of open issues; issues_weekly counts these.
--
-- Cost: one pass over `events`, without its payload. Filters do not prune: an issue's events are in many partitions
-- (event_at), and copies are compared before a filter on repository reaches the clusters. For a large table, store this
-- view's rows once an hour by a scheduled query and query those.

CREATE OR REPLACE VIEW `${DATASET}.issues` AS
WITH
  facts AS (
    SELECT
      * EXCEPT (payload),
      COALESCE(issue_updated_at, event_at) AS updated_at,
      event = 'issues' AND action = 'opened' AS is_opening,
      event = 'issues' AND action IN ('closed', 'reopened') AS sets_state,
      event = 'issues' AND action IN ('deleted', 'transferred') AS is_departure,
      event = 'issues' AND action = 'opened'
        AND (transferred_from_repository IS NOT NULL OR transferred_from_number IS NOT NULL) AS is_arrival
    FROM `${DATASET}.issue_events`
    WHERE repository_id IS NOT NULL AND issue_number IS NOT NULL AND is_pull_request IS NOT TRUE
  ),
  weighted AS (
    SELECT
      *,
      CASE WHEN is_opening THEN 0 WHEN sets_state THEN 2 WHEN is_departure THEN 3 ELSE 1 END AS weight,
      CASE
        WHEN sets_state THEN IF(action = 'closed', 'closed', 'open')
        WHEN COUNTIF(sets_state) OVER (PARTITION BY repository_id, issue_number, updated_at) = 0 THEN issue_state
      END AS state,
      IF(is_arrival, updated_at, event_at) AS seen_at,
      COALESCE(issue_closed_at, IF(sets_state AND action = 'closed', event_at, NULL)) AS shown_closed_at,
      event = 'issue_comment'
        AND comment_author IS DISTINCT FROM issue_author
        AND (comment_author_type = 'Bot' OR ENDS_WITH(comment_author, '[bot]')) IS NOT TRUE AS is_response
    FROM facts
  ),
  ordered AS (
    SELECT
      *,
      ROW_NUMBER() OVER in_order AS position,
      COALESCE(LAST_VALUE(state IGNORE NULLS) OVER previous, 'open') AS state_before
    FROM weighted
    WHERE TRUE
    QUALIFY COUNTIF(is_departure) OVER previous = 0
    WINDOW
      in_order AS (
        PARTITION BY repository_id, issue_number ORDER BY updated_at, event_at, weight, received_at, delivery_id),
      previous AS (in_order ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ),
  transitions AS (
    SELECT
      *,
      IF(state = 'closed', COALESCE(issue_closed_at, updated_at), updated_at) AS changed_at,
      CASE
        WHEN state_before = 'open' AND state = 'closed' THEN -1
        WHEN state_before = 'closed' AND state = 'open' THEN 1
        ELSE 0
      END AS change
    FROM ordered
  ),
  histories AS (
    SELECT
      repository_id,
      issue_number,
      ARRAY_AGG(
        STRUCT(
          repository AS repository,
          updated_at AS updated_at,
          event_at AS event_at,
          received_at AS received_at,
          delivery_id AS delivery_id,
          action AS action,
          is_departure AS is_departure,
          COALESCE(state, state_before) AS state,
          issue_title AS title,
          issue_url AS url,
          issue_state_reason AS state_reason,
          issue_author AS author,
          issue_author_type AS author_type,
          issue_labels AS labels,
          issue_assignees AS assignees,
          issue_milestone AS milestone
        )
        ORDER BY position DESC LIMIT 1)[OFFSET(0)] AS latest,
      MIN(issue_created_at) AS opened_at,
      COALESCE(MIN(IF(is_arrival, updated_at, NULL)), MIN(issue_created_at)) AS entered_at,
      MIN(IF(is_response, comment_created_at, NULL)) AS first_response_at,
      MIN(shown_closed_at) AS first_closed_at,
      MAX(shown_closed_at) AS last_closed_at,
      MAX(seen_at) AS last_event_at,
      COUNTIF(sets_state AND action = 'reopened') AS reopen_count,
      SUM(-change * UNIX_MICROS(changed_at)) AS closed_micros,
      COUNTIF(is_opening) = 0 AS left_censored,
      ARRAY_AGG(
        IF(
          sets_state OR change != 0,
          STRUCT(changed_at AS moment, IF(sets_state, action, 'seen') AS what, change AS change), NULL)
        IGNORE NULLS ORDER BY position) AS state_changes
    FROM transitions
    GROUP BY repository_id, issue_number
  )
SELECT
  repository_id,
  FIRST_VALUE(latest.repository) OVER (
    PARTITION BY repository_id
    ORDER BY latest.updated_at DESC, latest.event_at DESC, latest.received_at DESC, latest.delivery_id DESC
  ) AS repository,
  issue_number,
  latest.title AS title,
  latest.url AS url,
  IF(latest.is_departure, latest.action, latest.state) AS state,
  latest.state_reason AS state_reason,
  latest.author AS author,
  latest.author_type AS author_type,
  latest.labels AS labels,
  latest.assignees AS assignees,
  latest.milestone AS milestone,
  opened_at,
  entered_at,
  first_response_at,
  first_closed_at,
  IF(latest.state = 'closed', last_closed_at, NULL) AS closed_at,
  IF(latest.is_departure, latest.event_at, NULL) AS left_at,
  last_event_at,
  reopen_count,
  (closed_micros - UNIX_MICROS(opened_at) + IF(
    latest.state = 'closed', 0, UNIX_MICROS(IF(latest.is_departure, latest.event_at, CURRENT_TIMESTAMP()))
  )) / 3600000000 AS open_hours,
  IF(
    latest.is_departure, NULL, TIMESTAMP_DIFF(first_response_at, opened_at, MICROSECOND) / 3600000000
  ) AS time_to_first_response_hours,
  IF(
    latest.state = 'closed' AND NOT latest.is_departure,
    TIMESTAMP_DIFF(last_closed_at, opened_at, MICROSECOND) / 3600000000, NULL
  ) AS time_to_close_hours,
  (latest.author_type = 'Bot' OR ENDS_WITH(latest.author, '[bot]')) IS TRUE AS is_bot_authored,
  left_censored,
  ARRAY_CONCAT(
    [STRUCT(entered_at AS moment, 'opened' AS what, 1 AS change)],
    COALESCE(state_changes, []),
    IF(
      latest.is_departure,
      [STRUCT(latest.event_at AS moment, 'left' AS what, IF(latest.state = 'closed', 0, -1) AS change)], [])
  ) AS history
FROM histories;
