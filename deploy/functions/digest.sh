# shellcheck shell=bash disable=SC2034 # functions.sh reads what is set here
# digest posts who waits for an answer, and once a week the numbers, into the channels of [digest] in the team's file.

# Both are found out once in a run. `destroy` removes digest whatever the file says.
if [[ -z ${DIGEST_SCHEDULE+set} ]]; then
  DIGEST_SCHEDULE='' DIGEST_READS=()
  if [[ $COMMAND != destroy* && -f $TEAM_FILE ]] && grep -q '^[^#]*digest' "$TEAM_FILE"; then
    DIGEST_SCHEDULE=$("$(python_for_checks)" -B deploy/team_schedule.py "$TEAM_FILE") || PROBLEMS+=("$TEAM_FILE is wrong (see above)")
  fi
  add_reads DIGEST_READS waiting_on_us issues_weekly issues
fi

NEEDS=DIGEST_SCHEDULE
NEEDS_TEXT="[digest] in $TEAM_FILE"
TRIGGER=schedule
SCHEDULE=${DIGEST_SCHEDULE%|*} ZONE=${DIGEST_SCHEDULE#*|}
RETRIES=5
PACKAGES=(pipeline clients/slack clients/github clients/bigquery.py metrics)
FILES=(routes.toml="$ROUTES_FILE")
if [[ -f $TEAM_FILE ]]; then FILES+=(team.toml="$TEAM_FILE"); fi
CHECK=(deploy/check_routes.py "$ROUTES_FILE")
SECRETS=("$SLACK_SECRET")
ROLES=("${DIGEST_READS[@]/#/roles/bigquery.dataViewer table/}" "roles/bigquery.jobUser project")
ENVIRONMENT=(BIGQUERY_DATASET="$PROJECT.$DATASET" SLACK_TOKEN_FILE=/etc/issuewire/slack-token GITHUB_URL="$GITHUB_URL")
MOUNTS=/etc/issuewire/slack-token=$SLACK_SECRET:latest
# With the token or App of reconcile, an issue is asked for again at GitHub before it is named. Each secret needs a folder of its own.
[[ -z $GITHUB_SOURCES ]] || add_github /etc/issuewire-github
# One run at a time; a second one would only find what the first has posted.
FLAGS=(--cpu=1 --memory=512Mi --concurrency=1 --timeout=900s --max-instances=1 --set-secrets="$MOUNTS")
