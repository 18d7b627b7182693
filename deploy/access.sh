# shellcheck shell=bash
# Who may do what: each role on the narrowest resource that has one.

BUILDER=(roles/logging.logWriter roles/artifactregistry.writer roles/storage.objectViewer)

give_access() {
  step 'access: each account what it needs, where it needs it'
  local subscription agent
  agent=$(pubsub_agent)
  change gcloud pubsub topics add-iam-policy-binding "$TOPIC" --member="$(member ingest)" --role=roles/pubsub.publisher
  change gcloud secrets add-iam-policy-binding "$WEBHOOK_SECRET" --member="$(member ingest)" --role=roles/secretmanager.secretAccessor
  change gcloud secrets add-iam-policy-binding "$SLACK_SECRET" --member="$(member notify_slack)" --role=roles/secretmanager.secretAccessor
  change bq --project_id="$PROJECT" add-iam-policy-binding --member="$(member stream_bq)" --role=roles/bigquery.dataEditor "$PROJECT:$DATASET.events"
  change gcloud pubsub topics add-iam-policy-binding "$DEAD_TOPIC" --member="$agent" --role=roles/pubsub.publisher
  for subscription in notify-slack stream-bq; do
    change gcloud pubsub subscriptions add-iam-policy-binding "$subscription" --member="$agent" --role=roles/pubsub.subscriber
  done
  # Only projects older than April 2021 need this one; on the push account alone it harms none.
  change gcloud iam service-accounts add-iam-policy-binding "$(email push)" --member="$agent" --role=roles/iam.serviceAccountTokenCreator
  give_project_roles
}

# The project's own policy is written only where something is missing: others write it too.
give_project_roles() {
  local held role
  held=$(project_roles)
  # Rows of more than five years ago go in by load jobs, and a job belongs to the project.
  on_project "$(member stream_bq)" roles/bigquery.jobUser "$held"
  for role in "${BUILDER[@]}"; do on_project "$(member build)" "$role" "$held"; done
}

on_project() {
  has_line "$2|$1|" "$3" || change gcloud projects add-iam-policy-binding "$PROJECT" --member="$1" --role="$2" --condition=None
}

# Prints "ROLE|MEMBER|CONDITION" for each.
project_roles() {
  ask '' gcloud projects get-iam-policy "$PROJECT" --flatten='bindings[].members' \
    --format="value[separator='|'](bindings.role,bindings.members,bindings.condition.title)"
}
