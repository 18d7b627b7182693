# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# Messages go to stderr, results to stdout. Every call of gcloud and bq goes through `mutate`, `mutate_with_stdin`, `query`
# or `query_list`, and every other request through `call_api`.

REPORTED=99 # exit status of a subshell whose error message is already on stderr
DRY_RUN='' YES='' COMMAND='' STEP='start' SCRATCH=''
ACCOUNT='' CHILD='' JOBS=() JOB_LEVEL=0 TOKEN=''
UNFINISHED=''     # what a run that stops here leaves behind, if the same command does not complete it
REPORT_SECONDS=15 # after so long, and again, a call that still runs is reported
# The tests shorten these. All are in seconds.
RETRY_SECONDS=${ISSUEWIRE_DEPLOY_RETRY_SECONDS:-5}              # between two attempts
SECRET_READ_SECONDS=${ISSUEWIRE_DEPLOY_SECRET_READ_SECONDS:-35} # until ingest reads its secret again: it does so every 30
WAIT_SECONDS=${ISSUEWIRE_DEPLOY_WAIT_SECONDS:-60}               # for IAM to see a new account, and for GitHub to deliver a ping
CALL_SECONDS=${ISSUEWIRE_DEPLOY_CALL_SECONDS:-900}              # the limit of one call; a build takes the longest

exec 3>&1 # a dry run prints its commands there, also from inside $(...)

say() { printf '%s\n' "$*" >&2; }

step() {
  STEP=$*
  say "==> $*"
}

# report_done MESSAGE: the final message, which a dry run leaves out because it has changed nothing.
report_done() { [[ -n $DRY_RUN ]] || say "$*"; }

# die MESSAGE: stops the whole run. In $(...), where `exit` ends only the subshell, the parent sees REPORTED and adds no message.
die() {
  say "deploy.sh: $*"
  trap - ERR
  ((BASH_SUBSHELL == 0)) || exit "$REPORTED"
  exit 1
}

