# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# Secrets are passed on stdin, without a newline; they are never in arguments, in files or in our output.

command_secrets() {
  case "$# ${1:-}" in
    '0 ') create_missing_secrets ;;
    '1 webhook') store_from_stdin "$WEBHOOK_SECRET" ;;
    '1 slack') store_from_stdin "$SLACK_SECRET" ;;
    '1 github-app-key') store_app_key ;;
    '1 show') show_webhook_secret ;;
    *' rotate') rotate "${@:2}" ;;
    *)
      COMMAND=secrets # its arguments may contain the secret itself
      [[ $# == 1 && $1 != *' '* && " ${ALL_SECRETS[*]} " == *" $1 "* ]] ||
        die 'secrets takes nothing, webhook, slack, github-app-key, show, the name of another secret, or rotate [--finish] REPO...; a secret is given on stdin'
      store_from_stdin "$1"
      ;;
  esac
}

create_empty_secrets() {
  [[ -n ${EXISTING[secret]+set} ]] || require_ours secret
  step 'enable Secret Manager'
  mutate gcloud services enable secretmanager.googleapis.com
  create_secrets
}

create_missing_secrets() {
  local name version description
  require_ours secret
  [[ -z $GITHUB_ASKED ]] || find_github_app
  create_empty_secrets
  for name in "${ALL_SECRETS[@]}"; do
    version=$(newest_version "$name")
    description=$name
    [[ $name != "$SLACK_SECRET" ]] || description="Slack's bot token (xoxb-...) or an incoming webhook's URL"
    if [[ -n $version ]]; then
      say "    $name exists"
    elif [[ $name == "$WEBHOOK_SECRET" ]]; then
      store "$name" "$(random_secret)"
    elif [[ -t 0 && -z $DRY_RUN && $name != "$GITHUB_APP_SECRET" ]]; then
      say "$description:"
      store_from_stdin "$name"
    else
      say "Next: store $description: $(command_for "$name")"
    fi
  done
}

# command_for SECRET: prints the command that stores a first version.
command_for() {
  case $1 in
    "$WEBHOOK_SECRET") printf './deploy.sh secrets' ;;
    "$SLACK_SECRET") printf './deploy.sh secrets slack <token.txt' ;;
    "$GITHUB_APP_SECRET") printf './deploy.sh secrets github-app-key <key.pem' ;;
    *) printf './deploy.sh secrets %s <secret.txt' "$1" ;;
  esac
}

