# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# Words on stderr, results on stdout; every call of gcloud and bq goes through `change`, `feed` or `ask`.

DIED=99
DRY_RUN='' YES='' COMMAND='' STEP='start' SCRATCH=''
CHILD='' PARTS=() LEVEL=0
: "${PAUSE:=5}"          # seconds between two tries
: "${SETTLE:=35}"        # seconds until ingest looks for a new version of its secret again: once in 30
: "${PATIENCE:=60}"      # seconds for which IAM may need to hear of a new account, and GitHub to deliver a ping
: "${CALL_SECONDS:=900}" # the longest that one call may take: a build is the longest

exec 3>&1 # what a dry run prints goes there, also from inside $(...)

say() { printf '%s\n' "$*" >&2; }

step() {
  STEP=$*
  say "==> $*"
}

# done_with WORDS: what is true now; a dry run has made nothing true.
done_with() { [[ -n $DRY_RUN ]] || say "$*"; }

# die WORDS: stops also out of $(...), where `exit` ends the inner shell alone: the one above sees DIED and adds no word.
die() {
  say "deploy.sh: $*"
  trap - ERR
  ((BASH_SUBSHELL == 0)) || exit "$DIED"
  exit 1
}

takes_nothing() { (($# == 0)) || die "'${COMMAND%% *}' takes no argument, but got: $*"; }

# A failed call has said why. What is made so far stays; the same command goes on from there.
failed() {
  trap - ERR
  ((BASH_SUBSHELL == LEVEL)) || exit "$1" # the shell above says it
  (($1 != DIED)) || exit 1                # all is said
  say "deploy.sh: failed while: $STEP"
  ((LEVEL == 0)) || exit 1
  say "Nothing needs to be cleaned up. Mend the cause and repeat: ./deploy.sh $COMMAND"
  exit 1
}

# stopped STATUS: a signal ends what we have started before it ends us.
stopped() {
  trap '' HUP INT TERM # a second Ctrl-C must not stop the tidying
  trap - ERR
  local part
  end_child
  for part in ${PARTS[@]+"${PARTS[@]}"}; do kill "${part%%:*}" 2>/dev/null || true; done
  wait
  ((BASH_SUBSHELL)) || say "deploy.sh: stopped while: $STEP. What had begun in the cloud goes on there. Repeat: ./deploy.sh $COMMAND"
  exit "$1"
}

catch_signals() {
  trap 'stopped 129' HUP
  trap 'stopped 130' INT
  trap 'stopped 143' TERM
}

trap 'failed $?' ERR
catch_signals

make_scratch() {
  SCRATCH=$(mktemp -d) # only we may look into it
  trap 'rm -rf -- "$SCRATCH"' EXIT
}

# Two runs at once would take each other's half-made things for finished ones. The lock belongs to descriptor 9 and so ends
# with this process and all that it has started, however they end.
be_alone() {
  [[ -z $DRY_RUN ]] || return 0
  mkdir -p .local
  exec 9>.local/deploy.lock
  python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null ||
    die 'another ./deploy.sh is at work in this checkout; wait for its end'
}

needs_tools() {
  local tool tools=(python3)
  [[ -n $DRY_RUN ]] || tools+=(gcloud bq curl)
  for tool in "${tools[@]}"; do
    command -v "$tool" >/dev/null || die "$tool is missing; install it (gcloud and bq: the Google Cloud CLI)"
  done
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' || die 'python3 is older than 3.8'
}

# show COMMAND...: what a dry run prints of a command.
show() {
  local line
  printf -v line '%q ' "$@"
  printf '%s\n' "${line% }" >&3
}

# change COMMAND...: something that writes. Its words are shown only when it fails, its progress when it takes long.
change() { feed '' "$@"; }

# What is said of an account, and of a role of it, that not every server has heard of yet.
NOT_HEARD_OF='service ?account .*does not exist|is of type "serviceAccount"'
NOT_HEARD_OF+='|missing permission on the build service account|permission denied on secret|iam\.serviceAccounts\.actAs'

# feed TEXT COMMAND...: likewise, with TEXT on its stdin: there a secret is in no argument and in no file.
# IAM hears of a new account and of its roles only after a while; until then it says that there is none.
feed() {
  local text=$1 words until=$((SECONDS + PATIENCE))
  shift
  if [[ -n $DRY_RUN ]]; then
    show "$@"
    return
  fi
  words=$SCRATCH/words.$BASHPID
  # shellcheck disable=SC2094 # both are appended
  while ! run "$words" "$text" "$@" >>"$words"; do
    if ! grep -qiE "$NOT_HEARD_OF" "$words" || ((SECONDS >= until)); then
      cat -- "$words" >&2
      return 1
    fi
    say '    waiting for IAM to learn of the new account or role'
    sleep "$PAUSE"
  done
}

# ask DEFAULT COMMAND...: something that only reads; prints its answer. A dry run makes no call and goes on with DEFAULT.
ask() {
  local default=$1 words=$SCRATCH/words.$BASHPID
  shift
  if [[ -n $DRY_RUN ]]; then
    printf '%s' "$default"
    return
  fi
  if ! run "$words" '' "$@"; then
    cat -- "$words" >&2
    return 1
  fi
}

# run WORDS TEXT COMMAND...: runs it with TEXT on its stdin; what it says on stderr goes into the file WORDS. It gets a process
# group of its own (set -m), which can be ended as a whole: gcloud is a shell with Python below it, and Ctrl-C must not leave
# that at work.
run() {
  local words=$1 text=$2 began=$SECONDS told=$SECONDS pauses=(0.01 0.02 0.04 0.08) turn=0 status=0
  shift 2
  : >"$words"
  catch_signals # $(...) has forgotten them
  set -m
  "$@" < <(printf '%s' "$text") 2>>"$words" &
  CHILD=$!
  set +m
  while kill -0 "$CHILD" 2>/dev/null; do
    sleep "${pauses[turn++]:-0.2}"
    if ((SECONDS - began >= CALL_SECONDS)); then
      end_child
      printf 'no answer within %s s: %s\n' "$CALL_SECONDS" "${*:1:4}" >>"$words"
      return 124
    elif ((SECONDS - told >= 15)); then
      told=$SECONDS
      say "    still at it after $((SECONDS - began)) s: ${*:1:4}"
    fi
  done
  wait "$CHILD" || status=$?
  CHILD=''
  return "$status"
}

# Politely, then for good.
end_child() {
  local turn
  [[ -n $CHILD ]] || return 0
  kill -- "-$CHILD" 2>/dev/null || true
  for ((turn = 0; turn < 50; turn++)); do
    kill -0 -- "-$CHILD" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$CHILD" 2>/dev/null || true
  wait "$CHILD" 2>/dev/null || true
  CHILD=''
}

has_line() { grep -qxF -- "$1" <<<"$2"; }

# row NAME TABLE: what follows "NAME|" in the line of that name, nothing without one. The separator is | because `read` takes
# two tabs for one.
row() { sed -n "s/^$1|//p" <<<"$2"; }

# read_json COMMAND...: see there; a dry run has no answers to read.
read_json() {
  [[ -z $DRY_RUN ]] || return 0
  python3 deploy/read_json.py "$@"
}
