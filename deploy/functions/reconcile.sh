# shellcheck shell=bash disable=SC2034 # functions.sh reads what is set here
# reconcile asks GitHub for what was not delivered, publishes what it never sent, drives held messages again, and keeps the proof.

setting LOOKBACK_HOURS 6 '[1-9][0-9]?|1[0-6][0-9]' 'is not a number of hours, 72 or less (GitHub Enterprise Server: 168)'
setting REDRIVE_MAX 20 '[0-9]{1,3}' 'is not a number'

NEEDS=GITHUB_SOURCES
TRIGGER=schedule
SCHEDULE='7 * * * *'
PACKAGES=(pipeline clients/pubsub clients/github clients/bigquery.py)
ROLES=("roles/pubsub.publisher topic/$TOPIC" "roles/pubsub.subscriber subscription/$DEAD_SUBSCRIPTION"
  "roles/bigquery.dataViewer table/events" "roles/bigquery.dataEditor table/delivery_ledger" "roles/bigquery.jobUser project")
ENVIRONMENT=(PUBSUB_TOPIC="projects/$PROJECT/topics/$TOPIC" BIGQUERY_DATASET="$PROJECT.$DATASET" GITHUB_SOURCES="$GITHUB_SOURCES"
  INGEST_URL="$INGEST_ADDRESSES" LOOKBACK_HOURS="$LOOKBACK_HOURS" REDRIVE_MAX="$REDRIVE_MAX")
[[ -z $EVENTS ]] || ENVIRONMENT+=(EVENTS="$EVENTS")
MOUNTS=''
add_github /etc/issuewire
# One run at a time. Cloud Scheduler waits for 30 minutes at most.
FLAGS=(--cpu=1 --memory=512Mi --concurrency=1 --timeout=1800s --max-instances=1 --set-secrets="${MOUNTS#,}")
