"""Slack's own clients for the local Slack, without their retries."""

import http.client
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from local.slack.server import SlackServer

TOKEN: Final = "xoxb-local"
CHANNEL, OTHER, SECRET = "C0123456789", "C0OTHER0001", "C0SECRET001"
OLD, FOREIGN, QUIET, HIDDEN = "C0ARCHIVED1", "C0FOREIGN01", "C0QUIET0001", "C0HIDDEN001"
CHANNELS: Final = {id_: id_.lower() for id_ in (CHANNEL, OTHER, OLD, FOREIGN, QUIET, SECRET, HIDDEN)}
MISSING: Final = "1234567890.123456"
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*new* issue"}}]
METADATA = {"event_type": "issuewire_card", "event_payload": {"issue": "1296269#41", "schema": 1}}


def client(slack: SlackServer, token: str | None = TOKEN, timeout: int = 20) -> WebClient:
    """Return the client of the Web API."""
    return WebClient(token, base_url=slack.url, timeout=timeout, retry_handlers=[])


def webhook(url: str) -> WebhookClient:
    """Return the client of an incoming webhook."""
    return WebhookClient(url, timeout=20, retry_handlers=[])


def post(web: WebClient, text: str, **arguments: Any) -> str:
    """Post to the channel and return the ts."""
    return web.chat_postMessage(channel=CHANNEL, text=text, **arguments)["ts"]


def texts(answer: Any) -> list[str]:
    """Return the texts of a page of messages."""
    return [message["text"] for message in answer["messages"]]


def error_of(call: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the answer of a call that must be refused."""
    with pytest.raises(SlackApiError) as refusal:
        call(*args, **kwargs)
    return refusal.value.response


def raw(
    slack: SlackServer, verb: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    """Send one request unchanged; a header's underscores become dashes."""
    connection = http.client.HTTPConnection(urlsplit(slack.console_url).netloc, timeout=20)
    try:
        connection.request(
            verb, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
