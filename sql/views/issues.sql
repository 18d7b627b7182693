-- Every issue once, with its present state: when it was answered, closed and reopened, and how long it was open.
--
-- An issue is identified by repository_id and issue_number; `repository` is the name in the repository's last event.
-- Pull requests are left out.
-- Events are ordered by issue_updated_at, event_at and received_at. GitHub's times are whole seconds and deliveries
-- overtake each other, so within one second the event's kind decides before received_at: first `opened`, then events
-- that change no state (a comment, a label), then `closed`, `reopened` and `status_changed`, then what ends the issue.
-- state: what the last event says, never closed_at alone: GitHub's `reopened` carries state open and a closed_at. In
-- the second of a close or reopening only these two set the state, else `status_changed` if there is one: a comment of
-- that second may show the issue as it was before.
-- A close or a reopening is one of these three events if it changes the state. `closed` twice is one close: a pull
-- request and its commit both close an issue, and a changed reason is delivered as `closed` too. A state that only
-- another event shows corrects state, hours and backlog, and counts as no close and no reopening.
-- An issue leaves for good, and events after that, in that order, do not count, in three cases. It is deleted or
-- transferred: left_at is the event's event_at. It became a pull request, which the first event about the pull request
-- shows: its state is `transferred`. Its repository is deleted while it is open: its state is `deleted`, but a closed
-- issue stays closed. Issues that come into a restored repository count again.
-- Title, labels, author and the like are those of the last event that counts.
-- opened_at: created_at. entered_at: the same, except that an issue that came by a transfer entered when it came.
-- first_closed_at: the earliest close that any event shows. closed_at: the last close, while the issue is closed; of
-- an issue that left, as it was then.
-- open_hours: the sum of the open intervals from opened_at, until now or until left_at. A close or reopening whose
-- delivery is missing is taken from the next event: at its issue_closed_at, or at its issue_updated_at.
-- first_response_at: the first comment by neither the issue's author nor a bot (type Bot, or login ending in [bot]).
-- The author of a comment is the one that its own delivery names. A comment of a deleted account is a response, unless
-- the issue's author is deleted too: both may be the same person. A comment that was edited or deleted later counts.
-- response_unknown: no event up to the first response, or up to now, shows that the issue had no comments, so it may
-- have been answered before the first event: it is older than the webhook, or was answered before it was transferred.
-- first_response_at is null then. `opened` without the number of comments shows none; so does a comment's own event
-- that counts none before it.
-- time_to_close_hours: of issues closed now; time_to_first_response_hours: of answered issues; both are null for
-- issues that left.
-- No span is negative, in this view and in all others: what ended before it began took no time. Imported issues are
-- closed or answered before they were created. The columns ending in _at show GitHub's times as they are.
-- left_censored: there is no `opened` event; what happened before the first event is unknown.
-- history: when the issue was opened (or came), closed, reopened, left, or was seen in another state without an event
-- about the change, and by how much each changed the number of open issues; issues_weekly counts these.
--
-- Cost: one pass over `events`, without its payload, and one over its times and names. Filters do not prune: an
-- issue's events are in many partitions (event_at), and copies are compared before a filter on repository reaches the
-- clusters. For a large table, store this view's rows once an hour by a scheduled query and query those.

