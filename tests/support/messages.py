"""Messages as the two envelopes carry them: the raw push body, and the binary CloudEvent of Eventarc."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests

from ops.send import accounts, payloads
from pipeline.delivery import Delivery

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
TOPIC_PATH = "/projects/local-dev/topics/github-events"


def an_issue(**changes: Any) -> payloads.Issue:
    """Return an issue; the changes replace its defaults."""
    defaults: dict[str, Any] = {
        "repository": accounts.Repository(full_name="acme/app"),
        "number": 7,
        "title": "Export fails",
        "author": accounts.Account(login="octavia"),
        "created_at": NOON,
    }
    return payloads.Issue(**{**defaults, **changes})


def push(data: bytes, attributes: Mapping[str, str], message_id: str = "1001") -> dict[str, Any]:
    """Return the wrapped body that a push subscription posts."""
    return {
        "message": {
            "data": base64.b64encode(data).decode(),
            "attributes": dict(attributes),
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": "2026-01-05T12:00:01.5Z",
            "publish_time": "2026-01-05T12:00:01.5Z",
        },
        "subscription": "projects/local-dev/subscriptions/test",
    }


def push_of(delivery: Delivery) -> dict[str, Any]:
    """Return the push body of a delivery."""
    return push(*delivery.to_message())


def post_raw(url: str, body: dict[str, Any]) -> requests.Response:
    """Post as a push subscription does."""
    return requests.post(url + TOPIC_PATH, json=body, timeout=30)


def post_cloud_event(url: str, body: dict[str, Any]) -> requests.Response:
    """Post as Eventarc does."""
    headers = {
        "ce-id": "1001",
        "ce-source": "//pubsub.googleapis.com/projects/local-dev/topics/github-events",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-specversion": "1.0",
        "ce-time": "2026-01-05T12:00:01.500Z",
    }
    return requests.post(url + "/", json=body, headers=headers, timeout=30)
