-- What triage did or would have done, one row per action of a delivery and result. A message that is delivered again adds a row with
-- the result `present` for what was done before. AT is a word of SQL, so the column is always in backticks.

CREATE TABLE IF NOT EXISTS `${DATASET}.triage_actions` (
  `at` TIMESTAMP NOT NULL,
  delivery_id STRING NOT NULL OPTIONS (description = "The event that the rule matched"),
  rule STRING NOT NULL OPTIONS (description = "The name of the rule in config/triage.toml"),
  repository_id INT64,
  issue STRING NOT NULL OPTIONS (description = "OWNER/REPO#NUMBER as they were then"),
  issue_number INT64,
  what STRING NOT NULL OPTIONS (description = "add_label, assign, comment or close"),
  value STRING OPTIONS (description = "The label, the login, the reason of the close, or the beginning of the comment"),
  result STRING NOT NULL OPTIONS (description = "done, present, removed, changed, not_applied, refused, limit or would"),
  reason STRING OPTIONS (description = "Why it was not done, as in the log"),
  dry_run BOOL NOT NULL OPTIONS (description = "TRIAGE_MODE or the rule says that nothing is changed")
)
PARTITION BY DATE(`at`)
CLUSTER BY repository_id, issue_number
OPTIONS (
  labels = [("app", "issuewire")],
  description = "What triage did or would have done"
);
