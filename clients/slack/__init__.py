"""Slack: the Web API, incoming webhooks, and text that is safe to show there."""