CREATE OR REPLACE VIEW `${DATASET}.issues` OPTIONS (labels = [("app", "issuewire")]) AS
WITH
  repositories AS (
    SELECT
      repository_id,
      ARRAY_AGG(
        repository IGNORE NULLS
        ORDER BY COALESCE(issue_updated_at, event_at) DESC, event_at DESC, received_at DESC, delivery_id DESC LIMIT 1
      )[SAFE_OFFSET(0)] AS name,
      MAX(IF(event = 'repository' AND action = 'deleted', event_at, NULL)) AS ended_at
    FROM `${DATASET}.issue_events`
    WHERE repository_id IS NOT NULL
    GROUP BY repository_id
  ),
  facts AS (
    SELECT
      * EXCEPT (payload, repository),
      COALESCE(issue_updated_at, event_at) AS updated_at,
      is_pull_request IS TRUE AS is_pull,
      event = 'issues' AND action = 'opened' AS is_opening,
      CASE
        WHEN event = 'issues' AND action IN ('closed', 'reopened') THEN 2
        WHEN event = 'issues' AND action = 'status_changed' THEN 1
        ELSE 0
      END AS authority,
      is_pull_request IS TRUE OR (event = 'issues' AND action IN ('deleted', 'transferred')) AS is_departure,
      event = 'issues' AND action = 'opened'
        AND (transferred_from_repository IS NOT NULL OR transferred_from_number IS NOT NULL) AS is_arrival
    FROM `${DATASET}.issue_events`
    WHERE repository_id IS NOT NULL AND issue_number IS NOT NULL
  ),
  placed AS (
    SELECT
      *,
      authority = MAX(authority) OVER (PARTITION BY repository_id, issue_number, updated_at) AS is_authority,
      MIN(issue_created_at) OVER (PARTITION BY repository_id, issue_number) AS opened_at,
      COALESCE(
        MIN(IF(is_arrival, updated_at, NULL)) OVER (PARTITION BY repository_id, issue_number),
        MIN(issue_created_at) OVER (PARTITION BY repository_id, issue_number)
      ) AS entered_at
    FROM facts
  ),
  weighted AS (
    SELECT
      placed.*,
      repositories.name AS repository,
      -- Null for an issue that came after its repository was restored.
      IF(repositories.ended_at >= placed.entered_at, repositories.ended_at, NULL) AS ended_at,
      authority > 0 AND is_authority AS sets_state,
      CASE WHEN is_opening THEN 0 WHEN is_departure THEN 3 WHEN authority > 0 THEN 2 ELSE 1 END AS weight,
      CASE
        WHEN is_pull THEN NULL
        WHEN authority = 2 THEN IF(action = 'closed', 'closed', 'open')
        WHEN is_authority THEN issue_state
      END AS state,
      IF(is_arrival, updated_at, event_at) AS seen_at,
      event = 'issue_comment'
        AND NOT is_pull
        AND comment_author IS DISTINCT FROM issue_author
        AND (comment_author_type = 'Bot' OR ENDS_WITH(comment_author, '[bot]')) IS NOT TRUE AS is_response
    FROM placed
    JOIN repositories ON repositories.repository_id = placed.repository_id
    WHERE
      repositories.ended_at IS NULL
      OR placed.updated_at <= repositories.ended_at
      OR placed.entered_at > repositories.ended_at
  ),
  ordered AS (
    SELECT
      *,
      ROW_NUMBER() OVER in_order AS position,
      LAST_VALUE(state IGNORE NULLS) OVER previous AS state_before
    FROM weighted
    WHERE TRUE
    QUALIFY COUNTIF(is_departure) OVER previous = 0
    WINDOW
      in_order AS (
        PARTITION BY repository_id, issue_number ORDER BY updated_at, event_at, weight, received_at, delivery_id),
      previous AS (in_order ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ),
  changes AS (
    SELECT
      *,
      COALESCE(issue_closed_at, IF(sets_state AND state = 'closed', updated_at, NULL)) AS shown_closed_at,
      IF(state = 'closed', COALESCE(issue_closed_at, updated_at), updated_at) AS changed_at,
      CASE
        WHEN COALESCE(state_before, 'open') = 'open' AND state = 'closed' THEN -1
        WHEN state_before = 'closed' AND state = 'open' THEN 1
        ELSE 0
      END AS change,
      -- `reopened` says what was before it; of the first event that is all that is known.
      state_before IS NULL AND authority = 2 AND action = 'reopened' AS is_first_seen_reopened
    FROM ordered
  ),
  transitions AS (
    SELECT
      *,
      -- Not before the change that precedes it, nor before the opening.
      GREATEST(
        opened_at,
        COALESCE(
          MAX(IF(change != 0 OR is_first_seen_reopened, changed_at, NULL)) OVER (
            PARTITION BY repository_id, issue_number ORDER BY position
          ),
          opened_at
        )
      ) AS moment,
      CASE
        WHEN change = 0 AND NOT is_first_seen_reopened THEN NULL
        WHEN NOT sets_state THEN 'seen'
        WHEN state = 'closed' THEN 'closed'
        ELSE 'reopened'
      END AS what,
      MIN(IF(is_response, comment_created_at, NULL)) OVER (PARTITION BY repository_id, issue_number) AS response_at
    FROM changes
  ),
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
          issue_labels AS labels,
          issue_assignees AS assignees,
          issue_milestone AS milestone
        )
        ORDER BY position DESC LIMIT 1)[OFFSET(0)] AS latest,
      ANY_VALUE(response_at) AS response_at,
      -- An event up to that comment must have shown that there was no comment.
      COALESCE(
        MAX(IF(is_response AND action = 'created' AND comment_created_at = response_at, updated_at, NULL)),
        ANY_VALUE(response_at)
      ) AS asked_at,
      MIN(IF(issue_comments = 0 OR (is_opening AND issue_comments IS NULL), updated_at, NULL)) AS uncommented_at,
      MIN(shown_closed_at) AS first_closed_at,
      MAX(shown_closed_at) AS last_closed_at,
      MAX(seen_at) AS last_event_at,
      COUNTIF(what = 'reopened') AS reopen_count,
      SUM(-change * UNIX_MICROS(moment)) AS closed_micros,
      COUNTIF(is_opening) = 0 AS left_censored,
      ARRAY_AGG(
        IF(what IS NULL, NULL, STRUCT(moment AS moment, what AS what, change AS change))
        IGNORE NULLS ORDER BY position) AS state_changes
    FROM transitions
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
      COALESCE(uncommented_at > asked_at, uncommented_at IS NULL) AS response_unknown
    FROM histories
  )
SELECT
  repository_id,
  repository,
  issue_number,
  latest.title AS title,
  latest.url AS url,
  CASE WHEN left_at IS NULL THEN latest.state WHEN latest.is_departure THEN latest.action ELSE 'deleted' END AS state,
  latest.state_reason AS state_reason,
  latest.author AS author,
  latest.author_type AS author_type,
  latest.labels AS labels,
  latest.assignees AS assignees,
  latest.milestone AS milestone,
  opened_at,
  entered_at,
  IF(response_unknown, NULL, response_at) AS first_response_at,
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
  (latest.author_type = 'Bot' OR ENDS_WITH(latest.author, '[bot]')) IS TRUE AS is_bot_authored,
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
  ) AS history
FROM lives;
