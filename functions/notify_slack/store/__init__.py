"""Cards and burst messages in Slack: find, post, update."""
