# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# The commands check and status, which only read.

command_check() {
  no_arguments "$@"
  preflight
}

# Checks tools, account, project and billing. Sets PROJECT_NUMBER, which is part of the name of Pub/Sub's own account.
preflight() {
  step 'preflight checks'
  local version billing
  PROJECT_NUMBER=PROJECT_NUMBER
  [[ -z $DRY_RUN ]] || return 0
  version=$(query '' gcloud version --format='value("Google Cloud SDK")')
  [[ $version =~ ^([0-9]+)\. ]] || die "gcloud does not report its version (it prints '$version')"
  ((BASH_REMATCH[1] >= 492)) || die "gcloud $version is older than 492; run gcloud components update"
  require_login
  PROJECT_NUMBER=$(query '' gcloud projects describe "$PROJECT" --format='value(projectNumber)') ||
    die "project $PROJECT does not exist, or $ACCOUNT may not see it"
  # An account that may deploy need not be allowed to see the billing.
  billing=$(query '' gcloud billing projects describe "$PROJECT" --format='value(billingEnabled)' 2>/dev/null) || billing=unknown
  [[ $billing != False ]] || die "billing is off for $PROJECT; link a billing account to it"
  say "    gcloud $version as $ACCOUNT, project $PROJECT, billing ${billing/True/on}"
  [[ -z $GITHUB_ASKED ]] || find_github_app
}

# Sets ACCOUNT, once for the whole run.
require_login() {
  [[ -z $DRY_RUN && -z $ACCOUNT ]] || return 0
  ACCOUNT=$(query '' gcloud auth list --filter=status:ACTIVE --format='value(account)')
  [[ -z ${CLOUDSDK_AUTH_ACCESS_TOKEN_FILE:-} ]] || ACCOUNT=${ACCOUNT:-the given token}
  [[ -n $ACCOUNT ]] || die 'no account is logged in; run gcloud auth login'
}

# status_line WHAT DETAIL [PROBLEM]: prints one line, which shows the problem instead of the detail if there is one.
status_line() {
  local verdict=ok
  [[ -z ${3:-} ]] || verdict=BAD PROBLEM_FOUND=yes
  printf '%-4s %-36s %s\n' "$verdict" "$1" "${3:-$2}"
}

# status_unknown WHAT WHY: prints one line about what cannot be checked, which is not a problem by itself.
status_unknown() { printf '%-4s %-36s %s\n' '?' "$1" "$2"; }