no_arguments() { (($# == 0)) || die "'${COMMAND%% *}' takes no argument, but got: $*"; }

# on_error STATUS: a call failed and has printed why. What exists so far stays; the same command continues from there.
on_error() {
  trap - ERR
  ((BASH_SUBSHELL == JOB_LEVEL)) || exit "$1" # the parent shell reports it
  (($1 != REPORTED)) || exit 1
  say "deploy.sh: failed while: $STEP"
  ((JOB_LEVEL == 0)) || exit 1
  say "${UNFINISHED:-Nothing needs to be cleaned up.} Fix the cause and run again: ./deploy.sh $COMMAND"
  exit 1
}

# on_signal STATUS: ends the child processes before this one.
on_signal() {
  trap '' HUP INT TERM # a second Ctrl-C must not interrupt the cleanup
  trap - ERR
  local job
  end_child
  for job in "${JOBS[@]}"; do kill "${job%%:*}" 2>/dev/null || true; done
  wait
  ((BASH_SUBSHELL)) || say "deploy.sh: stopped while: $STEP. ${UNFINISHED:-What has started in the cloud continues.} Run again: ./deploy.sh $COMMAND"
  exit "$1"
}

trap_signals() {
  trap 'on_signal 129' HUP
  trap 'on_signal 130' INT
  trap 'on_signal 143' TERM
}

trap 'on_error $?' ERR
trap_signals

# Two runs at once would each treat the other's unfinished resources as finished. The lock belongs to descriptor 9, so it is
# released when this process and its children have ended, however they end.
take_lock() {
  [[ -z $DRY_RUN ]] || return 0
  mkdir -p .local
  exec 9>.local/deploy.lock
  python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null ||
    die 'another ./deploy.sh is running in this checkout; wait until it ends'
}

require_tools() {
  local tool tools=(python3)
  [[ -n $DRY_RUN ]] || tools+=(gcloud bq curl)
  for tool in "${tools[@]}"; do
    command -v "$tool" >/dev/null || die "$tool is missing; install it (gcloud and bq: the Google Cloud CLI)"
  done
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' || die 'python3 is older than 3.8'
}

# print_command COMMAND...: what a dry run prints instead of running it.
print_command() {
  local line
  printf -v line '%q ' "$@"
  printf '%s\n' "${line% }" >&3
}

# mutate COMMAND...: runs a command that writes. Its output is shown only if it fails.
mutate() { mutate_with_stdin '' "$@"; }

# Errors about a new account or a new role, until every server of IAM has seen it.
IAM_LAG='service ?account .*does not exist|is of type "serviceAccount"'
IAM_LAG+='|missing permission on the build service account|permission denied on secret|iam\.serviceAccounts\.actAs'

# mutate_with_stdin TEXT COMMAND...: does the same with TEXT on stdin, so that a secret is in no argument and in no file.
# Retries while IAM has not seen a new account or role yet.
mutate_with_stdin() {
  local text=$1 stderr_file deadline=$((SECONDS + WAIT_SECONDS))
  shift
  if [[ -n $DRY_RUN ]]; then
    print_command "$@"
    return
  fi
  stderr_file=$SCRATCH/stderr.$BASHPID
  # shellcheck disable=SC2094 # both are appended
  while ! run "$stderr_file" "$text" "$@" >>"$stderr_file"; do
    if ! grep -qiE "$IAM_LAG" "$stderr_file" || ((SECONDS >= deadline)); then
      cat -- "$stderr_file" >&2
      return 1
    fi
    say '    waiting for IAM to see the new account or role'
    sleep "$RETRY_SECONDS"
  done
}

# query DEFAULT COMMAND...: runs a command that only reads, and prints its answer. A dry run prints DEFAULT instead.
query() {
  local default=$1 stderr_file=$SCRATCH/stderr.$BASHPID
  shift
  if [[ -n $DRY_RUN ]]; then
    printf '%s' "$default"
    return
  fi
  if ! run "$stderr_file" '' "$@"; then
    cat -- "$stderr_file" >&2
    return 1
  fi
}

# run STDERR_FILE TEXT COMMAND...: runs a command with TEXT on its stdin and its stderr in STDERR_FILE. It gets its own process
# group (set -m), so that it can be ended as a whole: gcloud is a shell script that starts Python, and Ctrl-C must end both.
run() {
  local stderr_file=$1 text=$2 started=$SECONDS reported=$SECONDS pauses=(0.01 0.02 0.04 0.08) attempt=0 status=0
  shift 2
  : >"$stderr_file"
  trap_signals # $(...) has reset them
  set -m
  "$@" < <(printf '%s' "$text") 2>>"$stderr_file" &
  CHILD=$!
  set +m
  while kill -0 "$CHILD" 2>/dev/null; do
    sleep "${pauses[attempt++]:-0.1}"
    if ((SECONDS - started >= CALL_SECONDS)); then
      end_child
      printf 'no answer within %s s: %s\n' "$CALL_SECONDS" "${*:1:4}" >>"$stderr_file"
      return 124
    elif ((SECONDS - reported >= REPORT_SECONDS)); then
      reported=$SECONDS
      say "    still running after $((SECONDS - started)) s: ${*:1:4}"
    fi
  done
  wait "$CHILD" || status=$?
  CHILD=''
  return "$status"
}

# Sends TERM to the process group, and KILL after five seconds.
end_child() {
  local attempt
  [[ -n $CHILD ]] || return 0
  kill -- "-$CHILD" 2>/dev/null || true
  for ((attempt = 0; attempt < 50; attempt++)); do
    kill -0 -- "-$CHILD" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$CHILD" 2>/dev/null || true
  wait "$CHILD" 2>/dev/null || true
  CHILD=''
}

has_line() { grep -qxF -- "$1" <<<"$2"; }

# row NAME TABLE: prints what follows "NAME|" in the line of that name. The separator is | because `read` merges two tabs.
row() { sed -n "s/^$1|//p" <<<"$2"; }

# Prints the Python that reads our configuration: 3.13 if there is one.
python_for_checks() {
  local python
  for python in .venv/bin/python python3.13 python3; do
    ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null || break
  done
  printf '%s' "$python"
}

# read_json COMMAND...: see read_json.py. A dry run has no answers to read.
read_json() {
  [[ -z $DRY_RUN ]] || return 0
  python3 deploy/read_json.py "$@"
}

# call_api SERVICE METHOD URL BODY FLAG...: prints the body of the answer. No other process can read TOKEN or BODY.
call_api() {
  local service=$1 method=$2 url=$3 text=$4 answer status body=(--data-binary @-)
  shift 4
  if [[ -n $DRY_RUN ]]; then
    [[ $method == GET ]] || print_command curl --request "$method" "$url"
    return
  fi
  [[ $method != GET && $method != DELETE ]] || body=()
  answer=$(printf '%s' "$text" | curl --silent --show-error --max-time 30 --request "$method" --write-out '\n%{http_code}' "$@" \
    "${body[@]}" --header @<(printf 'Authorization: Bearer %s\n' "$TOKEN") "$url") ||
    die "$service cannot be reached at ${url%%\?*}"
  status=${answer##*$'\n'} answer=${answer%$'\n'*}
  case $service-$status in
    *-2??) printf '%s' "$answer" ;;
    GitHub-401) die 'GitHub refuses the token (401): create a new one that may write webhooks' ;;
    GitHub-40[34]) die "GitHub answers $status for $url: the name is wrong, or the token may not write its webhooks" ;;
    *) die "$service answers $status for $method $url: $(read_json message <<<"$answer")" ;;
  esac
}
