# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# Secrets travel on stdin, without a newline, never in arguments, in files or in our output.

command_secrets() {
  case "$# ${1:-}" in
    '0 ') first_secrets ;;
    '1 webhook') store_given "$WEBHOOK_SECRET" ;;
    '1 slack') store_given "$SLACK_SECRET" ;;
    '1 show') show_secret ;;
    *' rotate') rotate "${@:2}" ;;
    *)
      COMMAND=secrets # its words may hold the secret itself
      die 'secrets takes nothing, webhook, slack, show, or rotate [--finish] REPO...; a secret is given on stdin'
      ;;
  esac
}

make_places() {
  step 'enable Secret Manager'
  change gcloud services enable secretmanager.googleapis.com
  make_secrets
}

first_secrets() {
  local version
  make_places
  version=$(newest_version "$WEBHOOK_SECRET")
  if [[ -z $version ]]; then
    store "$WEBHOOK_SECRET" "$(random_secret)"
  else
    say "    $WEBHOOK_SECRET is there"
  fi
  version=$(newest_version "$SLACK_SECRET")
  if [[ -n $version ]]; then
    say "    $SLACK_SECRET is there"
  elif [[ -t 0 && -z $DRY_RUN ]]; then
    say "Slack's bot token (xoxb-...), or an incoming webhook's URL:"
    store_given "$SLACK_SECRET"
  else
    say "Next: store Slack's bot token: ./deploy.sh secrets slack <token.txt"
  fi
}

store_given() {
  [[ -n $DRY_RUN ]] || read_secret
  [[ $1 != "$SLACK_SECRET" || -n $DRY_RUN || $SECRET =~ ^(xoxb-|https://hooks\.slack\.com/) ]] ||
    die "that is neither a bot token (xoxb-...) nor an incoming webhook's URL"
  make_places
  store "$1" "${SECRET:-}"
  [[ $1 != "$WEBHOOK_SECRET" ]] ||
    done_with 'ingest accepts it and the one before. Next: ./deploy.sh webhook OWNER/REPO for each that delivers here'
}

random_secret() { head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n'; }

# Reads SECRET: hidden at a terminal, else from stdin. The newline at the end would become part of the key, so it is left out.
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
  feed "$2" gcloud secrets versions add "$1" --data-file=-
}

show_secret() {
  local version
  version=$(newest_version "$WEBHOOK_SECRET")
  needs_secret "$WEBHOOK_SECRET" './deploy.sh secrets'
  ask '(the secret)' gcloud secrets versions access "${version:-1}" --secret="$WEBHOOK_SECRET"
  echo
}

# Prints the numbers of the enabled versions, newest first.
enabled_versions() {
  ask '' gcloud secrets versions list "$1" --filter=state=ENABLED --sort-by=~createTime --format='value(name.basename())'
}

newest_version() {
  local versions
  versions=$(enabled_versions "$1")
  printf '%s' "${versions%%$'\n'*}"
}

needs_secret() {
  local version
  version=$(newest_version "$1")
  [[ -n $DRY_RUN || -n $version ]] || die "$1 has no version yet; store one: $2"
}

needs_secrets() {
  needs_secret "$WEBHOOK_SECRET" './deploy.sh secrets'
  needs_secret "$SLACK_SECRET" './deploy.sh secrets slack <token.txt'
}

# New secret here first: ingest accepts both. Then at GitHub; only when pings signed with it have arrived are the older ones
# disabled, so that no delivery is refused at any moment. ingest looks at three versions, so a rotation that broke off must be
# finished, not begun again: one more version each time would in the end push out the one that GitHub still signs with.
rotate() {
  local finish='' repository versions version
  if [[ ${1:-} == --finish ]]; then finish=yes && shift; fi
  (($#)) || die 'secrets rotate takes every OWNER/REPO or organisation whose webhook points here'
  for repository in "$@"; do hooks_of "$repository" >/dev/null; done
  versions=$(enabled_versions "$WEBHOOK_SECRET")
  [[ -n $DRY_RUN || -n $versions ]] || die "$WEBHOOK_SECRET has no version yet: ./deploy.sh secrets"
  if [[ -z $finish ]]; then
    [[ $versions != *$'\n'* ]] ||
      die "versions ${versions//$'\n'/, } are enabled: a change of the secret is not finished. ./deploy.sh secrets rotate --finish $* keeps the newest"
    find_webhooks "$@"
    store "$WEBHOOK_SECRET" "$(random_secret)"
    COMMAND="secrets rotate --finish $*"
    versions=$(enabled_versions "$WEBHOOK_SECRET")
  fi
  [[ -z $DRY_RUN ]] || versions=$'NEW\nOLD'
  # Also to finish: the run that broke off may have stored it a second ago.
  step "wait $SETTLE s, so that ingest takes the new secret when GitHub begins to sign with it"
  [[ -n $DRY_RUN ]] || sleep "$SETTLE"
  for repository in "$@"; do put_webhook "$repository"; done
  while read -r version; do
    step "disable the old version $version"
    change gcloud secrets versions disable "$version" --secret="$WEBHOOK_SECRET"
  done < <(sed 1d <<<"$versions")
  done_with "$* is signed with the newest secret; the older ones are disabled, and any other webhook that used them is refused."
}
