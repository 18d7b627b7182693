"""notify_slack of the working folder's checkout, with Slack's SDK replaced by a channel in memory.

What is left is everything but the SDK: reading the event, the routes, the card, and the log. Each request is
taken for twenty events, so that the framework and what else runs on the machine count little.
It does not imitate errors, ranges of time, threads or more than one card.
"""

import time
from dataclasses import dataclass
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent
from slack_sdk import WebClient

from functions.notify_slack import main

EVENTS = 20  # of one request

channel: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client's methods return."""

    data: dict[str, Any]


def api_call(_self: WebClient, api_method: str, **arguments: Any) -> Answer:
    """Answer a call as Slack would. Raises NotImplementedError for other methods."""
    if api_method == "conversations.history":
        return Answer({"ok": True, "messages": [dict(channel)] if channel else []})
    if api_method == "chat.postMessage":
        channel.update(arguments["json"], ts=f"{time.time():.6f}")
    elif api_method == "chat.update":
        channel.update(arguments["json"])
    else:
        raise NotImplementedError(api_method)
    return Answer({"ok": True, "ts": channel["ts"], "message": dict(channel)})


@functions_framework.cloud_event
def notify_slack(push: CloudEvent) -> None:
    """Handle the event again and again, each time under another delivery id."""
    attributes = push.data["message"]["attributes"]
    delivery_id = attributes["delivery_id"]
    for number in range(EVENTS):
        attributes["delivery_id"] = f"{delivery_id}-{number}"
        main.notify_slack(push)


WebClient.api_call = api_call  # type: ignore[method-assign,assignment]
