# shellcheck shell=bash
# The way back: what sends first, then what receives, then what held. Each kind is listed once, and what is there is removed.

command_destroy() {
  local data=''
  if [[ ${1:-} == --data ]]; then data=yes && shift; fi
  takes_nothing "$@"
  confirm "$data"
  remove_functions
  remove_messages
  remove_alerts
  remove_accounts
  if [[ -n $data ]]; then
    remove_data
  else
    done_with "Kept: the secrets, and the dataset $DATASET with its data (--data removes them)."
  fi
  done_with 'Remove the webhook at GitHub yourself: it now meets a URL that is gone.'
}

confirm() {
  local answer=''
  [[ -z $DRY_RUN$YES ]] || return 0
  say "This removes Issuewire from $PROJECT${1:+, with its secrets and all data in the dataset $DATASET}."
  [[ -t 0 ]] || die 'say --yes to confirm where nobody can be asked'
  read -rp "Type the project's id to go on: " answer || true
  [[ $answer == "$PROJECT" ]] || die 'nothing was removed'
}

remove_functions() {
  step 'remove the functions'
  local name existing
  existing=$(functions)
  [[ -z $DRY_RUN ]] || existing=$'ingest|||\nnotify-slack|||\nstream-bq|||'
  for name in ingest notify-slack stream-bq; do
    if [[ -n $(row "$name" "$existing") ]]; then change gcloud functions delete "$name" --gen2 --region="$REGION"; fi
  done
}

remove_messages() {
  step 'remove subscriptions and topics'
  local name existing
  existing=$(ask $'notify-slack\nstream-bq\n'"$HOLD" gcloud pubsub subscriptions list --format='value(name.basename())')
  for name in notify-slack stream-bq "$HOLD"; do
    if has_line "$name" "$existing"; then change gcloud pubsub subscriptions delete "$name"; fi
  done
  existing=$(ask "$TOPIC"$'\n'"$DEAD_TOPIC" gcloud pubsub topics list --format='value(name.basename())')
  for name in "$TOPIC" "$DEAD_TOPIC"; do
    if has_line "$name" "$existing"; then change gcloud pubsub topics delete "$name"; fi
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
  step 'take the roles back and remove the accounts'
  local role name held existing everyone
  held=$(project_roles)
  [[ -z $DRY_RUN ]] || held=$(all_roles)
  take_back "$(member stream_bq)" roles/bigquery.jobUser "$held"
  for role in "${BUILDER[@]}"; do take_back "$(member build)" "$role" "$held"; done
  everyone=$(for name in "${ACCOUNTS[@]}"; do email "$name" && echo; done)
  existing=$(ask "$everyone" gcloud iam service-accounts list --format='value(email)')
  for name in "${ACCOUNTS[@]}"; do
    if has_line "$(email "$name")" "$existing"; then change gcloud iam service-accounts delete "$(email "$name")"; fi
  done
}

all_roles() {
  local role
  printf '%s|%s|\n' roles/bigquery.jobUser "$(member stream_bq)"
  for role in "${BUILDER[@]}"; do printf '%s|%s|\n' "$role" "$(member build)"; done
}

take_back() {
  if has_line "$2|$1|" "$3"; then
    change gcloud projects remove-iam-policy-binding "$PROJECT" --member="$1" --role="$2" --condition=None
  fi
}

remove_data() {
  step 'remove the secrets and the data'
  local name existing
  existing=$(ask "$WEBHOOK_SECRET"$'\n'"$SLACK_SECRET" gcloud secrets list --format='value(name.basename())')
  for name in "$WEBHOOK_SECRET" "$SLACK_SECRET"; do
    if has_line "$name" "$existing"; then change gcloud secrets delete "$name"; fi
  done
  change bq --project_id="$PROJECT" rm --recursive --force --dataset "$PROJECT:$DATASET"
}
