-- The share of closed issues that were reopened: issues reopened at least once, of the issues closed at least once.
-- Deleted and transferred issues count too. A reopened issue was closed before, even if no delivery says when. One row
-- per repository with issues; rate is null while no issue was closed.
--
-- Cost: reads `issues` once, so one pass over `events`; a filter on repository does not prune.

CREATE OR REPLACE VIEW `${DATASET}.reopen_rate` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT
  repository_id,
  ANY_VALUE(repository) AS repository,
  COUNTIF(first_closed_at IS NOT NULL OR reopen_count > 0) AS closed_issues,
  COUNTIF(reopen_count > 0) AS reopened_issues,
  SAFE_DIVIDE(COUNTIF(reopen_count > 0), COUNTIF(first_closed_at IS NOT NULL OR reopen_count > 0)) AS rate
FROM `${DATASET}.issues`
GROUP BY repository_id;
