# shellcheck shell=bash disable=SC2034,SC2153 # the other parts set and use what is in capitals
# A GitHub App by GitHub's manifest flow; nothing of it is copied by hand. The App's id is a label of the secret with its key, so
# that later runs find it; GITHUB_APP_ID wins.

APP_LABEL=github-app-id
APP_EVENTS=(issues issue_comment repository)      # what the App's permissions allow to be delivered
APP_SECONDS=${ISSUEWIRE_DEPLOY_APP_SECONDS:-1800} # how long the page waits; GitHub's code is valid for an hour

# find_github_app: sets GITHUB_APP_ID to the id of the stored App if no setting names one.
find_github_app() {
  local id
  [[ -z $GITHUB_APP_ID && -z $DRY_RUN ]] || return 0
  [[ -n ${EXISTING[secret]+set} ]] || read_existing secret
  id=$(row "$GITHUB_APP_SECRET" "${EXISTING[secret]}" | cut -s -d '|' -f 2)
  [[ -n $id ]] || return 0
  GITHUB_APP_ID=$id
  read_tables # they differ with an App
}

command_app() {
  local argument organization='' replace=''
  for argument in "$@"; do
    if [[ $argument == --replace ]]; then
      replace=yes
    elif [[ -z $organization && $argument =~ ^[A-Za-z0-9][A-Za-z0-9_-]*$ ]]; then
      organization=$argument
    else
      die 'app takes the name of an organisation, or none for your own account, and --replace'
    fi
  done
  [[ " ${ALL_SECRETS[*]} " == *" $GITHUB_APP_SECRET "* ]] || ALL_SECRETS+=("$GITHUB_APP_SECRET")
  require_ours secret function
  [[ -n $replace ]] || require_no_app
  require_room_for_a_secret
  create_app "$organization"
}

require_no_app() {
  local version=''
  find_github_app
  if exists secret "$GITHUB_APP_SECRET"; then version=$(newest_version "$GITHUB_APP_SECRET"); fi
  [[ -z $GITHUB_APP_ID$version ]] ||
    die "there is a GitHub App already${GITHUB_APP_ID:+, with the App ID $GITHUB_APP_ID}; to put another in its place: ./deploy.sh app --replace"
}

# ingest accepts three versions of the webhook's secret: one more must not displace one that GitHub still signs with.
require_room_for_a_secret() {
  local versions
  exists secret "$WEBHOOK_SECRET" || return 0
  versions=$(enabled_versions "$WEBHOOK_SECRET")
  (($(wc -w <<<"$versions") < 3)) ||
    die "three versions of $WEBHOOK_SECRET are enabled, and ingest accepts no fourth: ./deploy.sh secrets rotate --finish OWNER/REPO... disables the older ones"
}

# create_app ORGANISATION: has GitHub create the App in the browser, and stores its webhook secret, its key and its id.
create_app() {
  local answer url id name page configured=$GITHUB_APP_ID owner=${1:+/organizations/$1}
  url=$(ingest_url)
  create_empty_secrets # if that is not allowed, nothing has been created at GitHub
  step "GitHub's form for a new App: $GITHUB_URL$owner/settings/apps/new"
  answer=$(ask_for_app "$1" "$url")
  id=$(printf '%s' "$answer" | read_json app-field id)
  name=$(printf '%s' "$answer" | read_json app-field name)
  page=$GITHUB_URL$owner/settings/apps/$(printf '%s' "$answer" | read_json app-field slug)
  UNFINISHED="GitHub has the App '$name', and its key is lost: delete it at $page/advanced."
  store_app_secret "$answer" "$page"
  store "$GITHUB_APP_SECRET" "$(printf '%s' "$answer" | read_json app-field pem)"
  UNFINISHED="Everything of the App '$name' is stored except its id: set GITHUB_APP_ID=$id in deploy.env instead."
  step "note the App's id"
  mutate gcloud secrets update "$GITHUB_APP_SECRET" --update-labels="$APP_LABEL=${id:-ID}"
  UNFINISHED=''
  wait_until_read
  report_done "The GitHub App '$name' has the App ID $id. Next:"
  report_done "  1. Install it: $(printf '%s' "$answer" | read_json app-field html_url)/installations/new"
  report_done '  2. Deploy what uses it: ./deploy.sh all'
  [[ -z $configured || $configured == "$id" ]] || report_done "GITHUB_APP_ID=$configured is set and wins: remove it from deploy.env or the environment first."
}

# store_app_secret ANSWER PAGE: as a further version, so that the webhooks that exist are accepted as before.
store_app_secret() {
  local secret
  secret=$(printf '%s' "$1" | read_json app-field webhook_secret)
  if [[ -n $DRY_RUN || -n $secret ]]; then
    store "$WEBHOOK_SECRET" "$secret"
  else
    say "    GitHub gave the App no webhook secret: set the one that ./deploy.sh secrets show prints at $2"
  fi
}

# ask_for_app ORGANISATION INGEST_URL: prints GitHub's answer as JSON. The messages of the program reach the operator while it runs.
ask_for_app() {
  local events event homepage=$GITHUB_URL${1:+/$1} CALL_SECONDS=$((APP_SECONDS + 120)) REPORT_SECONDS=$((APP_SECONDS + 120))
  events=''
  for event in "${APP_EVENTS[@]}"; do
    [[ ,$WEBHOOK_EVENTS, != *",$event,"* ]] || events+=,$event
  done
  [[ $DOCS_URL != http* ]] || homepage=$DOCS_URL
  query '' python3 deploy/github_app.py --github-url "$GITHUB_URL" --api-url "$GITHUB_API_URL" --organization "$1" --name "Issuewire ${PREFIX:-$PROJECT}" \
    --homepage "$homepage" --webhook-url "$2" --events "${events#,}" --seconds "$APP_SECONDS" --messages 4 4>&2 ||
    die 'no GitHub App was stored'
}
