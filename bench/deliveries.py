"""The requests that are sent: a signed delivery, and the push of Pub/Sub that carries it."""

import base64
import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import wire
from functions.ingest.signature import sign
from ops.send import accounts, payloads
from pipeline.delivery import Delivery

SECRET_NAME = "projects/bench-project/secrets/webhook"
SECRET = b"bench"
PLACEHOLDER = b"@@@@@@@@@@@@"  # twelve digits replace it, different ones in each request
DELIVERY_ID = "00000000-0000-4000-8000-" + PLACEHOLDER.decode()
PADDING = 6_000  # makes a body of GitHub's usual 10 KB
LARGE_BYTES = 25_000_000
AGE = timedelta(minutes=30)  # of the issue


def webhook(body: bytes) -> bytes:
    """Return GitHub's request with a body of `issues`, signed."""
    headers = {
        "X_GitHub_Event": "issues",
        "X_GitHub_Delivery": DELIVERY_ID,
        "X_Hub_Signature_256": sign(body, SECRET),
    }
    return wire.post(body, **headers)


def push(body: bytes, action: str, now: datetime) -> bytes:
    """Return Pub/Sub's request with the message that ingest publishes for a body of `issues`."""
    delivery = Delivery(
        delivery_id=DELIVERY_ID,
        event="issues",
        body=body,
        received_at=now,
        action=action,
        repository="acme/app",
    )
    data, attributes = delivery.to_message()
    message = {
        "data": base64.b64encode(data).decode(),
        "attributes": attributes,
        "messageId": "1000000000000000",
        "message_id": "1000000000000000",
        "publishTime": now.isoformat().replace("+00:00", "Z"),
        "publish_time": now.isoformat().replace("+00:00", "Z"),
    }
    subscription = "projects/bench-project/subscriptions/bench"
    return wire.post(json.dumps({"message": message, "subscription": subscription}).encode())


def opened(now: datetime) -> bytes:
    """Return the body of `issues.opened`, 10 KB."""
    return _padded(_issue(now).opened().payload)


def edited(now: datetime, count: int) -> list[bytes]:
    """Return bodies of `issues.edited` on that issue, each a second later than the one before."""
    issue, by = _issue(now), accounts.Account(login="mona")
    return [
        _padded(
            issue.edited(by, issue.created_at + timedelta(seconds=number), f"Export fails: {number}").payload
        )
        for number in range(1, count + 1)
    ]


def large(now: datetime) -> bytes:
    """Return a body of `issues.opened` of 25 MB whose text packs as prose does, about to a fifth."""
    payload: dict[str, Any] = json.loads(opened(now))
    generator = random.Random(1)
    words = [f"word{generator.randrange(10**4)}" for _ in range(256)]
    text = " ".join(generator.choices(words, k=20_000))
    payload["issue"]["body"] = text * (LARGE_BYTES // len(text))
    return json.dumps(payload).encode()


def with_id(template: bytes) -> bytes:
    """Return a request with a delivery id of its own."""
    return template.replace(PLACEHOLDER, f"{uuid.uuid4().int % 10**12:012d}".encode())


def time_now() -> datetime:
    """Return the time in whole seconds, as GitHub writes it."""
    return datetime.now(UTC).replace(microsecond=0)


def _issue(now: datetime) -> payloads.Issue:
    return payloads.Issue(
        repository=accounts.Repository(full_name="acme/app"),
        number=7,
        title="Export fails when the table is empty",
        author=accounts.Account(login="octavia"),
        created_at=now - AGE,
        labels=["bug"],
    )


def _padded(payload: dict[str, Any]) -> bytes:
    payload["issue"]["body"] = "x" * PADDING
    return json.dumps(payload).encode()
