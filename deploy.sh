#!/usr/bin/env bash
# Deploys Issuewire to Google Cloud: ./deploy.sh help
set -Eeuo pipefail
unset CDPATH
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
  echo "deploy.sh: bash 4.4 or newer is needed, and this is $BASH_VERSION (macOS: brew install bash)" >&2
  exit 1
fi
shopt -s inherit_errexit # $(...) stops at its first failure, too
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

source deploy/common.sh
source deploy/settings.sh
source deploy/tables.sh
source deploy/ownership.sh
source deploy/resources.sh
source deploy/access.sh
source deploy/staging.sh
source deploy/functions.sh
source deploy/schedule.sh
source deploy/payloads.sh
source deploy/secrets.sh
source deploy/app.sh
source deploy/webhook.sh
source deploy/alerts.sh
source deploy/outside.sh
source deploy/status.sh
source deploy/destroy.sh

usage() {
  cat <<TXT
Usage: ./deploy.sh [--dry-run] [--yes] [--adopt NAME,...] COMMAND

  check                  preflight checks: tools, account, project, billing
  secrets                create the webhook secret and ask for the others, where they are missing
  secrets webhook        store the webhook secret from stdin
  secrets slack          store Slack's token (or an incoming webhook's URL) from stdin
  secrets github-app-key store the private key of a GitHub App from stdin
  secrets NAME           store another secret of a function from stdin
  secrets show           print the webhook secret
  secrets rotate REPO... replace the webhook secret: store a new one, update GitHub, disable the old one; name every REPO
                         whose webhook points here. --finish completes a rotation
  all                    setup and all functions, subscribers before ingest
  setup                  APIs, accounts, topics, subscriptions, secrets without a value, tables and views
$(printf '  %-22s setup and this function\n' "${FUNCTIONS[@]}")
  app [ORG]              create a GitHub App, for an organisation or for yourself, and store its key; --replace: another one
  webhook REPO           create or update GitHub's webhook, and wait until its ping arrives
  alerts                 create or update the alert policies
  status [REPO...]       list every resource, the webhooks, Slack's token and channels; 0 only if there is no problem
  rollback FUNCTION      send the function's traffic to its previous revision
  destroy [--data]       remove everything; --data also removes the secrets and the dataset

REPO is OWNER/REPO or an organisation. GitHub's token comes from GITHUB_TOKEN_FILE, GITHUB_TOKEN or gh.
--dry-run prints the commands of a first run, in order, and runs none of them.
--adopt takes over resources that carry our names without our label; a command that meets one stops and names it.

Settings come from the environment or from deploy.env (see deploy.env.example); only PROJECT is required.
Every command can be repeated: it leaves what is already correct as it is.
TXT
}

main() {
  local arguments=() names=()
  while (($#)); do
    case $1 in
      --dry-run) DRY_RUN=yes ;;
      --yes) YES=yes ;;
      --adopt)
        [[ -n ${2:-} && $2 != -* ]] || die '--adopt takes the names of what is adopted, separated by commas'
        IFS=, read -ra names <<<"$2"
        ADOPT+=("${names[@]}")
        shift
        ;;
      -h | --help) arguments=(help) && break ;;
      *) arguments+=("$1") ;;
    esac
    shift
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
    check | secrets | app | all | setup | webhook | alerts | status | rollback | destroy) ;;
    *)
      is_function "$command" || die "there is no command '$command'; see ./deploy.sh help"
      set -- "$command" "$@"
      command=function
      ;;
  esac
  read_settings
  check_adopted_names
  require_tools
  SCRATCH=$(mktemp -d) # readable by the caller only
  trap 'rm -rf -- "$SCRATCH"' EXIT
  [[ $command == check || $command == status ]] || take_lock
  "command_$command" "$@"
}

command_setup() {
  no_arguments "$@"
  preflight
  set_up
  report_done 'Setup is complete. Next: ./deploy.sh secrets, then ./deploy.sh all'
}

command_function() {
  no_arguments "${@:2}"
  require_used "$1"
  check_configuration "$1"
  preflight
  require_deployable "$1"
  set_up function
  deploy_function "$1"
}

# Subscribers before ingest: a message must not be published before its readers exist.
command_all() {
  no_arguments "$@"
  local name
  for name in "${FUNCTIONS[@]}"; do check_configuration "$name"; done
  preflight
  for name in "${FUNCTIONS[@]}"; do require_deployable "$name"; done
  set_up function
  for name in "${ALL_SECRETS[@]}"; do require_version "$name" >/dev/null; done
  deploy_subscribers
  for name in "${PUBLIC_FUNCTIONS[@]}" "${SCHEDULED[@]}"; do deploy_function "$name"; done
  report_done 'Everything is deployed. Next: ./deploy.sh webhook OWNER/REPO, then ./deploy.sh alerts'
}

main "$@"
