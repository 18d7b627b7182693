# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# Alert policies: one file each in deploy/alerts. Each links to the heading of docs/operations.md that says what to do.

command_alerts() {
  no_arguments "$@"
  local file title name body method existing services pushed unnotified=''
  require_login
  use_google_token
  require_ours alert
  step 'alert policies'
  existing=$(monitoring GET "projects/$PROJECT/alertPolicies?pageSize=1000")
  printf -v services ' OR "%s"' "${PUBLIC_SERVICES[@]}" "${SUBSCRIPTIONS[@]}"
  printf -v pushed ', "%s"' "${SUBSCRIPTIONS[@]}"
  for file in $(alert_files); do
    say "    $(basename "$file" .json)"
    title=$(alert_title "$file")
    name=$(read_json policy-name "$title" <<<"$existing")
    # Channels that were added in the console are kept, unless the setting names others.
    body=$(read_json alert "$file" "$title" "$LABEL" "$ALERT_CHANNELS" DOCS_URL="$DOCS_URL" INGEST="$(service ingest)" SERVICE="$(service "$(basename "${file%/*}")")" \
      DEAD_SUBSCRIPTION="$DEAD_SUBSCRIPTION" SERVICES="${services# OR }" SUBSCRIPTIONS="${pushed#, }" \
      SILENCE_HOURS="$SILENCE_HOURS" SILENCE_SECONDS="$((SILENCE_HOURS * 3600))" <<<"$existing")
    [[ $body != *'"notificationChannels": []'* ]] || unnotified=yes
    method=PATCH
    [[ -n $name ]] || method=POST name=projects/$PROJECT/alertPolicies
    monitoring "$method" "$name" "$body" >/dev/null
  done
  [[ -z $unnotified ]] || report_done 'No one is notified yet: name a notification channel in ALERT_CHANNELS (deploy.env) and run again.'
  [[ $DOCS_URL == http* ]] || report_done 'The alerts contain no link yet: set DOCS_URL to the web address of docs/operations.md and run again.'
}

# Prints the files: those in deploy/alerts, and those in a folder of a function that is used.
alert_files() {
  local name
  printf '%s\n' deploy/alerts/*.json
  for name in "${FUNCTIONS[@]}"; do
    [[ ! -d deploy/alerts/$name ]] || printf '%s\n' "deploy/alerts/$name"/*.json
  done
}

# alert_title FILE: prints the name of the alert policy, which is unique in the project.
alert_title() {
  local title
  title=$(sed -n 's/^  "displayName": "\(.*\)",$/\1/p' "$1")
  printf '%s\n' "${title/#Issuewire/Issuewire${PREFIX:+ $PREFIX}}"
}

use_google_token() { TOKEN=$(query TOKEN gcloud auth print-access-token); }

# monitoring METHOD PATH [BODY]: calls Cloud Monitoring; prints the body of the answer.
monitoring() {
  call_api 'Cloud Monitoring' "$1" "https://monitoring.googleapis.com/v3/$2" "${3:-}" --header 'Content-Type: application/json'
}