store_from_stdin() {
  [[ -n $DRY_RUN ]] || read_secret
  [[ $1 != "$SLACK_SECRET" || -n $DRY_RUN || $SECRET =~ ^(xoxb-|https://hooks\.slack\.com/) ]] ||
    die "that is neither a bot token (xoxb-...) nor an incoming webhook's URL"
  create_empty_secrets
  store "$1" "${SECRET:-}"
  [[ $1 == "$WEBHOOK_SECRET" ]] || return 0
  wait_until_read
  report_done 'ingest accepts it and the previous one. Next: ./deploy.sh webhook OWNER/REPO for each that delivers here'
}

# The key may be stored before GITHUB_APP_ID is set. A file is needed: a key has many lines.
store_app_key() {
  SECRET=''
  if [[ -z $DRY_RUN ]]; then
    [[ ! -t 0 ]] || die "give the file of the App's private key on stdin: $(command_for "$GITHUB_APP_SECRET")"
    IFS= read -rd '' SECRET || true
    SECRET=$(trimmed "$SECRET")
    [[ $SECRET =~ ^-----BEGIN\ (RSA\ )?PRIVATE\ KEY-----[[:space:]].*-----END\ (RSA\ )?PRIVATE\ KEY-----$ ]] ||
      die "that is not the private key of a GitHub App; give the .pem file that GitHub gave: $(command_for "$GITHUB_APP_SECRET")"
  fi
  [[ " ${ALL_SECRETS[*]} " == *" $GITHUB_APP_SECRET "* ]] || ALL_SECRETS+=("$GITHUB_APP_SECRET")
  create_empty_secrets
  store "$GITHUB_APP_SECRET" "$SECRET"
  find_github_app
  [[ -n $GITHUB_APP_ID ]] || say 'Next: set GITHUB_APP_ID in deploy.env'
}

# ingest reads its secret again after a wrong signature, at most every 30 s: it may not know a new one before.
wait_until_read() {
  step "wait $SECRET_READ_SECONDS s, so that ingest has read the new secret before GitHub signs with it"
  [[ -n $DRY_RUN ]] || sleep "$SECRET_READ_SECONDS"
}

random_secret() { head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n'; }

# Reads SECRET from stdin, without echo from a terminal. A newline at its end would become part of the key, so it is left out.
read_secret() {
  local rest=''
  SECRET=''
  if [[ -t 0 ]]; then
    read -rsp 'Paste the secret and press Enter (it is not shown): ' SECRET || true
    say ''
  else
    IFS= read -r SECRET || true
    IFS= read -rd '' rest || true
  fi
  SECRET=${SECRET%$'\r'}
  [[ -z ${rest//[[:space:]]/} ]] || die 'the secret on stdin has more than one line'
  [[ -n ${SECRET//[[:space:]]/} ]] || die 'the secret on stdin is empty'
  [[ $SECRET == "$(trimmed "$SECRET")" ]] || die 'the secret on stdin begins or ends with a space'
}

# store NAME SECRET
store() {
  step "store a new version of $1"
  mutate_with_stdin "$2" gcloud secrets versions add "$1" --data-file=-
}

show_webhook_secret() {
  local version
  require_login
  version=$(require_version "$WEBHOOK_SECRET")
  query '(the secret)' gcloud secrets versions access "${version:-1}" --secret="$WEBHOOK_SECRET"
  echo
}

# Prints the numbers of the enabled versions, newest first: Secret Manager numbers them upwards.
enabled_versions() {
  query '' gcloud secrets versions list "$1" --filter=state=ENABLED --format='value(name.basename())' | sort -rn
}

newest_version() {
  local versions
  versions=$(enabled_versions "$1")
  printf '%s' "${versions%%$'\n'*}"
}

# require_version SECRET: prints the number of the newest enabled version; stops if there is none.
require_version() {
  local version
  version=$(newest_version "$1")
  [[ -n $DRY_RUN || -n $version ]] || die "$1 has no version yet; store one: $(command_for "$1")"
  printf '%s' "$version"
}

# The new secret is stored here first, when ingest accepts both, and then sent to GitHub. The older versions are disabled only
# after pings signed with the new one have arrived, so that no delivery is refused at any moment. ingest reads three versions,
# so an interrupted rotation must be finished, not started again: another new version each time would in the end replace the
# one that GitHub still signs with.
rotate() {
  local finish='' repository versions version
  if [[ ${1:-} == --finish ]]; then finish=yes && shift; fi
  for repository in "$@"; do hooks_url "$repository" >/dev/null; done
  require_ours secret function
  find_github_app
  (($#)) || [[ -n $GITHUB_APP_ID$DRY_RUN ]] || die 'secrets rotate takes every OWNER/REPO or organisation whose webhook points here'
  versions=$(enabled_versions "$WEBHOOK_SECRET")
  [[ -n $DRY_RUN || -n $versions ]] || die "$WEBHOOK_SECRET has no version yet; store one: ./deploy.sh secrets"
  if [[ -z $finish ]]; then
    [[ $versions != *$'\n'* ]] ||
      die "versions ${versions//$'\n'/, } are enabled, so a rotation is unfinished. ./deploy.sh secrets rotate --finish $* keeps the newest"
    require_webhooks "$@"
    store "$WEBHOOK_SECRET" "$(random_secret)"
    COMMAND="secrets rotate --finish $*"
    versions=$(enabled_versions "$WEBHOOK_SECRET")
  fi
  [[ -z $DRY_RUN ]] || versions=$'NEW\nOLD'
  wait_until_read # also with --finish: the interrupted run may have stored it a second ago
  for repository in "$@"; do upsert_webhook "$repository"; done
  if [[ -n $GITHUB_APP_ID && -z $finish ]]; then
    report_done "The older secrets are still accepted, because the GitHub App $GITHUB_APP_ID may use one. On its page at GitHub, set the webhook secret"
    report_done "that ./deploy.sh secrets show prints; then: ./deploy.sh $COMMAND"
    return
  fi
  while read -r version; do
    step "disable the old version $version"
    mutate gcloud secrets versions disable "$version" --secret="$WEBHOOK_SECRET"
  done < <(sed 1d <<<"$versions")
  report_done "${*:-The GitHub App} is signed with the newest secret. The older ones are disabled, and any other webhook that used them is refused."
}
