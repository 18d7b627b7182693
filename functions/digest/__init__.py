"""digest: who waits for an answer of the team, in Slack."""
