"""make serve ARGS="--seed year": a year of three repositories in the warehouse and in Slack."""
