# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# Alert policies: one file each in deploy/alerts. Each links to the heading of docs/operations.md that says what to do.

command_alerts() {
  no_arguments "$@"
  local file name body method existing unnotified=''
  step 'alert policies'
  use_google_token
  existing=$(monitoring GET "projects/$PROJECT/alertPolicies?pageSize=1000")
  for file in deploy/alerts/*.json; do
    say "    $(basename "$file" .json)"
    name=$(read_json policy-name "$file" <<<"$existing")
    # Channels that were added in the console are kept, unless the setting names others.
    body=$(read_json alert "$file" "$DOCS_URL" "$ALERT_CHANNELS" "${FUNCTIONS[*]//_/-}" "${SUBSCRIBERS[*]//_/-}" <<<"$existing")
    [[ $body != *'"notificationChannels": []'* ]] || unnotified=yes
    method=PATCH
    [[ -n $name ]] || method=POST name=projects/$PROJECT/alertPolicies
    monitoring "$method" "$name" "$body" >/dev/null
  done
  [[ -z $unnotified ]] || report_done 'No one is notified yet: name a notification channel in ALERT_CHANNELS (deploy.env) and run again.'
  [[ $DOCS_URL == http* ]] || report_done 'The alerts contain no link yet: set DOCS_URL to the web address of docs/operations.md and run again.'
}

use_google_token() { TOKEN=$(query TOKEN gcloud auth print-access-token); }

# monitoring METHOD PATH [BODY]: calls Cloud Monitoring; prints the body of the answer.
monitoring() {
  call_api 'Cloud Monitoring' "$1" "https://monitoring.googleapis.com/v3/$2" "${3:-}" --header 'Content-Type: application/json'
}
