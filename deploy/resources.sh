# shellcheck shell=bash disable=SC2153 # settings.sh sets what is in capitals
# All that exists before a function does: nothing here is ever dropped or recreated.

APIS=(
  artifactregistry.googleapis.com bigquery.googleapis.com cloudbuild.googleapis.com cloudfunctions.googleapis.com
  cloudresourcemanager.googleapis.com iam.googleapis.com monitoring.googleapis.com pubsub.googleapis.com
  run.googleapis.com secretmanager.googleapis.com
)

set_up() {
  step 'enable the APIs'
  change gcloud services enable "${APIS[@]}"
  make_accounts
  make_topics
  make_subscriptions
  make_secrets
  make_tables
  give_access
}

make_accounts() {
  step 'service accounts: one per function, one for the push requests, one for builds'
  local existing name
  existing=$(ask '' gcloud iam service-accounts list --format='value(email)')
  for name in "${ACCOUNTS[@]}"; do
    has_line "$(email "$name")" "$existing" ||
      change gcloud iam service-accounts create "$(account "$name")" --display-name="Issuewire $name"
  done
}

make_topics() {
  step 'topics'
  local existing name
  existing=$(ask '' gcloud pubsub topics list --format='value(name.basename())')
  for name in "$TOPIC" "$DEAD_TOPIC"; do
    has_line "$name" "$existing" ||
      change gcloud pubsub topics create "$name" --message-retention-duration=7d
  done
}

KEEPING=(--message-retention-duration=7d --expiration-period=never)
# The ack deadline is longer than the functions' timeout of 60 s, or a slow delivery would be repeated while it runs.
DELIVERING=(
  "${KEEPING[@]}" --ack-deadline=90 --min-retry-delay=10s --max-retry-delay=600s
  --dead-letter-topic="$DEAD_TOPIC" --max-delivery-attempts=100
)
HOLDING=("${KEEPING[@]}" --ack-deadline=60)

# They exist, as pull subscriptions, before the first message does: what is published meanwhile is kept for seven days.
make_subscriptions() {
  step 'subscriptions, which hold messages from now on'
  local table
  table=$(subscriptions)
  CHANGED=''
  subscription "$HOLD" "$DEAD_TOPIC" "$table" "${HOLDING[@]}"
  subscription notify-slack "$TOPIC" "$table" "${DELIVERING[@]}"
  subscription stream-bq "$TOPIC" "$table" "${DELIVERING[@]}"
  [[ -n $CHANGED && -z $DRY_RUN ]] || return 0
  table=$(subscriptions)
  local name
  for name in "$HOLD" notify-slack stream-bq; do
    [[ $(policy_of "$name" "$table") == "$(wanted_policy "$name")" ]] || die "subscription $name did not take its settings"
  done
}

# subscription NAME TOPIC TABLE FLAG...: created, or set right.
subscription() {
  local name=$1 topic=$2 policy
  policy=$(policy_of "$name" "$3")
  shift 3
  if [[ -z $policy ]]; then
    CHANGED=yes
    change gcloud pubsub subscriptions create "$name" --topic="$topic" "$@"
  elif [[ $policy != "$topic||"* ]]; then
    die "subscription $name listens to '${policy%%|*}' or has a filter, which cannot be changed; delete it: gcloud pubsub subscriptions delete $name"
  elif [[ $policy != "$(wanted_policy "$name")" ]]; then
    CHANGED=yes
    change gcloud pubsub subscriptions update "$name" "$@"
  fi
}

# Prints a line for each: its name, its policy in eight fields, where it pushes in three.
subscriptions() {
  local policy='topic.basename(),filter,ackDeadlineSeconds,messageRetentionDuration,expirationPolicy.ttl.yesno(no=never)'
  policy+=',retryPolicy.minimumBackoff,retryPolicy.maximumBackoff,deadLetterPolicy.deadLetterTopic.basename(),deadLetterPolicy.maxDeliveryAttempts'
  local push='pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,pushConfig.oidcToken.audience'
  ask '' gcloud pubsub subscriptions list --format="value[separator='|'](name.basename(),$policy,$push)"
}

wanted_policy() {
  if [[ $1 == "$HOLD" ]]; then
    printf '%s' "$DEAD_TOPIC||60|604800s|never||||"
  else
    printf '%s' "$TOPIC||90|604800s|never|10s|600s|$DEAD_TOPIC|100"
  fi
}

policy_of() { row "$1" "$2" | cut -d '|' -f 1-9; }

# Endpoint, account and audience of the push requests; three empty fields for a pull subscription.
push_of() { row "$1" "$2" | cut -d '|' -f 10-12; }

make_secrets() {
  step 'places of the secrets'
  local existing name
  existing=$(ask '' gcloud secrets list --format='value(name.basename())')
  for name in "$WEBHOOK_SECRET" "$SLACK_SECRET"; do
    has_line "$name" "$existing" || change gcloud secrets create "$name" --replication-policy=automatic
  done
}

make_tables() {
  step "BigQuery: dataset $DATASET, its table and views"
  local script
  script=$(cat -- sql/events.sql sql/views/*.sql)
  # shellcheck disable=SC2016 # ${DATASET} stands in the files
  feed "${script//'${DATASET}'/$DATASET}" bq --project_id="$PROJECT" --location="$BQ_LOCATION" --quiet query --use_legacy_sql=false
}
