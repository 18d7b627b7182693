-- The share of closed issues that were reopened: issues reopened at least once, of the issues closed at least once.
-- Deleted and transferred issues count too; issues that a bot opened do not. A reopened issue was closed before, even if
-- no delivery says when. One row per repository with issues; rate is null while no issue was closed.
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.reopen_rate` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  COUNTIF(is_closed) AS closed_issues,
  COUNTIF(is_reopened) AS reopened_issues,
  SAFE_DIVIDE(COUNTIF(is_reopened), COUNTIF(is_closed)) AS rate
FROM (
  SELECT
    repository_id,
    repository,
    NOT is_bot_authored AND reopen_count > 0 AS is_reopened,
    NOT is_bot_authored AND (first_closed_at IS NOT NULL OR reopen_count > 0) AS is_closed
  FROM `${DATASET}.issues`
)
GROUP BY repository_id;
