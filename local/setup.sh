#!/usr/bin/env bash
# Makes the laptop's virtual environments: once, and again whenever a lock file, the interpreter or this folder's place changes.
#   local/setup.sh main       .venv            the functions' packages, the tests, the tools
#   local/setup.sh bigquery   .venv-bigquery   the BigQuery stand-in with its DuckDB extensions
# PYTHON=/path/to/python3.13 chooses the interpreter; otherwise the first one that works is taken.
set -Eeuo pipefail
unset CDPATH PYTHONHOME PYTHONPATH # they would make pip look at packages outside the environment
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

venv='' half_made='' child=''

say() { printf '%s\n' "$*"; }

die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

# Prints "3.13.0 /the/interpreter's/home"; fails for anything that does not run, such as a shim without its interpreter.
identity() {
  "$1" -c 'import sys; print(sys.version.split()[0] + sys.abiflags, sys.base_prefix)' 2>/dev/null
}

# A pre-release, a free-threaded or a debug build does not count: the locked wheels are not made for it.
is_python313() { [[ $1 =~ ^3\.13\.[0-9]+\+?\  ]]; }

candidates() {
  if [[ -n ${PYTHON:-} ]]; then
    say "$PYTHON"
    return
  fi
  say python3.13
  printf '%s\n' "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.13*/bin/python3.13 | sort -rV
  say python3
  say python
}

# Prints the first interpreter that is Python 3.13 and can make virtual environments.
find_python() {
  local candidate found without_venv=''
  while read -r candidate; do
    found=$(identity "$candidate") || continue
    is_python313 "$found" || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      say "$candidate"
      return
    fi
    without_venv=${without_venv:-$candidate}
  done < <(candidates)
  if [[ -n $without_venv ]]; then
    die "$without_venv lacks its venv module; install it (Debian, Ubuntu: apt-get install python3.13-venv)"
  elif [[ -n ${PYTHON:-} ]]; then
    die "PYTHON=$PYTHON is no Python 3.13 ($("$PYTHON" --version 2>/dev/null || say 'it does not start'))"
  fi
  die "Python 3.13 is missing; install it (apt-get install python3.13 python3.13-venv, brew install python@3.13 or pyenv install 3.13), or name one: PYTHON=/path/to/python3.13"
}

# What a finished environment must have been made from; scripts inside hold absolute paths, so the place counts too.
recipe() { printf '%s\n%s\n%s\n' "$1" "$PWD" "$(<"$2")"; }

is_current() {
  local made_with
  [[ -f $venv/.made-from ]] && made_with=$(identity "$venv/bin/python") || return 1
  [[ -z ${PYTHON:-} || $(identity "$PYTHON") == "$made_with" ]] || return 1
  [[ $(<"$venv/.made-from") == "$(recipe "$made_with" "$1")" ]]
}

# Only one set-up at a time per environment. The lock belongs to descriptor 9 and so ends with this process, however it ends.
take_turn() {
  mkdir -p .local
  exec 9>".local/$venv.lock"
  if ! "$1" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null; then
    say "Another set-up is making $venv; waiting for it"
    "$1" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  fi
}

# Puts back what was there before, which is old but whole.
undo() {
  trap '' HUP INT TERM # a second Ctrl-C must not stop the cleaning
  [[ -z $child ]] || { kill "$child" && wait "$child"; } 2>/dev/null || true
  [[ -n $half_made ]] || return 0
  rm -rf -- "$venv"
  [[ ! -d .local/$venv.previous ]] || mv -- ".local/$venv.previous" "$venv"
}
trap undo EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# run_visibly TOTAL COMMAND...: runs it with its words in the log, and shows how far the environment is: one moving line on
# a terminal, else a line every ten seconds. In the background, so that a signal is answered at once.
run_visibly() {
  local total=$1 log=.local/$venv.log line shown=$SECONDS pause=0.05 status=0
  shift
  "$@" >"$log" 2>"$log.errors" &
  child=$!
  while kill -0 "$child" 2>/dev/null; do
    sleep "$pause"
    pause=0.5
    line="  $(grep -cE '^(Collecting|Processing) ' "$log" || true) of $total fetched,"
    line+=" $(count_installed) installed, $SECONDS s"
    if [[ -t 1 ]]; then
      printf '\r\033[K%s' "$line"
    elif ((SECONDS - shown >= 10)); then
      shown=$SECONDS
      say "$line"
    fi
  done
  [[ ! -t 1 ]] || printf '\r\033[K'
  wait "$child" || status=$?
  child=''
  ((status == 0)) || cat "$log.errors" >&2
  return "$status"
}

count_installed() {
  find "$venv" -path '*/site-packages/*.dist-info' -prune ! -name 'pip-*' 2>/dev/null | wc -l | tr -d ' ' || true
}

install_packages() {
  local lock=$1 total=$2
  run_visibly "$total" "$python" -m venv "$venv" || die "$python could not make $venv (its words are above)"
  mkdir "$venv/tmp"
  TMPDIR=$PWD/$venv/tmp run_visibly "$total" "$venv/bin/python" -m pip install --require-hashes --no-user --no-input \
    --disable-pip-version-check --progress-bar off -r "$lock" ||
    die "pip could not install $lock (its words are above); if it is the network, run the same command again later"
  rm -rf -- "$venv/tmp"
}

# DuckDB looks for its extensions under HOME and would else ask the web for them at every start.
import_duckdb_extensions() {
  mkdir "$venv/home"
  say "Unpacking DuckDB's extensions into $venv/home"
  HOME=$PWD/$venv/home "$venv/bin/python" -c '
from duckdb_extensions import import_extension
for name in ("icu", "ducklake", "spatial"):
    import_extension(name)
' >/dev/null || die "DuckDB's extensions could not be unpacked (the reason is above)"
}

# bring_up_to_date VENV LOCK SECONDS [STEP]: SECONDS is what a newcomer is told, STEP a last command.
bring_up_to_date() {
  local lock=$2 seconds=$3 step=${4:-} python total
  venv=$1
  [[ -r $lock ]] || die "$lock is missing; make lock writes it"
  ! is_current "$lock" || return 0
  python=$(find_python)
  take_turn "$python"
  ! is_current "$lock" || return 0
  total=$(grep '==' "$lock" | grep -vc 'win32')
  say "Installing $total pinned packages into $venv (about $seconds s, once)"
  SECONDS=0
  if [[ -f $venv/.made-from ]]; then
    rm -rf -- ".local/$venv.previous"
    mv -- "$venv" ".local/$venv.previous"
  fi
  half_made=yes
  rm -rf -- "$venv"
  install_packages "$lock" "$total"
  ${step:+"$step"}
  recipe "$(identity "$venv/bin/python")" "$lock" >"$venv/.made-from"
  half_made=''
  rm -rf -- ".local/$venv.previous"
  say "$venv is ready ($SECONDS s)"
}

(($#)) || die "usage: local/setup.sh main|bigquery ..."
for name in "$@"; do
  case $name in
    main) bring_up_to_date .venv requirements-dev.txt 30 ;;
    bigquery) bring_up_to_date .venv-bigquery local/bigquery/requirements.txt 45 import_duckdb_extensions ;;
    *) die "no environment is called $name; there are main and bigquery" ;;
  esac
done
