# shellcheck shell=bash
# What status reads outside of Google Cloud: the webhooks at GitHub, Slack's token, and the channels of the routes.

HOOKS_FILE=.local/webhooks # one repository or organisation a line, written by the command webhook
SLACK_API=https://slack.com/api

# remember_webhook REPO
remember_webhook() {
  [[ -z $DRY_RUN ]] || return 0
  mkdir -p .local
  touch "$HOOKS_FILE"
  grep -qxF -- "$1" "$HOOKS_FILE" || printf '%s\n' "$1" >>"$HOOKS_FILE"
}

# status_of_webhooks INGEST_URL [REPO...]: without a name, those that the command webhook created from this checkout.
status_of_webhooks() {
  local url=$1 repositories=("${@:2}") repository hooks answer state problem addresses
  [[ -n ${repositories[*]} || ! -f $HOOKS_FILE ]] || mapfile -t repositories <"$HOOKS_FILE"
  [[ -n ${repositories[*]} ]] || status_unknown webhook 'not checked; name them: ./deploy.sh status OWNER/REPO...'
  [[ -n ${repositories[*]} ]] || return 0
  find_github_token
  addresses=$(ingest_addresses "$url/")
  for repository in "${repositories[@]}"; do
    if [[ -z $TOKEN ]]; then
      status_unknown "webhook $repository" 'not checked, because there is no GitHub token (GITHUB_TOKEN)'
      continue
    fi
    hooks=$(hooks_url "$repository")
    answer=$(github GET "$hooks?per_page=100")
    # shellcheck disable=SC2086 # addresses contain no spaces
    state=$(read_json hook-state "$WEBHOOK_EVENTS" $addresses <<<"$answer")
    problem=${state%%|*}
    status_line "webhook $repository" "${state#*|}" "${problem:+$problem; ./deploy.sh webhook $repository}"
  done
}

# Slack is asked as notify_slack asks it: who the token is, and for a message of each channel.
status_of_slack() {
  local version answer problem channels channel
  version=$(newest_version "$SLACK_SECRET")
  if [[ -z $version ]]; then
    status_line 'Slack token' '' "missing; $(command_for "$SLACK_SECRET")"
    return
  fi
  TOKEN=$(query '' gcloud secrets versions access "$version" --secret="$SLACK_SECRET" 2>/dev/null) || TOKEN=''
  TOKEN=$(trimmed "$TOKEN")
  if [[ ! $TOKEN =~ ^xoxb-[[:graph:]]+$ ]]; then
    problem="not checked, because $ACCOUNT may not read the secret $SLACK_SECRET"
    [[ -z $TOKEN ]] || problem='not checked, because it is not a bot token (xoxb-...)'
    status_unknown 'Slack token' "$problem"
    return
  fi
  answer=$(slack auth.test)
  problem=$(read_json slack-error <<<"$answer")
  status_line 'Slack token' "version $version is accepted" "${problem:+refused with $problem; see docs/operations.md}"
  [[ -z $problem ]] || return 0
  channels=$(for file in "$ROUTES_FILE" ${DIGEST_SCHEDULE:+"$TEAM_FILE"}; do python3 deploy/check_routes.py --channels "$file"; done)
  channels=$(sort -u <<<"$channels")
  for channel in $channels; do
    answer=$(slack "conversations.history?limit=1&channel=$channel")
    problem=$(read_json slack-error <<<"$answer")
    status_line "Slack channel $channel" 'the app is in it' "${problem:+refused with $problem; see docs/operations.md}"
  done
}

slack() { call_api Slack GET "$SLACK_API/$1" ''; }
