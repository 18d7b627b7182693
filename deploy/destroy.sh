# shellcheck shell=bash
# Removal, in the order senders, receivers, storage. Only what carries our label is removed.

command_destroy() {
  local data='' left=()
  if [[ ${1:-} == --data ]]; then data=yes && shift; fi
  no_arguments "$@"
  confirm "$data"
  require_login
  step 'remove the schedule'
  remove job
  step 'remove the functions'
  remove function
  step 'remove subscriptions and topics'
  remove subscription
  remove topic
  remove_alerts
  remove_accounts
  if [[ -n $data ]]; then
    step 'remove the secrets and the data'
    remove secret
    remove_data
  else
    report_done "Kept: the secrets, and the dataset $DATASET with its data (--data removes them)."
  fi
  ((${#left[@]} == 0)) || say "Left as they are, because they do not carry the label $LABEL:$(printf ' %s,' "${left[@]}")"
  report_done 'Delete the webhook or the GitHub App at GitHub yourself: the URL no longer exists.'
}

confirm() {
  local answer=''
  [[ -z $DRY_RUN$YES ]] || return 0
  say "This removes Issuewire from $PROJECT${1:+, with its secrets and all data in the dataset $DATASET}."
  [[ -t 0 ]] || die 'stdin is not a terminal, so nothing can be confirmed; pass --yes'
  read -rp 'Type the project id to continue: ' answer || true
  [[ $answer == "$PROJECT" ]] || die 'nothing was removed'
}

# remove KIND: deletes what is ours, and adds to `left` what has one of our names and is not.
remove() {
  local name names
  read_existing "$1"
  names=$(names_of "$1")
  while IFS= read -r name; do
    if [[ -n $DRY_RUN ]] || is_ours "$1" "$name"; then
      delete "$1" "$name"
    elif exists "$1" "$name"; then
      left+=("$1 $(shown_name "$1" "$name")")
    fi
  done <<<"$names"
}

delete() {
  case $1 in
    job) mutate gcloud scheduler jobs delete "$2" --location="$REGION" ;;
    function) mutate gcloud functions delete "$2" --gen2 --region="$REGION" ;;
    subscription | topic) mutate gcloud pubsub "${1}s" delete "$2" ;;
    account) mutate gcloud iam service-accounts delete "$2" ;;
    secret) mutate gcloud secrets delete "$2" ;;
    table) call_api BigQuery DELETE "https://bigquery.googleapis.com/bigquery/v2/projects/$PROJECT/datasets/$DATASET/tables/$2" '' >/dev/null ;;
    dataset) mutate bq --project_id="$PROJECT" rm --force --dataset "$PROJECT:$2" ;;
  esac
}

# The dataset goes only if nothing else is in it; without --recursive, BigQuery refuses it otherwise.
# bq takes seconds for a call, so the tables and views are removed without it.
remove_data() {
  local others
  use_google_token
  read_existing dataset
  remove table
  read_existing table
  others=$(cut -d '|' -f 1 <<<"${EXISTING[table]}")
  if [[ -z $others ]]; then
    remove dataset
  else
    report_done "Kept: the dataset $DATASET, because it holds ${others//$'\n'/, }."
  fi
}

remove_alerts() {
  local names name title answer
  step 'remove the alert policies'
  use_google_token
  answer=$(monitoring GET "projects/$PROJECT/alertPolicies?pageSize=1000")
  read_existing alert
  names=$(names_of alert)
  while IFS= read -r title; do
    is_ours alert "$title" || continue
    name=$(read_json policy-name "$title" <<<"$answer")
    monitoring DELETE "$name" >/dev/null
  done <<<"$names"
}

# The roles on the project go first: a binding keeps a deleted account under another name.
remove_accounts() {
  step 'revoke the roles and remove the accounts'
  local current expected role member
  read_existing account
  current=$(project_roles)
  expected=$(expected_project_roles)
  while IFS='|' read -r role member _; do
    if [[ -n $DRY_RUN ]] || { is_ours account "${member#serviceAccount:}" && has_line "$role|$member|" "$current"; }; then
      mutate gcloud projects remove-iam-policy-binding "$PROJECT" --member="$member" --role="$role" --condition=None
    fi
  done <<<"$expected"
  remove account
}
