"""A strict stand-in for GitHub's REST API on loopback: issue histories and webhooks."""
