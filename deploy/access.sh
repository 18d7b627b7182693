# shellcheck shell=bash
# Who may do what: each role on the narrowest resource that has one.

BUILD_ROLES=(roles/logging.logWriter roles/artifactregistry.writer roles/storage.objectViewer)

grant_access() {
  step 'access: each account gets the roles that it needs, on the resources that it uses'
  local name entry secret agent current expected role member
  # Pub/Sub's own account, which moves messages to the dead-letter topic and signs the push requests.
  agent=serviceAccount:service-$PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com
  for name in "${FUNCTIONS[@]}"; do
    load_table "$name"
    for entry in "${ROLES[@]}"; do
      [[ $entry == *' project' ]] || grant "$(member "$name")" "${entry% *}" "${entry#* }"
    done
    for secret in "${SECRETS[@]}"; do grant "$(member "$name")" roles/secretmanager.secretAccessor "secret/$secret"; done
  done
  grant "$agent" roles/pubsub.publisher "topic/$DEAD_TOPIC"
  for name in "${SUBSCRIPTIONS[@]}"; do grant "$agent" roles/pubsub.subscriber "subscription/$name"; done
  # Only projects older than April 2021 need this one. It is granted on the push account alone.
  grant "$agent" roles/iam.serviceAccountTokenCreator "account/$(email push)"
  # The project's policy is written only if a role is missing, because other people write it too.
  current=$(project_roles)
  expected=$(expected_project_roles)
  while IFS='|' read -r role member _; do
    if ! has_line "$role|$member|" "$current"; then grant "$member" "$role" "project/$PROJECT"; fi
  done <<<"$expected"
}

# grant MEMBER ROLE KIND/NAME
grant() {
  local name=${3#*/} before=$STEP
  STEP="access: $2 on $3 for $1" # an error of gcloud does not say which of them it is about
  case $3 in
    topic/* | subscription/*) mutate gcloud pubsub "${3%%/*}s" add-iam-policy-binding "$name" --member="$1" --role="$2" ;;
    secret/*) mutate gcloud secrets add-iam-policy-binding "$name" --member="$1" --role="$2" ;;
    table/*) mutate bq --project_id="$PROJECT" add-iam-policy-binding --member="$1" --role="$2" "$PROJECT:$DATASET.$name" ;;
    account/*) mutate gcloud iam service-accounts add-iam-policy-binding "$name" --member="$1" --role="$2" ;;
    project/*) mutate gcloud projects add-iam-policy-binding "$name" --member="$1" --role="$2" --condition=None ;;
    *) die "no role can be granted on '$3': name a topic/, subscription/, secret/ or table/" ;;
  esac
  STEP=$before
}

# Prints "ROLE|MEMBER|CONDITION" for each role on the project.
project_roles() {
  query '' gcloud projects get-iam-policy "$PROJECT" --flatten='bindings[].members' \
    --format="value[separator='|'](bindings.role,bindings.members,bindings.condition.title)"
}

# Prints "ROLE|MEMBER|" for each role that we need on the project.
expected_project_roles() {
  local name entry role
  for name in "${FUNCTIONS[@]}"; do
    load_table "$name"
    for entry in "${ROLES[@]}"; do
      [[ $entry != *' project' ]] || printf '%s|%s|\n' "${entry% *}" "$(member "$name")"
    done
  done
  [[ -z $PAYLOAD_JOB ]] || printf 'roles/bigquery.jobUser|%s|\n' "$(member payloads)"
  for role in "${BUILD_ROLES[@]}"; do printf '%s|%s|\n' "$role" "$(member build)"; done
}
