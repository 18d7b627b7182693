-- Every event of an issue that counts, in order: the state it leaves the issue in, what it changed, and who spoke in it.
-- The views about issues are made of these rows; `issues` says what its columns mean.
--
-- An issue is identified by repository_id and issue_number; `repository` is the name in the repository's last event.
-- Events are ordered by issue_updated_at, event_at and received_at. GitHub's times are whole seconds and deliveries
-- overtake each other, so within one second the event's kind decides before received_at: first `opened`, then events
-- that change no state (a comment, a label), then `closed`, `reopened` and `status_changed`, then what ends the issue.
-- state: what the last event says, never closed_at alone: GitHub's `reopened` carries state open and a closed_at. In
-- the second of a close or reopening only these two set the state, else `status_changed` if there is one: a comment of
-- that second may show the issue as it was before.
-- A close or a reopening is one of these three events if it changes the state. `closed` twice is one close: a pull
-- request and its commit both close an issue, and a changed reason is delivered as `closed` too. A state that only
-- another event shows corrects state, hours and backlog, and counts as no close and no reopening.
-- what, change: closed, reopened, or seen in another state, and by how much that changes the number of open issues.
-- moment: when that happened, as far as known. A close or reopening whose delivery is missing is taken from the next
-- event: at its issue_closed_at, or at its issue_updated_at.
-- An issue leaves for good, and events after that, in that order, are not here, in three cases. It is deleted or
-- transferred. It became a pull request, which the first event about the pull request shows. Its repository is deleted
-- while it is open: ended_at. Issues that come into a restored repository count again.
-- entered_at: opened_at, except that an issue that came by a transfer entered when it came.
-- A bot has the type Bot, a login that ends in [bot], or the role bot in `accounts`. The team are the logins with the
-- role team in `accounts`; where no login has it, those whose author_association is OWNER, MEMBER or COLLABORATOR. A bot
-- is never of the team. A person's account that an app moved (via_app) is that person.
-- is_word: a comment by no bot, once, as its own delivery names its author and the author's association; as its first
-- edit or its deletion does, if that was lost. is_response: a word by somebody else than the issue's author. A comment
-- of a deleted account is one, unless the issue's author is deleted too: both may be the same person. is_waiting_word: a
-- word by somebody outside the team, after which no word of the team comes; words are in the order of their creation,
-- then of comment_id.
--
-- Cost: one pass over `events`, without its payload, and one over its times and names. Filters do not prune: an
-- issue's events are in many partitions (event_at), and copies are compared before a filter on repository reaches the
-- clusters.

CREATE OR REPLACE VIEW `${DATASET}.issue_history` OPTIONS (labels = [("app", "issuewire")]) AS
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
  roles AS (
    SELECT
      ARRAY_AGG(IF(role = 'team', login, NULL) IGNORE NULLS) AS team,
      ARRAY_AGG(IF(role = 'bot', login, NULL) IGNORE NULLS) AS bots,
      COUNTIF(role = 'team') = 0 AS is_team_by_association
    FROM `${DATASET}.accounts`
  ),
  facts AS (
    SELECT
      * EXCEPT (payload, repository, team, bots, is_team_by_association),
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
        AND (transferred_from_repository IS NOT NULL OR transferred_from_number IS NOT NULL) AS is_arrival,
      event = 'issue_comment'
        AND is_pull_request IS NOT TRUE
        AND (
          comment_author_type = 'Bot' OR ENDS_WITH(comment_author, '[bot]') OR LOWER(comment_author) IN UNNEST(bots)
        ) IS NOT TRUE AS is_comment,
      IF(
        is_team_by_association,
        comment_author_association IN ('OWNER', 'MEMBER', 'COLLABORATOR'),
        LOWER(comment_author) IN UNNEST(team)
      ) IS TRUE AS is_of_team,
      (
        issue_author_type = 'Bot' OR ENDS_WITH(issue_author, '[bot]') OR LOWER(issue_author) IN UNNEST(bots)
      ) IS TRUE AS is_bot_authored,
      IF(
        is_team_by_association,
        issue_author_association IN ('OWNER', 'MEMBER', 'COLLABORATOR'),
        LOWER(issue_author) IN UNNEST(team)
      ) IS TRUE AS is_team_authored
    FROM `${DATASET}.issue_events`
    CROSS JOIN roles
    WHERE repository_id IS NOT NULL AND issue_number IS NOT NULL
  ),
  placed AS (
    SELECT
      *,
      authority = MAX(authority) OVER (PARTITION BY repository_id, issue_number, updated_at) AS is_authority,
      is_comment
        AND ROW_NUMBER() OVER (
          PARTITION BY repository_id, issue_number, comment_id
          ORDER BY IF(action = 'created', 0, 1), updated_at, received_at, delivery_id
        ) = 1 AS is_word,
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
      is_word AND comment_author IS DISTINCT FROM issue_author AS is_response,
      is_word AND is_of_team AS is_team_word
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
      IF(state = 'closed', COALESCE(issue_closed_at, updated_at), updated_at) AS changed_at,
      CASE
        WHEN COALESCE(state_before, 'open') = 'open' AND state = 'closed' THEN -1
        WHEN state_before = 'closed' AND state = 'open' THEN 1
        ELSE 0
      END AS change,
      -- `reopened` says what was before it; of the first event that is all that is known.
      state_before IS NULL AND authority = 2 AND action = 'reopened' AS is_first_seen_reopened
    FROM ordered
  )
SELECT
  *,
  COALESCE(issue_closed_at, IF(sets_state AND state = 'closed', updated_at, NULL)) AS shown_closed_at,
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
  LEAD(updated_at) OVER (PARTITION BY repository_id, issue_number ORDER BY position) AS next_updated_at,
  LAG(issue_labels) OVER (PARTITION BY repository_id, issue_number ORDER BY position) AS labels_before,
  MIN(IF(is_response, comment_created_at, NULL)) OVER (PARTITION BY repository_id, issue_number) AS response_at,
  is_word
    AND COUNTIF(is_team_word) OVER (
      PARTITION BY repository_id, issue_number
      ORDER BY comment_created_at DESC, comment_id DESC, position DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) = 0 AS is_waiting_word
FROM changes;
