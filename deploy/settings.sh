# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# The settings, from the environment or deploy.env, and the names that follow from them.

RUNTIME=python313 # the code and its locked requirements are made for this version

PROJECT_NUMBER='' PROBLEMS=()
declare -A SETTINGS=() FILE_VALUES=() FILE_LINES=() # by name: defaults, and what deploy.env says

# All problems are reported together.
read_settings() {
  local name
  read_file deploy.env
  setting PROJECT '' '([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]' 'is not set to a project id: 6 to 30 of a-z, 0-9 and -, as gcloud projects list shows it; it is not the name'
  setting PREFIX '' '([a-z][a-z0-9-]{0,16})?' 'is not up to 17 of a-z, 0-9 and -, beginning with a letter'
  # Without a prefix the accounts are named issuewire-...; Google keeps names that begin with goog for itself.
  [[ ! $PREFIX =~ ^(issuewire-?$|goog) ]] || PROBLEMS+=('PREFIX must not be issuewire, and must not begin with goog')
  PREFIX=${PREFIX%-}
  set_names
  setting REGION us-central1 '[a-z]+-[a-z]+[0-9]+' 'is not a region such as europe-west1'
  setting BQ_LOCATION US '[A-Za-z0-9-]+' 'is not a location such as EU'
  setting DATASET "${PREFIX:+${PREFIX//-/_}_}github" '[A-Za-z0-9_]+' 'has other characters than letters, digits and _'
  setting WEBHOOK_EVENTS issues,issue_comment,repository '[a-z_]+(,[a-z_]+)*' 'is not a comma-separated list of event names'
  require_event_names WEBHOOK_EVENTS
  setting SUBSCRIBER_INGRESS internal-only 'internal-only|internal-and-gclb|all' 'is none of internal-only, internal-and-gclb, all'
  setting GITHUB_URL https://github.com 'https?://[^[:space:]<>|?#@]+' 'is not a URL'
  # The token is sent there, so plain http is refused.
  setting GITHUB_API_URL https://api.github.com 'https://[^[:space:]<>|?#@]+' 'is not an https URL'
  setting ALERT_CHANNELS '' '(projects/[^/,[:space:]]+/notificationChannels/[0-9]+,?)*' \
    'is not a comma-separated list of projects/P/notificationChannels/N'
  # An alert cannot wait longer: https://docs.cloud.google.com/monitoring/alerts/metric-absence
  setting SILENCE_HOURS 23 '[1-9]|1[0-9]|2[0-3]' 'is not a number from 1 to 23'
  setting GITHUB_SOURCES '' '([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?(,[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?)*)?' \
    'is not a comma-separated list of OWNER/REPO and organisations'
  setting GITHUB_APP_ID '' '([1-9][0-9]*)?' "is not a number, the App ID on the App's page at GitHub"
  setting ROUTES_FILE config/routes.toml '.+' 'is not set to a file'
  [[ -f $ROUTES_FILE && -r $ROUTES_FILE ]] || PROBLEMS+=('ROUTES_FILE names no readable file')
  setting TEAM_FILE config/team.toml '.+' 'is not set to a file'
  [[ $TEAM_FILE == config/team.toml || (-f $TEAM_FILE && -r $TEAM_FILE) ]] || PROBLEMS+=('TEAM_FILE names no readable file')
  setting PAYLOAD_DAYS keep 'keep|[1-9][0-9]{0,3}' 'is neither keep nor a number of days'
  setting DOCS_URL docs/operations.md '[^[:space:]]+' 'contains a space'
  GITHUB_URL=${GITHUB_URL%/} GITHUB_API_URL=${GITHUB_API_URL%/}
  PAYLOAD_JOB='' # `destroy` removes it in any case
  [[ $PAYLOAD_DAYS == keep && ${COMMAND:-} != destroy* ]] || PAYLOAD_JOB=$(service empty_payloads)
  read_tables
  for name in "${!FILE_VALUES[@]}"; do
    [[ -n ${SETTINGS[$name]+set} ]] || die "deploy.env, line ${FILE_LINES[$name]}: there is no setting '$name'"
  done
  ((${#PROBLEMS[@]} == 0)) || {
    printf 'deploy.sh: %s\n' "${PROBLEMS[@]}" >&2
    die 'set them in the environment or in deploy.env (see deploy.env.example)'
  }
  export CLOUDSDK_CORE_PROJECT=$PROJECT CLOUDSDK_CORE_DISABLE_PROMPTS=1 CLOUDSDK_FUNCTIONS_REGION=$REGION CLOUDSDK_RUN_REGION=$REGION
}

# setting NAME DEFAULT PATTERN PROBLEM: sets NAME. The environment wins over deploy.env; DEFAULT replaces an empty value.
setting() {
  SETTINGS[$1]=$2
  [[ -n ${!1+set} ]] || printf -v "$1" '%s' "${FILE_VALUES[$1]:-}"
  [[ -n ${!1} ]] || printf -v "$1" '%s' "$2"
  [[ ${!1} =~ ^($3)$ ]] || PROBLEMS+=("$1 $4")
}

# https://docs.github.com/webhooks/webhook-events-and-payloads
GITHUB_EVENTS='branch_protection_configuration branch_protection_rule check_run check_suite code_scanning_alert
commit_comment create custom_property custom_property_values delete dependabot_alert deploy_key deployment
deployment_protection_rule deployment_review deployment_status discussion discussion_comment fork
github_app_authorization gollum installation installation_repositories installation_target issue_comment
issue_dependencies issues label marketplace_purchase member membership merge_group meta milestone org_block organization
package page_build personal_access_token_request ping project project_card project_column projects_v2 projects_v2_item
projects_v2_status_update public pull_request pull_request_review pull_request_review_comment
pull_request_review_thread push registry_package release repository repository_advisory repository_dispatch
repository_import repository_ruleset repository_vulnerability_alert secret_scanning_alert
secret_scanning_alert_location secret_scanning_scan security_advisory security_and_analysis sponsorship star status
sub_issues team team_add watch workflow_dispatch workflow_job workflow_run'
GITHUB_EVENTS=" ${GITHUB_EVENTS//$'\n'/ } "

# require_event_names SETTING: GitHub refuses a hook with an unknown event, and ingest would publish nothing for one.
require_event_names() {
  local event events
  IFS=, read -ra events <<<"${!1}"
  for event in "${events[@]}"; do
    [[ $GITHUB_EVENTS == *" $event "* ]] || {
      PROBLEMS+=("$1 contains a name that is no event of GitHub: the events of issues are issues and issue_comment")
      return
    }
  done
}

# The file is read, never executed. Messages do not show its values: one may be a secret.
read_file() {
  local line name value number=0
  [[ -e $1 ]] || return 0
  [[ -f $1 && -r $1 ]] || die "$1 is not a readable file"
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=$(trimmed "${line#$'\xef\xbb\xbf'}")
    [[ -n $line && $line != \#* ]] || continue
    [[ $line =~ ^([A-Z_]+)=(.*)$ ]] || die "$1, line $number: write NAME=value, without spaces around the sign"
    name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    [[ -z ${FILE_VALUES[$name]+set} ]] || die "$1, line $number: $name is set twice"
    if [[ $value =~ ^\"([^\"]*)\"$ || $value =~ ^\'([^\']*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
    [[ $value != *[\"\']* ]] || die "$1, line $number: the quotes around the value of $name do not match"
    FILE_VALUES[$name]=$value FILE_LINES[$name]=$number
  done <"$1"
}

# Prints TEXT without the whitespace at both ends, a carriage return of Windows included.
trimmed() {
  local text=$1
  text=${text#"${text%%[![:space:]]*}"}
  printf '%s' "${text%"${text##*[![:space:]]}"}"
}

# With PREFIX=team every name below begins with team-, so that a project can hold several installations.
set_names() {
  TOPIC=$(prefixed github-events) WEBHOOK_SECRET=$(prefixed github-webhook-secret) SLACK_SECRET=$(prefixed slack-token)
  GITHUB_SECRET=$(prefixed github-token) GITHUB_APP_SECRET=$(prefixed github-app-key)
  DEAD_TOPIC=$TOPIC-dead DEAD_SUBSCRIPTION=$TOPIC-dead-hold
}

prefixed() { printf '%s' "${PREFIX:+$PREFIX-}$1"; }

# service FUNCTION: prints the name of its Cloud Run service and of its subscription.
service() { prefixed "${1//_/-}"; }

account() { printf '%s-%s' "${PREFIX:-issuewire}" "${1//_/-}"; }

# A project that belongs to a domain is called example.com:name, and its accounts are at name.example.com.
email() {
  local host=$PROJECT
  [[ $host != *:* ]] || host=${host#*:}.${host%%:*}
  printf '%s@%s.iam.gserviceaccount.com' "$(account "$1")" "$host"
}

member() { printf 'serviceAccount:%s' "$(email "$1")"; }
