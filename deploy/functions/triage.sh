# shellcheck shell=bash disable=SC2034 # functions.sh reads what is set here
# triage labels, assigns, answers and closes issues by the rules of config/triage.toml. At first it only logs what it would do.

setting TRIAGE_FILE config/triage.toml '.+' 'is not set to a file'
setting TRIAGE_MODE dry-run 'dry-run|act' 'is neither dry-run nor act'

TRIAGE_RULES=''
if [[ -f $TRIAGE_FILE && -r $TRIAGE_FILE ]]; then
  # Every value of the file is in [[rule]], so one line without # is enough.
  ! grep -q '^[[:space:]]*[^#[:space:]]' "$TRIAGE_FILE" || TRIAGE_RULES=yes
elif [[ $TRIAGE_FILE != config/triage.toml && " ${PROBLEMS[*]} " != *TRIAGE_FILE* ]]; then
  PROBLEMS+=('TRIAGE_FILE names no readable file')
fi

NEEDS=TRIAGE_RULES
NEEDS_TEXT="a [[rule]] in $TRIAGE_FILE"
TRIGGER=push
# An event counts for an hour. With longer pauses, much of a burst would be too old before its turn.
PAUSE=60
PACKAGES=(pipeline clients/github clients/bigquery.py)
FILES=(triage.toml="$TRIAGE_FILE")
if [[ -f $TEAM_FILE ]]; then FILES+=(team.toml="$TEAM_FILE"); fi
CHECK=(deploy/check_rules.py "$TRIAGE_FILE")
ROLES=("roles/bigquery.dataEditor table/triage_actions")
ENVIRONMENT=(BIGQUERY_DATASET="$PROJECT.$DATASET" TRIAGE_MODE="$TRIAGE_MODE")
MOUNTS=''
add_github_app /etc/issuewire
[[ $TRIAGE_MODE != act || -n $GITHUB_APP_ID ]] ||
  PROBLEM='TRIAGE_MODE is act, which needs a GitHub App: ./deploy.sh app creates one (or set GITHUB_APP_ID)'
# One instance that handles one event at a time, because GitHub's limits for writes are kept in its memory.
FLAGS=(--cpu=1 --memory=512Mi --concurrency=1 --timeout=60s --max-instances=1)
if [[ -n $MOUNTS ]]; then FLAGS+=(--set-secrets="${MOUNTS#,}"); else FLAGS+=(--clear-secrets); fi
