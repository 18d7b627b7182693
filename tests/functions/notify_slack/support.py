"""The running function with its Slack, and messages for it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from local.slack.server import SlackServer
from ops.send import accounts, payloads
from tests.support.framework import Function
from tests.support.messages import an_issue, post_cloud_event, post_raw, push

TOKEN = "xoxb-local"
ROUTES = """
[[route]]
name = "everything"
channels = ["C1"]
repositories = ["acme/app", "acme/both"]
[[route]]
name = "both"
channels = ["C2", "C1"]
repositories = ["acme/both"]
[[route]]
name = "without bots"
channels = ["C1"]
repositories = ["acme/bots"]
[[route]]
name = "with bots"
channels = ["C2"]
repositories = ["acme/bots"]
mute_authors = []
"""
# Slack accepts one post a second in a channel: most deliveries have a repository and a channel of their own.
CHANNELS = {f"acme/app-{number}": f"C1{number:02}" for number in range(60)}
ROUTES += "".join(
    f"""[[route]]\nname = "{repository}"\nchannels = ["{channel}"]\nrepositories = ["{repository}"]\n"""
    for repository, channel in CHANNELS.items()
)
MARKER = "the body that no log may have"
MONA = accounts.Account(login="mona")

type Post = Callable[[str, dict[str, Any]], requests.Response]
envelopes = pytest.mark.parametrize("post", [post_raw, post_cloud_event], ids=["push", "CloudEvent"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """The function, its Slack, and the file with its token."""

    function: Function
    slack: SlackServer
    token_file: Path

    def post(self, body: dict[str, Any], how: Post = post_raw) -> int:
        """Push one message; return the status."""
        return how(self.function.url, body).status_code

    def cards(self, delivery_id: str) -> list[str]:
        """Return the channels in which the delivery has a card, in the order of posting."""
        return [
            message.channel
            for message in self.slack.messages
            if message.metadata and delivery_id in message.metadata["event_payload"].get("deliveries", ())
        ]


def attributes(delivery_id: str, event: str = "issues", **more: str) -> dict[str, str]:
    """Return the attributes of a message."""
    return {
        "event": event,
        "delivery_id": delivery_id,
        "received_at": "2026-01-05T12:00:01.000000Z",
        "source": "webhook",
        "schema": "1",
        **more,
    }


def message_of(event: payloads.Event, delivery_id: str, **more: str) -> dict[str, Any]:
    """Return the push body of an event."""
    return push(json.dumps(event.payload).encode(), attributes(delivery_id, event.name, **more))


def number_of(delivery_id: str) -> int:
    """Return the number of the delivery's issue; each delivery has an issue of its own."""
    return 1_000 + accounts.number_for(delivery_id)


def repository_of(delivery_id: str) -> str:
    """Return the repository of the delivery."""
    return list(CHANNELS)[number_of(delivery_id) % len(CHANNELS)]


def channel_of(delivery_id: str) -> str:
    """Return the channel that shows the delivery."""
    return CHANNELS[repository_of(delivery_id)]


def opened(delivery_id: str, repository: str = "", **more: str) -> dict[str, Any]:
    """Return the push body of an issue that was opened."""
    full_name = accounts.Repository(full_name=repository or repository_of(delivery_id))
    issue = an_issue(repository=full_name, body=MARKER, number=number_of(delivery_id))
    return message_of(issue.opened(), delivery_id, **more)


def lines_since(up: Function, before: int) -> list[dict[str, Any]]:
    """Return the log lines that were written since then, each of them JSON."""
    return [json.loads(line) for line in up.output()[before:].splitlines()]
