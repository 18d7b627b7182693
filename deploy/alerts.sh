# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# Alert policies: one file each in deploy/alerts; its text links to the heading of docs/operations.md that says what to do.

command_alerts() {
  takes_nothing "$@"
  local file name body existing channels bare=''
  step 'alert policies'
  use_google_token
  existing=$(monitoring GET "projects/$PROJECT/alertPolicies?pageSize=1000")
  for file in deploy/alerts/*.json; do
    say "    $(basename "$file" .json)"
    name=$(read_json policy-name "$file" <<<"$existing")
    # Channels that were added in the console stay, unless the setting names others.
    channels=${ALERT_CHANNELS:-$(read_json policy-channels "$file" <<<"$existing")}
    [[ -n $channels ]] || bare=yes
    body=$(read_json alert "$file" "$DOCS_URL" "$channels" </dev/null)
    if [[ -z $name ]]; then
      monitoring POST "projects/$PROJECT/alertPolicies" "$body" >/dev/null
    else
      monitoring PATCH "$name" "$body" >/dev/null
    fi
  done
  [[ -z $bare ]] || done_with 'Nobody is told yet: name a notification channel in ALERT_CHANNELS (deploy.env) and repeat.'
  [[ $DOCS_URL == http* ]] || done_with 'The alerts hold no link yet: name the web address of docs/operations.md in DOCS_URL and repeat.'
}

use_google_token() { TOKEN=$(ask TOKEN gcloud auth print-access-token); }

# monitoring METHOD PATH [BODY]: one call of the API; prints the answer's body.
monitoring() {
  local method=$1 url=https://monitoring.googleapis.com/v3/$2 answer status
  if [[ -n $DRY_RUN ]]; then
    [[ $method == GET ]] || show curl --request "$method" "$url"
    return
  fi
  answer=$(call "$method" "$url" "${3:-}" --header 'Content-Type: application/json') ||
    die 'Cloud Monitoring cannot be reached'
  status=${answer##*$'\n'}
  [[ $status == 2?? ]] || die "Cloud Monitoring answers $status for $method $url: $(read_json message <<<"${answer%$'\n'*}")"
  printf '%s' "${answer%$'\n'*}"
}
