# shellcheck shell=bash
# What is ours. Everything that deploy.sh creates carries the label app=issuewire. A service account has no labels; ours have a
# display name that begins with Issuewire, and a job of Cloud Scheduler such a description. What has one of our names without this mark belongs to others until it is adopted.

LABEL=app=issuewire ADOPT=()
declare -A EXISTING=() # by kind: a line "NAME|LABEL|..." for each resource of the project

# read_existing KIND...: lists each kind once; a dataset comes before its tables. A dry run finds nothing.
read_existing() {
  local kind
  for kind in "$@"; do EXISTING[$kind]=$("list_$kind"); done
}

exists() { [[ $'\n'${EXISTING[$1]:-} == *$'\n'"$2|"* ]]; }

is_ours() { [[ $'\n'${EXISTING[$1]:-}$'\n' == *$'\n'"$2|${LABEL#*=}"[$'|\n']* ]]; }

# require_ours KIND...: reads what exists; stops before anything is changed if something of our names is neither ours nor
# adopted; labels what is adopted.
require_ours() {
  local kind name names shown foreign=() adopted=()
  [[ -z $DRY_RUN ]] || return 0
  require_login
  step 'check that what exists is ours'
  read_existing "$@"
  for kind in "$@"; do
    names=$(names_of "$kind")
    while IFS= read -r name; do
      if ! exists "$kind" "$name" || is_ours "$kind" "$name"; then continue; fi
      shown=$(shown_name "$kind" "$name")
      if is_adopted "$shown"; then adopted+=("$kind|$name"); else foreign+=("$kind|$shown"); fi
    done <<<"$names"
  done
  ((${#foreign[@]} == 0)) || refuse_foreign "${foreign[@]}"
  ((${#adopted[@]})) || return 0
  for name in "${adopted[@]}"; do
    step "adopt ${name/|/ }"
    adopt "${name%%|*}" "${name#*|}"
  done
  read_existing "$@"
}

refuse_foreign() {
  local found names=() quoted
  say "deploy.sh: $PROJECT has these, which do not carry the label $LABEL, so they are not Issuewire's:"
  for found in "$@"; do
    say "    ${found/|/ }"
    [[ " ${names[*]} " == *" ${found#*|} "* ]] || names+=("${found#*|}")
  done
  printf -v quoted '%s,' "${names[@]}"
  printf -v quoted %q "${quoted%,}"
  say "If they belong to others, use other names: set PREFIX, and DATASET for the dataset and its tables, in deploy.env."
  say "If they are Issuewire's, such as those that an earlier deploy.sh made, label them: ./deploy.sh --adopt $quoted $COMMAND"
  die 'nothing was changed'
}

# shown_name KIND NAME: prints the name that messages show and that --adopt takes.
shown_name() {
  case $1 in
    account) printf '%s' "${2%@*}" ;;
    table) printf '%s.%s' "$DATASET" "$2" ;;
    *) printf '%s' "$2" ;;
  esac
}

is_adopted() {
  local name
  for name in "${ADOPT[@]}"; do [[ $name != "$1" ]] || return 0; done
  return 1
}

# A mistyped name would adopt nothing.
check_adopted_names() {
  local kind name names known=()
  ((${#ADOPT[@]})) || return 0
  for kind in "${KINDS[@]}" function job alert; do
    names=$(names_of "$kind")
    while IFS= read -r name; do known+=("$(shown_name "$kind" "$name")"); done <<<"$names"
  done
  for name in "${ADOPT[@]}"; do
    [[ $'\n'$(printf '%s\n' "${known[@]}")$'\n' == *$'\n'"$name"$'\n'* ]] || die "--adopt $name: deploy.sh creates nothing of that name"
  done
}

KINDS=(account topic subscription secret dataset table) # what set_up creates

# names_of KIND: prints the names under which we create resources, one a line.
names_of() {
  local name
  case $1 in
    account) for name in "${ACCOUNTS[@]}"; do printf '%s\n' "$(email "$name")"; done ;;
    topic) printf '%s\n' "$TOPIC" "$DEAD_TOPIC" ;;
    subscription) printf '%s\n' "${SUBSCRIPTIONS[@]}" "$DEAD_SUBSCRIPTION" ;;
    secret) printf '%s\n' "${ALL_SECRETS[@]}" ;;
    dataset) printf '%s\n' "$DATASET" ;;
    table) for name in sql/events.sql sql/tables/*.sql sql/team/*.sql sql/views/*.sql; do basename "$name" .sql; done ;;
    function) printf '%s\n' "${PUBLIC_SERVICES[@]}" "${SUBSCRIPTIONS[@]}" "${JOB_NAMES[@]}" ;;
    job) for name in "${JOB_NAMES[@]}" $PAYLOAD_JOB; do printf '%s\n' "$name"; done ;;
    alert) for name in $(alert_files); do alert_title "$name"; done ;;
  esac
}

# adopt KIND NAME: puts our mark on a resource.
adopt() {
  case $1 in
    account) mutate gcloud iam service-accounts update "$2" --display-name='Issuewire (adopted)' ;;
    topic | subscription) mutate gcloud pubsub "${1}s" update "$2" --update-labels="$LABEL" ;;
    secret) mutate gcloud secrets update "$2" --update-labels="$LABEL" ;;
    dataset) mutate bq --project_id="$PROJECT" update --set_label="${LABEL/=/:}" "$PROJECT:$2" ;;
    table) mutate bq --project_id="$PROJECT" update --set_label="${LABEL/=/:}" "$PROJECT:$DATASET.$2" ;;
    job) mutate gcloud scheduler jobs update http "$2" --location="$REGION" --description='Issuewire (adopted)' ;;
    function | alert) ;; # gcloud labels a function only when it deploys it; an alert is replaced as a whole
  esac
}

# query_list COMMAND...: runs a command that lists; an API that is not enabled yet has no resources.
query_list() {
  local answer errors=$SCRATCH/list.$BASHPID
  if answer=$(query '' "$@" 2>"$errors"); then
    printf '%s' "$answer"
  elif ! grep -qE 'SERVICE_DISABLED|has not been used in project|not enabled on project' "$errors"; then
    cat -- "$errors" >&2
    return 1
  fi
}

list_topic() { query_list gcloud pubsub topics list --format="value[separator='|'](name.basename(),labels.app)"; }

list_secret() { query_list gcloud secrets list --format="value[separator='|'](name.basename(),labels.app,labels.$APP_LABEL)"; }

list_account() {
  query_list gcloud iam service-accounts list --format="value[separator='|'](email,displayName)" |
    sed -E "s/\|Issuewire .*/|${LABEL#*=}/"
}

list_dataset() {
  local answer
  answer=$(query_list bq --project_id="$PROJECT" --quiet ls --datasets --max_results=10000 --format=json)
  read_json labels <<<"$answer"
}

list_table() {
  local answer
  exists dataset "$DATASET" || return 0
  answer=$(query_list bq --project_id="$PROJECT" --quiet ls --max_results=10000 --format=json "$DATASET")
  read_json labels <<<"$answer"
}

list_alert() {
  local answer
  answer=$(monitoring GET "projects/$PROJECT/alertPolicies?pageSize=1000")
  read_json policies <<<"$answer"
}
