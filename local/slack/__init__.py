"""The stand-in for Slack, and the page that shows what it was sent."""
