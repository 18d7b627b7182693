# shellcheck shell=bash disable=SC2034 # functions.sh reads what is set here
# ingest receives GitHub's webhook calls and publishes each verified delivery.

setting EVENTS '' '([a-z_]+(,[a-z_]+)*)?' 'is not a comma-separated list of event names'
require_event_names EVENTS
setting INGEST_MIN_INSTANCES 0 '[0-9]+' 'is not a number'

TRIGGER=http-public
PACKAGES=(pipeline clients/pubsub)
SECRETS=("$WEBHOOK_SECRET")
ROLES=("roles/pubsub.publisher topic/$TOPIC")
# Without a fixed threshold, the C library keeps up to 64 MB after it has freed a large body.
ENVIRONMENT=(PUBSUB_TOPIC="projects/$PROJECT/topics/$TOPIC" WEBHOOK_SECRET="projects/$PROJECT/secrets/$WEBHOOK_SECRET"
  MALLOC_MMAP_THRESHOLD_=262144)
[[ -z $EVENTS ]] || ENVIRONMENT+=(EVENTS="$EVENTS")
FLAGS=(--cpu=1 --memory=512Mi --concurrency=80 --timeout=30s --max-instances=5 --min-instances="$INGEST_MIN_INSTANCES")
