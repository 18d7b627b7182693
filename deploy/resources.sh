# shellcheck shell=bash disable=SC2153 # settings.sh sets what is in capitals
# Everything that must exist before a function is deployed. Nothing here is ever dropped or recreated.

APIS=(
  artifactregistry.googleapis.com bigquery.googleapis.com cloudbuild.googleapis.com cloudfunctions.googleapis.com
  cloudresourcemanager.googleapis.com iam.googleapis.com monitoring.googleapis.com pubsub.googleapis.com
  run.googleapis.com secretmanager.googleapis.com
)

# set_up [KIND...]: all kinds that it creates, and these, must be ours.
set_up() {
  if ((${#SCHEDULED[@]})) || [[ -n $PAYLOAD_JOB ]]; then
    APIS+=(cloudscheduler.googleapis.com)
    set -- "$@" job
  fi
  read_table_statements
  require_ours "${KINDS[@]}" "$@"
  step 'enable the APIs'
  mutate gcloud services enable "${APIS[@]}"
  create_accounts
  create_topics
  create_subscriptions
  create_secrets
  create_tables
  grant_access
  empty_payloads
}

create_accounts() {
  step 'service accounts: one per function, one for the push requests, one for builds'
  local name
  for name in "${ACCOUNTS[@]}"; do
    exists account "$(email "$name")" ||
      mutate gcloud iam service-accounts create "$(account "$name")" --display-name="Issuewire $name"
  done
}

create_topics() {
  step 'topics'
  local name
  for name in "$TOPIC" "$DEAD_TOPIC"; do
    exists topic "$name" ||
      mutate gcloud pubsub topics create "$name" --message-retention-duration=7d --labels="$LABEL"
  done
}

# They exist, as pull subscriptions, before the first message: what is published in the meantime is kept for seven days.
create_subscriptions() {
  step 'subscriptions, which keep messages from now on'
  local name table push_flags
  # 31 days is the most that Pub/Sub keeps: https://docs.cloud.google.com/pubsub/docs/subscription-properties
  # The ack deadline is longer than the functions' timeout of 60 s, so that no delivery is repeated while it still runs.
  push_flags=(
    --message-retention-duration=7d --expiration-period=never --ack-deadline=90 --min-retry-delay=10s
    --dead-letter-topic="$DEAD_TOPIC" --max-delivery-attempts=100
  )
  table=${EXISTING[subscription]:-}
  CHANGED=''
  ensure_subscription "$DEAD_SUBSCRIPTION" "$DEAD_TOPIC" "$table" \
    --message-retention-duration=31d --expiration-period=never --ack-deadline=60
  for name in "${SUBSCRIPTIONS[@]}"; do
    ensure_subscription "$name" "$TOPIC" "$table" "${push_flags[@]}" --max-retry-delay="${PAUSES[$name]}s"
  done
  [[ -n $CHANGED && -z $DRY_RUN ]] || return 0
  table=$(list_subscription)
  for name in "$DEAD_SUBSCRIPTION" "${SUBSCRIPTIONS[@]}"; do
    [[ $(policy_of "$name" "$table") == "$(expected_policy "$name")" ]] || die "subscription $name did not take its settings"
  done
}

# ensure_subscription NAME TOPIC TABLE FLAG...: creates it, or corrects its settings.
ensure_subscription() {
  local name=$1 topic=$2 policy
  policy=$(policy_of "$name" "$3")
  shift 3
  if [[ -z $policy ]]; then
    CHANGED=yes
    mutate gcloud pubsub subscriptions create "$name" --topic="$topic" --labels="$LABEL" "$@"
  elif [[ $policy != "$topic||"* ]]; then
    die "subscription $name belongs to the topic '${policy%%|*}' or has a filter, which cannot be changed; delete it: gcloud pubsub subscriptions delete $name"
  elif [[ $policy != "$(expected_policy "$name")" ]]; then
    CHANGED=yes
    mutate gcloud pubsub subscriptions update "$name" "$@"
  fi
}

# Prints a line for each subscription: its name, its label, its policy in nine fields, its push settings in three.
list_subscription() {
  local policy='topic.basename(),filter,ackDeadlineSeconds,messageRetentionDuration,expirationPolicy.ttl.yesno(no=never)'
  policy+=',retryPolicy.minimumBackoff,retryPolicy.maximumBackoff,deadLetterPolicy.deadLetterTopic.basename(),deadLetterPolicy.maxDeliveryAttempts'
  local push='pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,pushConfig.oidcToken.audience'
  query_list gcloud pubsub subscriptions list --format="value[separator='|'](name.basename(),labels.app,$policy,$push)"
}

expected_policy() {
  if [[ $1 == "$DEAD_SUBSCRIPTION" ]]; then
    printf '%s' "$DEAD_TOPIC||60|2678400s|never||||"
  else
    printf '%s' "$TOPIC||90|604800s|never|10s|${PAUSES[$1]}s|$DEAD_TOPIC|100"
  fi
}

policy_of() { row "$1" "$2" | cut -d '|' -f 2-10; }

# Prints endpoint, account and audience of the push requests; three empty fields for a pull subscription.
push_of() { row "$1" "$2" | cut -d '|' -f 11-13; }

create_secrets() {
  step 'secrets'
  local name
  for name in "${ALL_SECRETS[@]}"; do
    exists secret "$name" || mutate gcloud secrets create "$name" --replication-policy=automatic --labels="$LABEL"
  done
}

# Sets TABLE_STATEMENTS, and stops if the team's file is wrong. `./issuewire schema apply` runs the same statements.
read_table_statements() {
  local script python
  python=$(python_for_checks)
  # What a view reads is created before it: the order of the names must not depend on the operator's language.
  script=$(
    LC_ALL=C
    cat -- sql/events.sql sql/tables/*.sql sql/team/*.sql sql/views/issue*.sql sql/views/[!i]*.sql
  )
  TABLE_STATEMENTS=$("$python" -B deploy/team_sql.py "$TEAM_FILE" <<<"$script") || die "$TEAM_FILE is wrong (see above); nothing was changed"
  # shellcheck disable=SC2016 # the files contain ${DATASET} literally
  TABLE_STATEMENTS=${TABLE_STATEMENTS//'${DATASET}'/$DATASET}
}

create_tables() {
  step "BigQuery: dataset $DATASET, its tables and views"
  mutate_with_stdin "$TABLE_STATEMENTS" bq --project_id="$PROJECT" --location="$BQ_LOCATION" --quiet query --use_legacy_sql=false
}
