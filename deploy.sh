#!/usr/bin/env bash
# The one door to Google Cloud: ./deploy.sh help
set -Eeuo pipefail
unset CDPATH
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
  echo "deploy.sh: bash 4.4 or newer is needed, and this is $BASH_VERSION (macOS: brew install bash)" >&2
  exit 1
fi
shopt -s inherit_errexit # also $(...) stops at its first failure
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

source deploy/common.sh
source deploy/settings.sh
source deploy/resources.sh
source deploy/access.sh
source deploy/functions.sh
source deploy/secrets.sh
source deploy/webhook.sh
source deploy/alerts.sh
source deploy/status.sh
source deploy/destroy.sh

usage() {
  cat <<'TXT'
Usage: ./deploy.sh [--dry-run] [--yes] COMMAND

  check                  look before you leap: tools, account, project, billing
  secrets                make the webhook's secret and ask for Slack's token, where they are missing
  secrets webhook        store the webhook's secret that is given on stdin
  secrets slack          store Slack's token (or an incoming webhook's URL) that is given on stdin
  secrets show           print the webhook's secret, once
  secrets rotate REPO... new webhook secret: here, at GitHub, and then the old one is disabled; name every REPO
                         whose webhook points here. --finish ends a rotation that broke off
  all                    everything below but the webhook and the alerts, in the safe order
  setup                  APIs, accounts, topics, subscriptions, secrets' places, table and views
  ingest                 one function with all it needs
  notify_slack           likewise
  stream_bq              likewise
  webhook REPO           make or mend GitHub's webhook, and see a ping arrive
  alerts                 make or mend the alert policies
  status                 one table; exit status 0 only when all is well
  rollback FUNCTION      send its traffic to the revision before
  destroy [--data]       remove everything; --data removes the secrets and the dataset too

REPO is OWNER/REPO or an organisation. GitHub's token comes from GITHUB_TOKEN_FILE, GITHUB_TOKEN or gh.
--dry-run prints the commands of a first run, in order, and runs none of them.

Settings come from the environment or from deploy.env (see deploy.env.example); only PROJECT is required.
Every command can be repeated: what is there already is left as it is.
TXT
}

main() {
  local arguments=() argument
  for argument in "$@"; do
    case $argument in
      --dry-run) DRY_RUN=yes ;;
      --yes) YES=yes ;;
      -h | --help) arguments=(help) && break ;;
      *) arguments+=("$argument") ;;
    esac
  done
  set -- "${arguments[@]:-help}"
  COMMAND=$*
  local command=$1
  shift
  case $command in
    help)
      usage
      return
      ;;
    check | secrets | all | setup | ingest | notify_slack | stream_bq | webhook | alerts | status | rollback | destroy) ;;
    *) die "there is no command '$command'; see ./deploy.sh help" ;;
  esac
  read_settings
  needs_tools
  make_scratch
  case $command in
    check | status) ;;
    *) be_alone ;;
  esac
  "command_$command" "$@"
}

command_setup() {
  takes_nothing "$@"
  look
  set_up
  done_with 'Set up. Next: ./deploy.sh secrets, then ./deploy.sh all'
}

command_ingest() {
  takes_nothing "$@"
  look
  set_up
  deploy_ingest
}

command_notify_slack() {
  takes_nothing "$@"
  check_routes
  look
  set_up
  deploy_subscriber notify_slack
}

command_stream_bq() {
  takes_nothing "$@"
  look
  set_up
  deploy_subscriber stream_bq
}

# Subscribers first: ingest must not take what nobody would read.
command_all() {
  takes_nothing "$@"
  check_routes
  look
  set_up
  needs_secrets
  deploy_subscribers notify_slack stream_bq
  deploy_ingest
  done_with 'Everything is up. Next: ./deploy.sh webhook OWNER/REPO, then ./deploy.sh alerts'
}

# Their builds take minutes, so they run side by side.
deploy_subscribers() {
  local name part failed=()
  for name in "$@"; do
    if [[ -n $DRY_RUN ]]; then
      deploy_subscriber "$name"
    else
      {
        LEVEL=$BASH_SUBSHELL # its failures are told there
        deploy_subscriber "$name"
      } &
      PARTS+=("$!:$name")
    fi
  done
  for part in ${PARTS[@]+"${PARTS[@]}"}; do
    wait "${part%%:*}" || failed+=("${part#*:}")
  done
  PARTS=()
  ((${#failed[@]} == 0)) || die "${failed[*]} failed (see above); ingest was left as it was. Mend the cause and repeat: ./deploy.sh all"
}

main "$@"
