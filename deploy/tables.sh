# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# The functions. deploy/functions/NAME.sh describes one function completely; every other part iterates over these tables.
# The function's Cloud Run service and its subscription have its name with - instead of _, after the prefix: `service` prints it.
#
#   setting NAME DEFAULT PATTERN PROBLEM   a setting that only this function has
#   NEEDS         a variable; without a value for it, the function is left out. NEEDS_TEXT says what to write if it is no setting
#   TRIGGER       http-public: anyone may call it; push: a Pub/Sub subscription with its name calls it; schedule: Cloud Scheduler does
#   SCHEDULE      when Cloud Scheduler calls it, in the form of cron; ZONE is the time zone, RETRIES how often it repeats a failed call
#   PAUSE         the longest pause in seconds before Pub/Sub delivers a message again
#   PACKAGES      what is staged beside its modules: package folders or single modules, such as clients/bigquery.py
#   FILES         further staged files, each NAME-IN-THE-FOLDER=PATH
#   CHECK         a Python program and the file that it checks before anything is changed; python3 runs it, 3.13 if there is one
#   SECRETS       the secrets that it reads
#   ROLES         its account's further roles, each "ROLE RESOURCE": topic/NAME, subscription/NAME, table/NAME or project
#   ENVIRONMENT   its environment variables, each NAME=VALUE; no value contains an @
#   PROBLEM       why it cannot be deployed with these settings, and what to do
#   FLAGS         further flags of gcloud functions deploy: size, instances, timeout

FUNCTIONS=(deploy/functions/*.sh)
FUNCTIONS=("${FUNCTIONS[@]##*/}")
FUNCTIONS=("${FUNCTIONS[@]%.sh}")
INGEST_ADDRESSES=''
declare -A PAUSES=() # by subscription

is_function() { [[ $1 =~ ^[a-z][a-z0-9_]*$ && -f deploy/functions/$1.sh ]]; }

# load_table NAME: sets the variables above to what the function's table says.
load_table() {
  NEEDS='' NEEDS_TEXT='' TRIGGER='' SCHEDULE='' ZONE=Etc/UTC RETRIES=0 PAUSE=600 PACKAGES=() FILES=() CHECK=() SECRETS=() ROLES=() ENVIRONMENT=() FLAGS=() PROBLEM='' ASKS_GITHUB=''
  # shellcheck source=/dev/null
  source "deploy/functions/$1.sh"
}

# add_reads ARRAY NAME...: adds to ARRAY the names of these views and tables, and of all that they read: who queries a view needs
# access to each of them.
add_reads() {
  local -n array=$1
  local name behind
  for name in "${@:2}"; do
    [[ " ${array[*]} " != *" $name "* ]] || continue
    array+=("$name")
    # shellcheck disable=SC2016 # the files contain ${DATASET} literally
    behind=$(cat -- sql/{,tables/,team/,views/}"$name.sql" 2>/dev/null | grep -o '\${DATASET}\.[a-z_]*' | sed 's/.*\.//' | sort -u) || true
    # shellcheck disable=SC2086 # names
    add_reads "$1" $behind
  done
}

# add_github FOLDER: the function asks GitHub, with the key of GITHUB_APP_ID or else with the token; MOUNTS has the secret's file.
add_github() {
  local file=$1/github-token
  if [[ -n $GITHUB_APP_ID ]]; then
    add_github_app "$1"
  else
    ASKS_GITHUB=yes
    ENVIRONMENT+=(GITHUB_TOKEN_FILE="$file" GITHUB_API_URL="$GITHUB_API_URL")
    SECRETS+=("$GITHUB_SECRET")
    MOUNTS+=",$file=$GITHUB_SECRET:latest"
  fi
  # Of two that were used one after the other, both are removed.
  [[ $COMMAND != destroy* ]] || SECRETS+=("$GITHUB_SECRET" "$GITHUB_APP_SECRET")
}

# add_github_app FOLDER: the function asks GitHub with the key of GITHUB_APP_ID, if there is one, and never with the token.
add_github_app() {
  local file=$1/github-app-key
  ASKS_GITHUB=yes
  [[ -n $GITHUB_APP_ID ]] || return 0
  ENVIRONMENT+=(GITHUB_APP_ID="$GITHUB_APP_ID" GITHUB_APP_KEY_FILE="$file" GITHUB_API_URL="$GITHUB_API_URL")
  SECRETS+=("$GITHUB_APP_SECRET")
  MOUNTS+=",$file=$GITHUB_APP_SECRET:latest"
}

# Reads every table: its settings, who is called how, and all secrets. `destroy` removes what was left out since, too.
read_tables() {
  local name secret used=()
  PUBLIC_FUNCTIONS=() PUBLIC_SERVICES=() SUBSCRIBERS=() SUBSCRIPTIONS=() SCHEDULED=() JOB_NAMES=() ALL_SECRETS=() GITHUB_ASKED=''
  for name in "${FUNCTIONS[@]}"; do
    load_table "$name"
    [[ -z $NEEDS || -n ${!NEEDS} || $COMMAND == destroy* ]] || continue
    used+=("$name")
    GITHUB_ASKED+=$ASKS_GITHUB
    case $TRIGGER in
      http-public) PUBLIC_FUNCTIONS+=("$name") PUBLIC_SERVICES+=("$(service "$name")") ;;
      push) SUBSCRIBERS+=("$name") SUBSCRIPTIONS+=("$(service "$name")") PAUSES[$(service "$name")]=$PAUSE ;;
      schedule) SCHEDULED+=("$name") JOB_NAMES+=("$(service "$name")") ;;
      *) die "deploy/functions/$name.sh: TRIGGER is none of http-public, push, schedule" ;;
    esac
    for secret in "${SECRETS[@]}"; do
      [[ " ${ALL_SECRETS[*]} " == *" $secret "* ]] || ALL_SECRETS+=("$secret")
    done
  done
  FUNCTIONS=("${used[@]}")
  ACCOUNTS=("${FUNCTIONS[@]}" push build)
  [[ -z $PAYLOAD_JOB ]] || ACCOUNTS+=(payloads)
}

# require_used NAME: stops for a function that is left out.
require_used() {
  [[ " ${FUNCTIONS[*]} " != *" $1 "* ]] || return 0
  load_table "$1"
  die "$1 is left out without ${NEEDS_TEXT:-$NEEDS; set it in deploy.env (see deploy.env.example)}"
}
