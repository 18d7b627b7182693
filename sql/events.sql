-- The table of all deliveries, one row per delivery. This file defines its columns.
-- ${DATASET} is the dataset's name. Applying this again changes nothing. A new column goes into the list below and,
-- for existing tables, into an ALTER TABLE ... ADD COLUMN IF NOT EXISTS at the end.

CREATE SCHEMA IF NOT EXISTS `${DATASET}` OPTIONS (labels = [("app", "issuewire")]);

CREATE TABLE IF NOT EXISTS `${DATASET}.events` (
  delivery_id STRING NOT NULL OPTIONS (description = "X-GitHub-Delivery; GitHub keeps it when it delivers again"),
  event STRING NOT NULL OPTIONS (description = "X-GitHub-Event"),
  action STRING,
  event_at TIMESTAMP NOT NULL OPTIONS (description = "When it happened at GitHub; of a deletion or transfer, its receipt"),
  received_at TIMESTAMP NOT NULL OPTIONS (description = "When ingest received it"),
  inserted_at TIMESTAMP OPTIONS (description = "When stream_bq stored it"),
  source STRING OPTIONS (description = "webhook, reconcile, backfill or replay"),
  repository_id INT64,
  repository STRING OPTIONS (description = "owner/name at that time"),
  organization STRING,
  sender STRING OPTIONS (description = "Login of who did it"),
  sender_type STRING OPTIONS (description = "User, Bot or Organization"),
  issue_id INT64,
  issue_number INT64,
  issue_title STRING,
  issue_url STRING,
  issue_state STRING,
  issue_state_reason STRING,
  issue_author STRING OPTIONS (description = "Null for a deleted account"),
  issue_author_type STRING,
  issue_author_association STRING,
  issue_milestone STRING,
  issue_labels ARRAY<STRING>,
  issue_assignees ARRAY<STRING>,
  issue_comments INT64,
  issue_created_at TIMESTAMP,
  issue_updated_at TIMESTAMP,
  issue_closed_at TIMESTAMP OPTIONS (description = "May be set on an open issue; issue_state has the state"),
  is_pull_request BOOL OPTIONS (description = "A comment on a pull request arrives as issue_comment"),
  label STRING OPTIONS (description = "Of labeled and unlabeled"),
  assignee STRING OPTIONS (description = "Of assigned and unassigned"),
  comment_id INT64,
  comment_author STRING,
  comment_author_type STRING,
  comment_author_association STRING,
  comment_created_at TIMESTAMP,
  comment_url STRING,
  transferred_to_repository STRING,
  transferred_to_number INT64,
  transferred_from_repository STRING,
  transferred_from_number INT64,
  payload JSON OPTIONS (description = "The whole delivery; null over 8 MB, unstorable, or STORE_PAYLOAD=false"),
  payload_bytes INT64 OPTIONS (description = "Size as received"),
  schema_version INT64,
  hook_id INT64 OPTIONS (description = "X-GitHub-Hook-ID; null for what no webhook delivered"),
  issue_type STRING,
  issue_status STRING,
  issue_status_category STRING,
  via_app STRING OPTIONS (description = "The GitHub App through which a person's account wrote the comment or issue")
)
PARTITION BY DATE(event_at)
CLUSTER BY repository, issue_number
OPTIONS (
  labels = [("app", "issuewire")],
  description = "One row per delivery; read it through the view issue_events, which shows each once"
);

ALTER TABLE `${DATASET}.events`
  ADD COLUMN IF NOT EXISTS hook_id INT64 OPTIONS (description = "X-GitHub-Hook-ID; null for what no webhook delivered"),
  ADD COLUMN IF NOT EXISTS issue_type STRING,
  ADD COLUMN IF NOT EXISTS issue_status STRING,
  ADD COLUMN IF NOT EXISTS issue_status_category STRING,
  ADD COLUMN IF NOT EXISTS via_app STRING OPTIONS (description = "The GitHub App through which a person's account wrote the comment or issue");
