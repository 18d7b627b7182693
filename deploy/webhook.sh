# shellcheck shell=bash
# GitHub's webhook: https://docs.github.com/rest/repos/webhooks and .../orgs/webhooks

command_webhook() {
  (($# == 1)) || die 'webhook takes OWNER/REPO or an organisation'
  hooks_url "$1" >/dev/null
  require_ours secret function
  upsert_webhook "$1"
  remember_webhook "$1"
  report_done "GitHub delivers ${WEBHOOK_EVENTS//,/, } of $1; its ping was accepted."
}

# upsert_webhook REPO: ensures one hook with our URL, the newest secret and our events, and waits until ingest accepts its ping.
upsert_webhook() {
  local hooks url version secret id body answer addresses
  hooks=$(hooks_url "$1")
  step "webhook of $1"
  url=$(ingest_url)
  version=$(require_version "$WEBHOOK_SECRET")
  secret=$(query '' gcloud secrets versions access "$version" --secret="$WEBHOOK_SECRET")
  use_github_token
  body=$(printf '%s' "$secret" | read_json hook-body "$url" "$WEBHOOK_EVENTS")
  addresses=$(ingest_addresses "$url")
  answer=$(github GET "$hooks?per_page=100")
  # shellcheck disable=SC2086 # addresses contain no spaces
  id=$(read_json hook-id $addresses <<<"$answer")
  if [[ -z $id ]]; then
    answer=$(github POST "$hooks" "$body")
    id=$(read_json hook-id "$url" <<<"[$answer]")
  else
    github PATCH "$hooks/$id" "$body" >/dev/null
  fi
  ping_webhook "$hooks/${id:-ID}"
}

# require_webhooks REPO...: stops unless each has its hook and the token may read it; changes nothing.
require_webhooks() {
  local repository hooks answer url id addresses
  [[ -z $DRY_RUN && $# != 0 ]] || return 0
  url=$(ingest_url)
  addresses=$(ingest_addresses "$url")
  use_github_token
  for repository in "$@"; do
    hooks=$(hooks_url "$repository")
    answer=$(github GET "$hooks?per_page=100")
    # shellcheck disable=SC2086 # addresses contain no spaces
    id=$(read_json hook-id $addresses <<<"$answer")
    [[ -n $id ]] || die "$repository has no webhook that points here: ./deploy.sh webhook $repository"
  done
}

ingest_url() {
  local deployment
  deployment=$(row "$(service ingest)" "${EXISTING[function]:-}")
  [[ $deployment == *'|https://'* ]] || deployment=$(deployment_of ingest)
  [[ -n $DRY_RUN || ${deployment##*|} == https://* ]] || die 'ingest is not deployed yet: ./deploy.sh all'
  printf '%s/' "${deployment##*|}"
}

# ingest_addresses URL: prints the address that we give to GitHub and the two others that every function has.
ingest_addresses() {
  local number host=$PROJECT service
  service=$(service ingest)
  number=$(query '' gcloud projects describe "$PROJECT" --format='value(projectNumber)')
  [[ $host != *:* ]] || host=${host#*:}.${host%%:*}
  printf '%s https://%s-%s.%s.run.app/ https://%s-%s.cloudfunctions.net/%s' "$1" "$service" "$number" "$REGION" "$REGION" "$host" "$service"
}

hooks_url() {
  local kind=orgs
  [[ $1 =~ ^[A-Za-z0-9_-]+(/[A-Za-z0-9._-]+)?$ ]] || die "'$1' is neither OWNER/REPO nor an organisation"
  [[ $1 != */* ]] || kind=repos
  printf '%s' "$GITHUB_API_URL/$kind/$1/hooks"
}

# ingest reads a new secret within half a minute, so a refused ping is sent again until it is accepted or the time is up.
ping_webhook() {
  local hook=$1 before answer status deadline=$((SECONDS + WAIT_SECONDS))
  while :; do
    answer=$(github GET "$hook/deliveries?per_page=100")
    before=$(read_json newest-delivery <<<"$answer")
    github POST "$hook/pings" >/dev/null
    [[ -z $DRY_RUN ]] || return 0
    while :; do
      answer=$(github GET "$hook/deliveries?per_page=100")
      status=$(read_json ping-status "$before" <<<"$answer")
      [[ -z $status ]] || break
      ((SECONDS < deadline)) || die "GitHub has not delivered its ping within $WAIT_SECONDS s; look at the webhook's recent deliveries"
      sleep "$RETRY_SECONDS"
    done
    [[ $status != 200 ]] || return 0
    ((SECONDS < deadline)) ||
      die "GitHub's ping is answered with $status; see docs/operations.md, 'GitHub shows a delivery in red'"
    say "    the ping was answered with $status; sending it again"
    sleep "$RETRY_SECONDS"
  done
}

use_github_token() {
  [[ -z $DRY_RUN ]] || return 0
  find_github_token
  [[ -n $TOKEN ]] || die 'no GitHub token: set GITHUB_TOKEN_FILE or GITHUB_TOKEN to a token that may write webhooks, or run gh auth login'
  [[ $TOKEN =~ ^[[:graph:]]+$ ]] || die 'the GitHub token contains spaces or line breaks'
}

# Sets TOKEN, which stays empty if there is none.
find_github_token() {
  TOKEN=''
  local host=${GITHUB_URL#*://}
  if [[ -n ${GITHUB_TOKEN_FILE:-} ]]; then
    [[ -f $GITHUB_TOKEN_FILE && -r $GITHUB_TOKEN_FILE ]] || die 'GITHUB_TOKEN_FILE names no readable file'
    TOKEN=$(<"$GITHUB_TOKEN_FILE")
  elif [[ -n ${GITHUB_TOKEN:-} ]]; then
    TOKEN=$GITHUB_TOKEN
  elif command -v gh >/dev/null; then
    TOKEN=$(query '' gh auth token --hostname "${host%%/*}" 2>/dev/null) || TOKEN=''
  fi
  TOKEN=$(trimmed "$TOKEN")
}

# github METHOD URL [BODY]: calls GitHub; prints the body of the answer.
github() {
  call_api GitHub "$1" "$2" "${3:-}" --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28'
}
