# shellcheck shell=bash disable=SC2034 # functions.sh reads what is set here
# notify_slack posts a card for each issue to the Slack channels that routes.toml names.

TRIGGER=push
PACKAGES=(pipeline clients/slack)
FILES=(routes.toml="$ROUTES_FILE")
if [[ -f $TEAM_FILE ]]; then FILES+=(team.toml="$TEAM_FILE"); fi
CHECK=(deploy/check_routes.py "$ROUTES_FILE")
SECRETS=("$SLACK_SECRET")
ENVIRONMENT=(SLACK_TOKEN_FILE=/etc/issuewire/slack-token GITHUB_URL="$GITHUB_URL" THREADS=8)
# One instance, because each channel's rate limit, Slack's pauses, the locks per issue and the counts of a burst are in its
# memory. Its threads mostly wait for Slack; more than one thread needs a whole CPU.
FLAGS=(--cpu=1 --memory=512Mi --concurrency=8 --timeout=60s --max-instances=1
  --set-secrets="/etc/issuewire/slack-token=$SLACK_SECRET:latest")
