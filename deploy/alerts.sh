# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# Alert policies: one file each in deploy/alerts. Each links to the heading of docs/operations.md that says what to do.

command_alerts() {
  no_arguments "$@"
  local file name body existing channels unnotified=''
  step 'alert policies'
  use_google_token
  existing=$(monitoring GET "projects/$PROJECT/alertPolicies?pageSize=1000")
  for file in deploy/alerts/*.json; do
    say "    $(basename "$file" .json)"
    name=$(read_json policy-name "$file" <<<"$existing")
    # Channels that were added in the console are kept, unless the setting names others.
    channels=${ALERT_CHANNELS:-$(read_json policy-channels "$file" <<<"$existing")}
    [[ -n $channels ]] || unnotified=yes
    body=$(read_json alert "$file" "$DOCS_URL" "$channels" "${FUNCTIONS[*]//_/-}" "${SUBSCRIBERS[*]//_/-}" </dev/null)
    if [[ -z $name ]]; then
      monitoring POST "projects/$PROJECT/alertPolicies" "$body" >/dev/null
    else
      monitoring PATCH "$name" "$body" >/dev/null
    fi
  done
  [[ -z $unnotified ]] || report_done 'No one is notified yet: name a notification channel in ALERT_CHANNELS (deploy.env) and run again.'
  [[ $DOCS_URL == http* ]] || report_done 'The alerts contain no link yet: set DOCS_URL to the web address of docs/operations.md and run again.'
}

use_google_token() { TOKEN=$(query TOKEN gcloud auth print-access-token); }

# monitoring METHOD PATH [BODY]: one API call; prints the body of the answer.
monitoring() {
  local method=$1 url=https://monitoring.googleapis.com/v3/$2 answer status
  if [[ -n $DRY_RUN ]]; then
    [[ $method == GET ]] || print_command curl --request "$method" "$url"
    return
  fi
  answer=$(http_request "$method" "$url" "${3:-}" --header 'Content-Type: application/json') ||
    die 'Cloud Monitoring cannot be reached'
  status=${answer##*$'\n'}
  [[ $status == 2?? ]] || die "Cloud Monitoring answers $status for $method $url: $(read_json message <<<"${answer%$'\n'*}")"
  printf '%s' "${answer%$'\n'*}"
}
