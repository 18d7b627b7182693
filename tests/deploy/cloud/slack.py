"""Slack's API as far as a deployment calls it: who a token is, and whether the app may read a channel."""

from typing import Any

from tests.deploy.cloud.messages import Request
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State

__all__ = ["slack"]

slack = Routes("slack.com", is_google=False)


@slack.on("GET", "/api/auth.test")
def auth_test(state: State, request: Request) -> Any:
    """Say who the token is."""
    if request.headers.get("authorization") != f"Bearer {state.slack_token}":
        return {"ok": False, "error": "invalid_auth"}
    return {"ok": True, "team": "Local", "user": "issuewire"}


@slack.on("GET", "/api/conversations.history")
def history(state: State, request: Request) -> Any:
    """List the messages of a channel that the app is in: none."""
    if request.headers.get("authorization") != f"Bearer {state.slack_token}":
        return {"ok": False, "error": "invalid_auth"}
    if request.query.get("channel") not in state.slack_channels:
        return {"ok": False, "error": "not_in_channel"}
    return {"ok": True, "messages": [], "has_more": False}
