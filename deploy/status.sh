# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# check and status: they only read.

command_check() {
  takes_nothing "$@"
  look
}

# Also tells the project's number, which names Pub/Sub's own account.
look() {
  step 'look before you leap'
  local version account billing
  PROJECT_NUMBER=PROJECT_NUMBER
  [[ -z $DRY_RUN ]] || return 0
  version=$(ask '' gcloud version --format='value("Google Cloud SDK")')
  [[ $version =~ ^([0-9]+)\. ]] || die "gcloud does not tell its version (it says '$version')"
  ((BASH_REMATCH[1] >= 492)) || die "gcloud $version is older than 492; run gcloud components update"
  account=$(ask '' gcloud auth list --filter=status:ACTIVE --format='value(account)')
  [[ -n $account || -n ${CLOUDSDK_AUTH_ACCESS_TOKEN_FILE:-} ]] || die 'nobody is logged in; run gcloud auth login'
  PROJECT_NUMBER=$(ask '' gcloud projects describe "$PROJECT" --format='value(projectNumber)') ||
    die "project $PROJECT does not exist, or ${account:-the given token} may not see it"
  # Who may deploy need not be allowed to see who pays.
  billing=$(ask '' gcloud billing projects describe "$PROJECT" --format='value(billingEnabled)' 2>/dev/null) || billing=unknown
  [[ $billing != False ]] || die "billing is off for $PROJECT; link a billing account to it"
  say "    gcloud $version as ${account:-the given token}, project $PROJECT, billing ${billing/True/on}"
}

BAD=0

line() { # line OK|BAD WHAT DETAIL
  [[ $1 == ok ]] || BAD=1
  printf '%-4s %-36s %s\n' "$1" "$2" "$3"
}

command_status() {
  takes_nothing "$@"
  local name table traffic deployed
  step 'read the state of everything'
  [[ -z $DRY_RUN ]] || {
    say 'status only reads; run it without --dry-run'
    return 0
  }
  table=$(functions)
  traffic=$(ask '' gcloud run services list --region="$REGION" \
    --format="value[separator='|'](metadata.name,spec.traffic[0].latestRevision,status.traffic[0].revisionName)")
  for name in "${FUNCTIONS[@]}"; do status_of_function "$name" "$table" "$traffic"; done
  deployed=$table
  table=$(subscriptions)
  for name in notify-slack stream-bq "$HOLD"; do status_of_subscription "$name" "$table" "$deployed"; done
  status_of_dead_letters
  status_of_tables
  ((BAD == 0)) || exit 1
}

status_of_function() {
  local name=$1 facts traffic mark state url wanted source=$SCRATCH/$1
  facts=$(row "$(service_of "$name")" "$2")
  traffic=$(row "$(service_of "$name")" "$3")
  IFS='|' read -r mark state url <<<"$facts"
  stage "$name" "$source"
  set_flags "$name"
  wanted=$(fingerprint "$source" "${FLAGS[@]}")
  if [[ -z $facts ]]; then
    line BAD "function $name" "not deployed; ./deploy.sh $name"
  elif [[ $state != ACTIVE ]]; then
    line BAD "function $name" "is $state; ./deploy.sh $name"
  elif [[ $mark != "$wanted" ]]; then
    line BAD "function $name" "differs from this checkout (${mark:0:8}, here ${wanted:0:8}); ./deploy.sh $name"
  elif [[ $traffic != 'True|'* ]]; then
    line BAD "function $name" "rolled back to ${traffic#*|}; ./deploy.sh $name serves the newest again"
  else
    line ok "function $name" "$url  ${mark:0:8}"
  fi
}

status_of_subscription() {
  local name=$1 policy endpoint facts url
  policy=$(policy_of "$name" "$2")
  endpoint=$(push_of "$name" "$2")
  facts=$(row "$name" "$3")
  url=${facts##*|}
  if [[ -z $policy ]]; then
    line BAD "subscription $name" 'missing, so messages are lost; ./deploy.sh setup'
  elif [[ $policy != "$(wanted_policy "$name")" ]]; then
    line BAD "subscription $name" 'has other settings; ./deploy.sh setup'
  elif [[ $name == "$HOLD" ]]; then
    line ok "subscription $name" 'holds what was given up on'
  elif [[ $endpoint == '|'* ]]; then
    line BAD "subscription $name" "holds its messages: no push endpoint; ./deploy.sh ${name//-/_}"
  elif [[ $endpoint != "$url/|$(email push)|$url" ]]; then
    line BAD "subscription $name" "does not push to ${url:-the function} as $(email push); ./deploy.sh ${name//-/_}"
  else
    line ok "subscription $name" "-> ${endpoint%%|*}"
  fi
}

status_of_dead_letters() {
  local query answer depth
  use_google_token
  query=$(read_json depth-query "$HOLD" </dev/null)
  answer=$(monitoring GET "projects/$PROJECT/timeSeries?$query")
  depth=$(read_json newest-point <<<"$answer")
  case $depth in
    0) line ok 'dead letters' 'none' ;;
    '') line ok 'dead letters' 'none known: no figure for the last ten minutes' ;;
    *) line BAD 'dead letters' "$depth held; see docs/operations.md" ;;
  esac
}

status_of_tables() {
  local answer existing file name
  # A missing dataset is no failure of ours: every table is then missing.
  answer=$(ask '' bq --project_id="$PROJECT" --quiet ls --max_results=1000 --format=json "$DATASET" 2>/dev/null) || answer='[]'
  existing=$(read_json tables <<<"$answer")
  for file in sql/events.sql sql/views/*.sql; do
    name=$(basename "$file" .sql)
    if has_line "$name" "$existing"; then
      line ok "BigQuery $DATASET.$name" ''
    else
      line BAD "BigQuery $DATASET.$name" 'missing; ./deploy.sh setup'
    fi
  done
}
