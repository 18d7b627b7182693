"""One message from the topic in, Slack cards out."""
