# shellcheck shell=bash
# Removal, in the order senders, receivers, storage. Each kind is listed once, and only what exists is removed.

command_destroy() {
  local data=''
  if [[ ${1:-} == --data ]]; then data=yes && shift; fi
  no_arguments "$@"
  confirm "$data"
  remove_functions
  remove_topics
  remove_alerts
  remove_accounts
  if [[ -n $data ]]; then
    remove_data
  else
    report_done "Kept: the secrets, and the dataset $DATASET with its data (--data removes them)."
  fi
  report_done 'Delete the webhook at GitHub yourself: its URL no longer exists.'
}

confirm() {
  local answer=''
  [[ -z $DRY_RUN$YES ]] || return 0
  say "This removes Issuewire from $PROJECT${1:+, with its secrets and all data in the dataset $DATASET}."
  [[ -t 0 ]] || die 'stdin is not a terminal, so nothing can be confirmed; pass --yes'
  read -rp 'Type the project id to continue: ' answer || true
  [[ $answer == "$PROJECT" ]] || die 'nothing was removed'
}

remove_functions() {
  step 'remove the functions'
  local name existing
  existing=$(deployments)
  [[ -z $DRY_RUN ]] || existing=$(printf '%s|||\n' "${FUNCTIONS[@]//_/-}")
  for name in "${PUBLIC_FUNCTIONS[@]//_/-}" "${SUBSCRIBERS[@]//_/-}"; do
    if [[ -n $(row "$name" "$existing") ]]; then mutate gcloud functions delete "$name" --gen2 --region="$REGION"; fi
  done
}

remove_topics() {
  step 'remove subscriptions and topics'
  local name existing subscriptions=("${SUBSCRIBERS[@]//_/-}" "$DEAD_SUBSCRIPTION")
  existing=$(query "$(lines "${subscriptions[@]}")" gcloud pubsub subscriptions list --format='value(name.basename())')
  for name in "${subscriptions[@]}"; do
    if has_line "$name" "$existing"; then mutate gcloud pubsub subscriptions delete "$name"; fi
  done
  existing=$(query "$(lines "$TOPIC" "$DEAD_TOPIC")" gcloud pubsub topics list --format='value(name.basename())')
  for name in "$TOPIC" "$DEAD_TOPIC"; do
    if has_line "$name" "$existing"; then mutate gcloud pubsub topics delete "$name"; fi
  done
}

remove_alerts() {
  local file name existing
  step 'remove the alert policies'
  use_google_token
  existing=$(monitoring GET "projects/$PROJECT/alertPolicies?pageSize=1000")
  for file in deploy/alerts/*.json; do
    name=$(read_json policy-name "$file" <<<"$existing")
    [[ -z $name ]] || monitoring DELETE "$name" >/dev/null
  done
}

remove_accounts() {
  step 'revoke the roles and remove the accounts'
  local name existing emails=()
  revoke_project_roles
  for name in "${ACCOUNTS[@]}"; do emails+=("$(email "$name")"); done
  existing=$(query "$(lines "${emails[@]}")" gcloud iam service-accounts list --format='value(email)')
  for name in "${emails[@]}"; do
    if has_line "$name" "$existing"; then mutate gcloud iam service-accounts delete "$name"; fi
  done
}

revoke_project_roles() {
  local current expected role member
  expected=$(expected_project_roles)
  current=$(project_roles)
  [[ -z $DRY_RUN ]] || current=$expected
  while IFS='|' read -r role member _; do
    if has_line "$role|$member|" "$current"; then
      mutate gcloud projects remove-iam-policy-binding "$PROJECT" --member="$member" --role="$role" --condition=None
    fi
  done <<<"$expected"
}

remove_data() {
  step 'remove the secrets and the data'
  local name existing
  existing=$(query "$(lines "${ALL_SECRETS[@]}")" gcloud secrets list --format='value(name.basename())')
  for name in "${ALL_SECRETS[@]}"; do
    if has_line "$name" "$existing"; then mutate gcloud secrets delete "$name"; fi
  done
  mutate bq --project_id="$PROJECT" rm --recursive --force --dataset "$PROJECT:$DATASET"
}

lines() { printf '%s\n' "$@"; }
