# shellcheck shell=bash
# Removal, in the order senders, receivers, storage. Each kind is listed once, and only what exists is removed.

command_destroy() {
  local data=''
  if [[ ${1:-} == --data ]]; then data=yes && shift; fi
  no_arguments "$@"
  confirm "$data"
  remove_functions
  step 'remove subscriptions and topics'
  delete_each 'pubsub subscriptions' 'name.basename()' "${SUBSCRIBERS[@]//_/-}" "$DEAD_SUBSCRIPTION"
  delete_each 'pubsub topics' 'name.basename()' "$TOPIC" "$DEAD_TOPIC"
  remove_alerts
  remove_accounts
  if [[ -n $data ]]; then
    step 'remove the secrets and the data'
    delete_each secrets 'name.basename()' "${ALL_SECRETS[@]}"
    mutate bq --project_id="$PROJECT" rm --recursive --force --dataset "$PROJECT:$DATASET"
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
  for name in "${PUBLIC_FUNCTIONS[@]//_/-}" "${SUBSCRIBERS[@]//_/-}"; do
    if [[ -n $DRY_RUN || -n $(row "$name" "$existing") ]]; then mutate gcloud functions delete "$name" --gen2 --region="$REGION"; fi
  done
}

# delete_each KIND FIELD NAME...: deletes each resource of a kind, as gcloud calls it, whose FIELD is one of the names.
delete_each() {
  local kind field=$2 name existing
  read -ra kind <<<"$1"
  existing=$(query '' gcloud "${kind[@]}" list --format="value($field)")
  for name in "${@:3}"; do
    if [[ -n $DRY_RUN ]] || has_line "$name" "$existing"; then mutate gcloud "${kind[@]}" delete "$name"; fi
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
  local name current expected role member emails=()
  current=$(project_roles)
  expected=$(expected_project_roles)
  while IFS='|' read -r role member _; do
    if [[ -n $DRY_RUN ]] || has_line "$role|$member|" "$current"; then
      mutate gcloud projects remove-iam-policy-binding "$PROJECT" --member="$member" --role="$role" --condition=None
    fi
  done <<<"$expected"
  for name in "${ACCOUNTS[@]}"; do emails+=("$(email "$name")"); done
  delete_each 'iam service-accounts' email "${emails[@]}"
}
