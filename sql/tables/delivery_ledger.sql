-- What each run of reconcile found, one row per run, webhook and day (UTC) of its window. A run that could not see
-- everything writes no row. A later row about the same day replaces an earlier one; the view delivery_proof reads the last.

CREATE TABLE IF NOT EXISTS `${DATASET}.delivery_ledger` (
  run_at TIMESTAMP NOT NULL,
  hook_id INT64 OPTIONS (description = "The webhook's id at GitHub, 0 for a GitHub App's; null for a source without our webhook"),
  source STRING NOT NULL OPTIONS (description = "OWNER/REPO or the organization that has the webhook, or GitHub App"),
  window_start TIMESTAMP NOT NULL OPTIONS (description = "The beginning of the day"),
  window_end TIMESTAMP NOT NULL,
  expected INT64 NOT NULL OPTIONS (description = "Events that GitHub lists for the webhook, each GUID once"),
  stored INT64 NOT NULL OPTIONS (description = "Those of them in issue_events when the run ended"),
  redelivered INT64 NOT NULL OPTIONS (description = "Those that GitHub was asked to deliver again in this run"),
  recovered INT64 NOT NULL OPTIONS (description = "Those stored although the first attempt failed"),
  refused INT64 NOT NULL OPTIONS (description = "Those that ingest answered with 400, 413 or 415 every time"),
  lost INT64 NOT NULL OPTIONS (description = "Those neither stored nor refused nor held that cannot be had any more")
)
PARTITION BY DATE(run_at)
OPTIONS (
  labels = [("app", "issuewire")],
  description = "What each run of reconcile found"
);