# With --cloud it leaves out GitHub and Slack and prints our settings: ./issuewire doctor reads both.
command_status() {
  local name deployed traffic subscribed backlog ages url only_cloud=''
  if [[ ${1:-} == --cloud ]]; then only_cloud=yes && shift; fi
  for name in "$@"; do hooks_url "$name" >/dev/null; done
  PROBLEM_FOUND=''
  require_login
  step 'read the state of every resource'
  if [[ -n $DRY_RUN ]]; then say 'status only reads; run it without --dry-run' && return; fi
  [[ -z $GITHUB_ASKED ]] || find_github_app
  deployed=$(list_function)
  url=$(row "$(service ingest)" "$deployed")
  [[ -z $only_cloud ]] || status_settings "${url##*|}"
  traffic=$(query '' gcloud run services list --region="$REGION" \
    --format="value[separator='|'](metadata.name,spec.traffic[0].latestRevision,status.traffic[0].revisionName)")
  ((${#SCHEDULED[@]} == 0)) || [[ -z $url ]] || find_ingest
  for name in "${FUNCTIONS[@]}"; do status_of_function "$name" "$deployed" "$traffic"; done
  subscribed=$(list_subscription)
  use_google_token
  backlog=$(newest_points num_undelivered_messages)
  ages=$(newest_points oldest_unacked_message_age)
  for name in "${SUBSCRIBERS[@]}"; do status_of_subscription "$(service "$name")" "$name" "$subscribed" "$deployed"; done
  status_of_subscription "$DEAD_SUBSCRIPTION" '' "$subscribed" ''
  status_of_jobs "$deployed"
  status_of_payloads
  status_of_dead_letters
  status_of_dead_letter_access
  status_of_tables
  if [[ -n $only_cloud ]]; then
    status_setting complete yes
  else
    [[ -z $url ]] || status_of_webhooks "${url##*|}" "$@"
    status_of_slack
  fi
  [[ -z $PROBLEM_FOUND ]] || exit 1
}

status_setting() { printf '=    %s %s\n' "$1" "$2"; }

# status_settings INGEST_URL: the URL is empty before the first deployment.
status_settings() {
  status_setting project "$PROJECT"
  status_setting dataset "$DATASET"
  status_setting topic "projects/$PROJECT/topics/$TOPIC"
  status_setting routes_file "$ROUTES_FILE"
  [[ ! -f $TEAM_FILE ]] || status_setting team_file "$TEAM_FILE"
  [[ ! -f $TRIAGE_FILE ]] || status_setting triage_file "$TRIAGE_FILE"
  status_setting github_api_url "$GITHUB_API_URL"
  status_setting github_sources "$GITHUB_SOURCES"
  if [[ " ${FUNCTIONS[*]} " == *' reconcile '* ]]; then
    status_setting run_reconcile "gcloud scheduler jobs run $(service reconcile) --location=$REGION"
  fi
  status_setting webhook_events "$WEBHOOK_EVENTS"
  status_setting webhook_secret "$WEBHOOK_SECRET"
  status_setting slack_secret "$SLACK_SECRET"
  status_setting ingest_addresses "${1:+$(ingest_addresses "$1/")}"
}

# status_of_function NAME DEPLOYMENTS TRAFFIC
status_of_function() {
  local name=$1 problem='' deployment traffic owner hash state url expected
  deployment=$(row "$(service "$name")" "$2")
  traffic=$(row "$(service "$name")" "$3")
  IFS='|' read -r owner hash state url <<<"$deployment"
  stage "$name" "$SCRATCH/$name"
  set_deploy_flags "$name"
  expected=$(python3 deploy/source_hash.py "$SCRATCH/$name" "${DEPLOY_FLAGS[@]}")
  if [[ -z $deployment ]]; then
    problem="not deployed; ./deploy.sh $name"
  elif [[ $owner != "${LABEL#*=}" ]]; then
    problem="has no label $LABEL, so it is not ours; ./deploy.sh $name says what to do"
  elif [[ $state != ACTIVE ]]; then
    problem="is $state; ./deploy.sh $name"
  elif [[ $hash != "$expected" ]]; then
    problem="differs from this checkout (${hash:0:8}, here ${expected:0:8}); ./deploy.sh $name"
  elif [[ $traffic != 'True|'* ]]; then
    problem="rolled back to ${traffic#*|}; ./deploy.sh $name serves the newest again"
  else
    problem=$(invoker_problem "$name")
  fi
  status_line "function $name" "$url  ${hash:0:8}" "$problem"
}

# invoker_problem NAME: prints what is wrong with who may call a function.
invoker_problem() {
  local invokers
  invokers=$(query '' gcloud run services get-iam-policy "$(service "$1")" --region="$REGION" --flatten='bindings[].members' \
    --filter=bindings.role=roles/run.invoker --format='value(bindings.members)')
  if [[ " ${PUBLIC_FUNCTIONS[*]} " == *" $1 "* ]]; then
    has_line allUsers "$invokers" || printf 'GitHub may not call it (403); ./deploy.sh %s' "$1"
  elif ! has_line "$(member push)" "$invokers"; then
    printf '%s may not call it (403); ./deploy.sh %s' "$(email push)" "$1"
  elif has_line allUsers "$invokers"; then
    printf 'anyone may call it; gcloud run services remove-iam-policy-binding %s --region=%s --member=allUsers --role=roles/run.invoker' \
      "$(service "$1")" "$REGION"
  fi
}

# newest_points METRIC: prints "SUBSCRIPTION|VALUE" for each of ours that had a value in the last ten minutes.
newest_points() {
  local parameters answer
  parameters=$(read_json points-query "$1" "${SUBSCRIPTIONS[@]}" "$DEAD_SUBSCRIPTION" </dev/null)
  answer=$(monitoring GET "projects/$PROJECT/timeSeries?$parameters")
  read_json newest-points <<<"$answer"
}

# status_of_subscription NAME FUNCTION SUBSCRIPTIONS DEPLOYMENTS: FUNCTION is empty for a pull subscription.
status_of_subscription() {
  local name=$1 function=$2 problem='' detail='keeps messages that used up their attempts' policy push deployment url waiting age
  waiting=$(row "$name" "$backlog") age=$(row "$name" "$ages")
  policy=$(policy_of "$name" "$3")
  push=$(push_of "$name" "$3")
  deployment=$(row "$name" "$4")
  url=${deployment##*|}
  if [[ -z $policy ]]; then
    problem='missing, so messages are lost; ./deploy.sh setup'
  elif [[ $(row "$name" "$3") != "${LABEL#*=}|"* ]]; then
    problem="has no label $LABEL, so it is not ours; ./deploy.sh setup says what to do"
  elif [[ $policy != "$(expected_policy "$name")" ]]; then
    problem='has other settings; ./deploy.sh setup'
  elif [[ -n $function && $push == '|'* ]]; then
    problem="keeps its messages: no push endpoint; ./deploy.sh $function"
  elif [[ -n $function && $push != "$url/|$(email push)|$url" ]]; then
    problem="does not push to ${url:-the function} as $(email push); ./deploy.sh $function"
  elif [[ -n $function ]] && ((${age:-0} > 900)); then
    problem="${waiting:-some} messages wait, the oldest for $age s; see docs/operations.md, 'A subscriber falls behind'"
  fi
  if [[ -n $function ]]; then
    detail="-> ${push%%|*}  backlog unknown: no value for the last ten minutes"
    [[ -z $waiting ]] || detail="-> ${push%%|*}  $waiting waiting, the oldest for ${age:-0} s"
  fi
  status_line "subscription $name" "$detail" "$problem"
}

status_of_dead_letters() {
  local depth
  depth=$(row "$DEAD_SUBSCRIPTION" "$backlog")
  case $depth in
    0) status_line 'dead letters' 'none' ;;
    '') status_line 'dead letters' 'none known: Cloud Monitoring has no value for the last ten minutes' ;;
    *) status_line 'dead letters' '' "$depth messages; see docs/operations.md" ;;
  esac
}

# What access.sh gives to Pub/Sub's own account. Without it, a message that used up its attempts stays in its subscription.
status_of_dead_letter_access() {
  local number agent name
  number=$(query '' gcloud projects describe "$PROJECT" --format='value(projectNumber)')
  agent=serviceAccount:service-$number@gcp-sa-pubsub.iam.gserviceaccount.com
  status_of_access topics "$DEAD_TOPIC" roles/pubsub.publisher "$agent"
  for name in "${SUBSCRIPTIONS[@]}"; do status_of_access subscriptions "$name" roles/pubsub.subscriber "$agent"; done
}

# status_of_access KIND NAME ROLE MEMBER
status_of_access() {
  local members problem=''
  members=$(query '' gcloud pubsub "$1" get-iam-policy "$2" --flatten='bindings[].members' --filter="bindings.role=$3" \
    --format='value(bindings.members)' 2>/dev/null) || {
    status_unknown "access $2" "not checked, because $ACCOUNT may not read its policy"
    return 0
  }
  has_line "$4" "$members" || problem="does not give Pub/Sub's account $3, so messages are not held; ./deploy.sh setup"
  status_line "access $2" "Pub/Sub's account has $3" "$problem"
}

status_of_tables() {
  local name names problem
  read_existing dataset table
  names=$(names_of table)
  while IFS= read -r name; do
    problem=''
    if ! exists table "$name"; then
      problem='missing; ./deploy.sh setup'
    elif ! is_ours table "$name"; then
      problem="has no label $LABEL, so it is not ours; ./deploy.sh setup says what to do"
    fi
    status_line "BigQuery $DATASET.$name" '' "$problem"
  done <<<"$names"
}
