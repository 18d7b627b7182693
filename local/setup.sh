#!/usr/bin/env bash
# Makes the virtual environments: once, and again whenever a lock file, the interpreter or this folder's path changes.
#   local/setup.sh runtime    .venv            what the functions, the local stack and the operator's commands import
#   local/setup.sh dev        .venv            the same, and the tools of the tests and checks
#   local/setup.sh bigquery   .venv-bigquery   the BigQuery stand-in with its DuckDB extensions
#   local/setup.sh uv         .venv-uv         uv, which installs the other two; pip installs it
# PYTHON=/path/to/python3.13 chooses the interpreter; otherwise the first one that works is taken.
set -Eeuo pipefail
unset CDPATH PYTHONHOME PYTHONPATH # they would make pip look at packages outside the environment
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

python='' unfinished='' child=''

say() { printf '%s\n' "$*"; }

die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

# Prints "3.13.0 /the/interpreter's/home"; fails for anything that does not run, such as a shim without its interpreter.
identity() {
  "$1" -c 'import sys; print(sys.version.split()[0] + sys.abiflags, sys.base_prefix)' 2>/dev/null
}

# Prints the interpreters to try, best first.
candidates() {
  [[ -z ${PYTHON:-} ]] || { say "$PYTHON" && return; }
  say python3.13
  printf '%s\n' "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.13*/bin/python3.13 | sort -rV
  printf '%s\n' python3 python
}

# Prints the first interpreter that is Python 3.13 and can make virtual environments. A pre-release, a free-threaded or a debug
# build does not count: the locked wheels are not made for it.
find_python() {
  local candidate without_venv=''
  while read -r candidate; do
    [[ $(identity "$candidate") =~ ^3\.13\.[0-9]+\+?\  ]] || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      say "$candidate"
      return
    fi
    without_venv=${without_venv:-$candidate}
  done < <(candidates)
  if [[ -n $without_venv ]]; then
    die "$without_venv lacks its venv module; install it (Debian, Ubuntu: apt-get install python3.13-venv)"
  elif [[ -n ${PYTHON:-} ]]; then
    die "PYTHON=$PYTHON is not Python 3.13 ($("$PYTHON" --version 2>/dev/null || say 'it does not start'))"
  fi
  die "Python 3.13 is missing; install it (apt-get install python3.13 python3.13-venv, brew install python@3.13 or pyenv install 3.13), or name one: PYTHON=/path/to/python3.13"
}

# What a finished environment was made from; the scripts in it hold absolute paths, so the folder counts too.
recipe() { printf '%s\n%s\n%s\n' "$1" "$PWD" "$(<"$2")"; }

# is_current VENV LOCK...: the environment was made from one of the locks, by the wanted interpreter, in this folder.
is_current() {
  local venv=$1 made_with lock
  [[ -f $venv/.made-from ]] && made_with=$(identity "$venv/bin/python") || return 1
  [[ -z ${PYTHON:-} || $(identity "$PYTHON") == "$made_with" ]] || return 1
  for lock in "${@:2}"; do
    [[ ! -r $lock || $(<"$venv/.made-from") != "$(recipe "$made_with" "$lock")" ]] || return 0
  done
  return 1
}

# Only one set-up at a time. The lock belongs to descriptor 9 and so ends with this process, however it ends.
take_turn() {
  [[ -z $python ]] || return 0
  python=$(find_python)
  mkdir -p .local
  exec 9>.local/setup.lock
  if ! "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null; then
    say 'Another set-up is running; waiting for it'
    "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  fi
}

# Puts back the environment that was there before, which is old but complete.
undo() {
  trap '' HUP INT TERM # a second Ctrl-C must not stop the cleaning
  [[ -z $child ]] || { kill -- "-$child" && wait "$child"; } 2>/dev/null || true
  [[ -n $unfinished ]] || return 0
  rm -rf -- "$unfinished"
  [[ ! -d .local/$unfinished.previous ]] || mv -- ".local/$unfinished.previous" "$unfinished"
}
trap undo EXIT
trap 'exit 129' HUP
trap 'say "Stopped; the set-up can be run again."; exit "${STATUS_AFTER_CTRL_C:-130}"' INT
trap 'exit 143' TERM

