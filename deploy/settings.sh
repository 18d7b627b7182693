# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# The settings, from the environment or deploy.env, and the names that follow from them.

SETTINGS=(
  PROJECT REGION BQ_LOCATION DATASET ROUTES_FILE GITHUB_URL GITHUB_API_URL WEBHOOK_EVENTS EVENTS STORE_PAYLOAD
  SUBSCRIBER_INGRESS INGEST_MIN_INSTANCES ALERT_CHANNELS DOCS_URL
)
RUNTIME=python313 # the code and its locked requirements are made for this one

TOPIC=github-events
DEAD_TOPIC=github-events-dead
HOLD=github-events-dead-hold
WEBHOOK_SECRET=github-webhook-secret
SLACK_SECRET=slack-token
FUNCTIONS=(ingest notify_slack stream_bq)
ACCOUNTS=("${FUNCTIONS[@]}" push build)
PROJECT_NUMBER=''

read_settings() {
  read_file deploy.env
  : "${PROJECT:=}" "${REGION:=us-central1}" "${BQ_LOCATION:=US}" "${DATASET:=github}"
  : "${ROUTES_FILE:=config/routes.toml}" "${EVENTS:=}" "${STORE_PAYLOAD:=true}"
  : "${GITHUB_URL:=https://github.com}" "${GITHUB_API_URL:=https://api.github.com}"
  : "${WEBHOOK_EVENTS:=issues,issue_comment}" "${SUBSCRIBER_INGRESS:=internal-only}"
  : "${INGEST_MIN_INSTANCES:=0}" "${ALERT_CHANNELS:=}" "${DOCS_URL:=docs/operations.md}"
  GITHUB_URL=${GITHUB_URL%/} GITHUB_API_URL=${GITHUB_API_URL%/}
  check_settings
  export CLOUDSDK_CORE_PROJECT=$PROJECT CLOUDSDK_CORE_DISABLE_PROMPTS=1 CLOUDSDK_FUNCTIONS_REGION=$REGION
  export CLOUDSDK_RUN_REGION=$REGION
}

# All problems are told together.
check_settings() {
  local problems=()
  must PROJECT '([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]' "is not set to a project's id"
  must REGION '[a-z]+-[a-z]+[0-9]+' 'is no region such as europe-west1'
  must BQ_LOCATION '[A-Za-z0-9-]+' 'is no location such as EU'
  must DATASET '[A-Za-z0-9_]+' 'has other characters than letters, digits and _'
  must EVENTS '([a-z_]+(,[a-z_]+)*)?' 'is no comma list of event names'
  must WEBHOOK_EVENTS '[a-z_]+(,[a-z_]+)*' 'is no comma list of event names'
  must STORE_PAYLOAD 'true|false' 'is neither true nor false'
  must INGEST_MIN_INSTANCES '[0-9]+' 'is no number'
  must SUBSCRIBER_INGRESS 'internal-only|internal-and-gclb|all' 'is none of internal-only, internal-and-gclb, all'
  must GITHUB_URL 'https?://[^[:space:]<>|?#@]+' 'is no URL'
  must GITHUB_API_URL 'https://[^[:space:]<>|?#@]+' 'is no https URL' # the token goes there
  must ALERT_CHANNELS '(projects/[^/,[:space:]]+/notificationChannels/[0-9]+,?)*' 'is no comma list of projects/P/notificationChannels/N'
  must DOCS_URL '[^[:space:]]+' 'has a space in it'
  [[ -f $ROUTES_FILE && -r $ROUTES_FILE ]] || problems+=('ROUTES_FILE names no file that can be read')
  ((${#problems[@]} == 0)) || {
    printf 'deploy.sh: %s\n' "${problems[@]}" >&2
    die 'set them in the environment or in deploy.env (see deploy.env.example)'
  }
}

must() { [[ ${!1} =~ ^($2)$ ]] || problems+=("$1 $3"); }

# The environment goes before the file; the file is read, never executed. Its values are not shown: one may be a secret.
read_file() {
  local line name value number=0 seen=' '
  [[ -e $1 ]] || return 0
  [[ -f $1 && -r $1 ]] || die "$1 is no file that can be read"
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=$(trimmed "${line#$'\xef\xbb\xbf'}")
    [[ -n $line && $line != \#* ]] || continue
    [[ $line =~ ^([A-Z_]+)=(.*)$ ]] || die "$1, line $number: write NAME=value, without spaces around the sign"
    name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    [[ " ${SETTINGS[*]} " == *" $name "* ]] || die "$1, line $number: there is no setting '$name'"
    [[ $seen != *" $name "* ]] || die "$1, line $number: $name is set twice"
    seen+="$name "
    if [[ $value =~ ^\"([^\"]*)\"$ || $value =~ ^\'([^\']*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
    [[ $value != *[\"\']* ]] || die "$1, line $number: the quotes around the value of $name do not match"
    [[ -n ${!name+set} ]] || printf -v "$name" '%s' "$value"
  done <"$1"
}

# Without the spaces at both ends, a carriage return of Windows among them.
trimmed() {
  local text=$1
  text=${text#"${text%%[![:space:]]*}"}
  printf '%s' "${text%"${text##*[![:space:]]}"}"
}

is_function() { [[ " ${FUNCTIONS[*]} " == *" $1 "* ]]; }

# A function's name in the cloud is a Cloud Run service's, which has no underscore; so is its subscription's.
service_of() { printf '%s' "${1//_/-}"; }

account() { printf 'issuewire-%s' "${1//_/-}"; }

# A project that belongs to a domain is called example.com:name, and its accounts live at name.example.com.
email() {
  local place=$PROJECT
  [[ $place != *:* ]] || place=${place#*:}.${place%%:*}
  printf '%s@%s.iam.gserviceaccount.com' "$(account "$1")" "$place"
}

member() { printf 'serviceAccount:%s' "$(email "$1")"; }

# Pub/Sub's own account, which moves messages to the dead-letter topic and signs the push requests.
pubsub_agent() { printf 'serviceAccount:service-%s@gcp-sa-pubsub.iam.gserviceaccount.com' "$PROJECT_NUMBER"; }