# run FAILURE COMMAND...: runs the command with its output in a log, and shows the log's last line on a terminal. If it fails,
# the log and FAILURE are the error. The command runs in the background, so that a signal is answered at once, and in a process
# group (set -m), so that what it has started is stopped with it.
run() {
  local failure=$1 log=.local/setup.log
  shift
  set -m
  "$@" >"$log" 2>&1 &
  child=$!
  set +m
  while kill -0 "$child" 2>/dev/null; do
    sleep 0.1
    [[ ! -t 1 ]] || printf '\r\033[K%.79s' "  $SECONDS s  $(tail -n 1 "$log")"
  done
  [[ ! -t 1 ]] || printf '\r\033[K'
  if ! wait "$child"; then
    child=''
    cat "$log" >&2
    die "$failure (the reason is above); if it is the network, run the same command again later"
  fi
  child=''
}

install_uv() {
  run "$python could not make $unfinished" "$python" -m venv "$unfinished"
  mkdir "$unfinished/tmp"
  TMPDIR=$PWD/$unfinished/tmp run "pip could not install $1" "$unfinished/bin/python" -m pip install --require-hashes \
    --no-user --no-input --disable-pip-version-check --progress-bar off -r "$1"
  rm -rf -- "$unfinished/tmp"
}

install_packages() {
  run "uv could not make $unfinished" .venv-uv/bin/uv venv --no-config --no-project --python .venv-uv/bin/python "$unfinished"
  run "uv could not install $1" local/uv.sh pip install --require-hashes --python "$unfinished/bin/python" -r "$1" --compile-bytecode
}

# DuckDB looks for its extensions under HOME and would otherwise ask the web for them at every start.
install_bigquery() {
  install_packages "$1"
  mkdir "$unfinished/home"
  HOME=$PWD/$unfinished/home run "DuckDB's extensions could not be unpacked" "$unfinished/bin/python" -c '
import duckdb, sysconfig
quote = chr(39)
packages = sysconfig.get_path("purelib").replace(quote, 2 * quote)
for name in ("icu", "ducklake", "spatial"):
    file = f"duckdb_extension_{name}/extensions/v{duckdb.__version__}/{name}.duckdb_extension"
    duckdb.sql(f"INSTALL {quote}{packages}/{file}{quote}")
'
}

# bring_up_to_date INSTALL VENV LOCK [LARGER]: has the function INSTALL fill an environment from LOCK, unless it is current
# or was made from LARGER, which includes LOCK.
bring_up_to_date() {
  local install=$1 venv=$2 lock=$3 began
  ! is_current "${@:2}" || return 0
  [[ -r $lock ]] || die "$lock is missing; make lock writes it"
  take_turn
  ! is_current "${@:2}" || return 0
  [[ $venv == .venv-uv ]] || bring_up_to_date install_uv .venv-uv local/uv/requirements.txt
  say "Installing $lock into $venv"
  began=$SECONDS
  if [[ -f $venv/.made-from ]]; then
    rm -rf -- ".local/$venv.previous"
    mv -- "$venv" ".local/$venv.previous"
  fi
  unfinished=$venv
  rm -rf -- "$venv"
  "$install" "$lock"
  recipe "$(identity "$venv/bin/python")" "$lock" >"$venv/.made-from"
  unfinished=''
  rm -rf -- ".local/$venv.previous"
  say "$venv is ready ($((SECONDS - began)) s)"
}

(($#)) || die 'usage: local/setup.sh runtime|dev|bigquery|uv ...'
for name in "$@"; do
  case $name in
    runtime) bring_up_to_date install_packages .venv requirements.txt requirements-dev.txt ;;
    dev) bring_up_to_date install_packages .venv requirements-dev.txt ;;
    bigquery) bring_up_to_date install_bigquery .venv-bigquery local/bigquery/requirements.txt ;;
    uv) bring_up_to_date install_uv .venv-uv local/uv/requirements.txt ;;
    *) die "no environment is called $name; there are runtime, dev, bigquery and uv" ;;
  esac
done
