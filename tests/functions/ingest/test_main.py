"""What ingest answers: every row of its table, in order, over real HTTP with the real clients."""

import json
import random
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

import pytest
import requests
from google.pubsub_v1.types import PubsubMessage

from local.processes import free_port
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from tests.functions.ingest.world import SECRET, TIMEOUT, World, headers, issue_body, sign
from tests.support.messages import push

Start = Callable[..., AbstractContextManager[World]]
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FORM = "application/x-www-form-urlencoded"


def message_of(world: World, delivery_id: str) -> PubsubMessage:
    """Return the one message of a delivery."""
    found = [m for m in world.inbox.until(delivery_id) if m.attributes["delivery_id"] == delivery_id]
    assert len(found) == 1
    return found[0]


def refused(answer: requests.Response, status: int, reason: str) -> None:
    """Assert a refusal of this status and reason, as JSON."""
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert set(answer.json()) == {"error", "message"}
    assert answer.headers["Content-Type"] == "application/json"


def test_the_rows_in_order(world: World) -> None:
    """Of all that is wrong with a request, the answer names what comes first in the contract's table."""
    body = b"not JSON"
    wrong = {"Content-Type": "text/plain", "X-Hub-Signature-256": "sha256=0"}

    answer = requests.get(world.url, data=body, headers=wrong, timeout=TIMEOUT)
    refused(answer, 405, "method")
    assert answer.headers["Allow"] == "POST"

    too_large = {**wrong, "Content-Length": str(25 * 1024 * 1024 + 1)}
    head = "".join(f"{name}: {value}\r\n" for name, value in too_large.items())
    assert world.raw(f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode()).startswith(b"HTTP/1.1 413 ")

    refused(world.post(body, wrong), 415, "content_type")
    wrong["Content-Type"] = "application/json"
    refused(world.post(body, wrong), 401, "signature")
    wrong["X-Hub-Signature-256"] = sign(body)
    answer = world.post(body, wrong)
    refused(answer, 400, "header_missing")
    assert "X-GitHub-Event" in answer.json()["message"]
    wrong["X-GitHub-Event"] = "ping"
    answer = world.post(body, wrong)
    refused(answer, 400, "header_missing")
    assert "X-GitHub-Delivery" in answer.json()["message"]
    wrong["X-GitHub-Delivery"] = "order-1"
    refused(world.post(body, wrong), 400, "body_not_json")

    body = b"{}"
    wrong["X-Hub-Signature-256"] = sign(body)
    answer = world.post(body, wrong)
    assert (answer.status_code, answer.text) == (200, "pong")
    assert world.published_since() == []


def test_published(either: World) -> None:
    """An accepted delivery is on the topic: the signed bytes, and exactly the contract's attributes."""
    body = issue_body()
    sent = headers(body, traceparent=TRACEPARENT)
    before = datetime.now(UTC)
    answer = either.post(body, sent)
    message = message_of(either, sent["X-GitHub-Delivery"])
    assert answer.status_code == 202
    assert answer.json() == {"delivery_id": sent["X-GitHub-Delivery"], "message_id": message.message_id}
    assert message.data == body
    attributes = dict(message.attributes)
    received_at = attributes.pop("received_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", received_at)
    assert abs(datetime.fromisoformat(received_at) - before) < timedelta(minutes=1)
    assert attributes == {
        "event": "issues",
        "action": "opened",
        "delivery_id": sent["X-GitHub-Delivery"],
        "repository": "acme/app",
        "source": "webhook",
        "schema": "1",
        "traceparent": TRACEPARENT,
    }


def test_absent_attributes(either: World) -> None:
    """What a delivery does not say is absent from its attributes, not empty."""
    body = b'{"action": ["odd"], "repository": null}'
    sent = headers(body, X_GitHub_Event="push", traceparent="no trace")
    assert either.post(body, sent).status_code == 202
    message = message_of(either, sent["X-GitHub-Delivery"])
    assert message.data == body
    assert set(message.attributes) == {"event", "delivery_id", "received_at", "source", "schema"}


def test_a_form(either: World) -> None:
    """A form is signed as sent, and published as the exact bytes of its field `payload`."""
    text = '{"action": "opened", "title": "ü + 100 % & 😀"}'.encode()
    body = b"payload=" + quote_plus(text).encode()
    assert b"+" in body
    assert b"%2B" in body
    sent = headers(body, Content_Type=FORM)
    assert either.post(body, sent).status_code == 202
    assert message_of(either, sent["X-GitHub-Delivery"]).data == text


def test_nine_million_bytes(either: World) -> None:
    """Up to 9,000,000 bytes travel as they are; GitHub's largest, 25 MiB, arrives packed and unharmed."""
    for size, encoding in ((9_000_000, None), (9_000_001, "gzip"), (25 * 1024 * 1024, "gzip")):
        body = b'{"pad": "%s"}' % (b"x" * (size - 11))
        assert len(body) == size
        sent = headers(body)
        answer = either.post(body, sent)
        assert answer.status_code == 202, answer.text
        message = message_of(either, sent["X-GitHub-Delivery"])
        assert message.attributes.get("content_encoding") == encoding
        assert Delivery.from_push(push(message.data, dict(message.attributes))).body == body


def test_over_the_cap_even_packed(world: World) -> None:
    """A signed body that does not pack below Pub/Sub's 10,000,000 bytes is refused with 413."""
    noise = random.Random(1).randbytes(11_000_000).hex()
    body = json.dumps({"pad": noise}).encode()
    refused(world.post(body), 413, "message_too_large")
    assert world.published_since() == []


def test_a_ping(world: World) -> None:
    """A ping is answered with pong and not published; an unsigned one is refused."""
    event = payloads.ping(accounts.Repository(full_name="acme/app"), accounts.Account(login="octavia"))
    body = json.dumps(event.payload).encode()
    answer = world.post(body, headers(body, X_GitHub_Event="ping"))
    assert (answer.status_code, answer.text) == (200, "pong")
    refused(
        world.post(body, headers(body, X_GitHub_Event="ping", X_Hub_Signature_256=None)), 401, "signature"
    )
    assert world.published_since() == []


def test_every_verified_event(world: World) -> None:
    """Without EVENTS every event is published, known or not."""
    for event in ("push", "issue_comment", "an_event_of_tomorrow"):
        sent = headers(b"{}", X_GitHub_Event=event)
        assert world.post(b"{}", sent).status_code == 202
        assert message_of(world, sent["X-GitHub-Delivery"]).attributes["event"] == event


def test_events_that_are_wanted(start: Start) -> None:
    """With EVENTS the others are answered 202, with no message id, and not published; a ping stays one."""
    with start(EVENTS=" issues, issue_comment,") as world:
        sent = headers(b"{}", X_GitHub_Event="push")
        answer = world.post(b"{}", sent)
        assert answer.status_code == 202
        assert answer.json() == {"delivery_id": sent["X-GitHub-Delivery"], "message_id": None}
        assert world.post(b"{}", headers(b"{}", X_GitHub_Event="ping")).text == "pong"
        assert world.post(b"{}", headers(b"{}", X_GitHub_Event="issue_comment")).status_code == 202
        assert [message.attributes["event"] for message in world.published_since()] == ["issue_comment"]


def test_redelivery(world: World) -> None:
    """A redelivery is published again under the same id: those who read can tell."""
    body = issue_body()
    sent = headers(body)
    first, second = world.post(body, sent), world.post(body, sent)
    assert first.json()["delivery_id"] == second.json()["delivery_id"]
    assert first.json()["message_id"] != second.json()["message_id"]
    assert [message.data for message in world.published_since()] == [body, body]


@pytest.mark.parametrize("path", ["x", "projects/p/topics/t", "x//y?a=%ff", "%ff%00", "a" * 10_000, "../.."])
def test_any_path(world: World, path: str) -> None:
    """A webhook may be set to any path."""
    body = issue_body()
    assert (
        requests.post(world.url + path, data=body, headers=headers(body), timeout=TIMEOUT).status_code == 202
    )


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;;a="]
)
def test_parameters_of_the_media_type(world: World, media_type: str) -> None:
    """Parameters and letter case of the content type change nothing."""
    body = issue_body()
    assert world.post(body, headers(body, Content_Type=media_type)).status_code == 202


def test_wrong_settings(start: Start) -> None:
    """All wrong settings are named in one message at start, none is quoted, and no delivery is accepted."""
    wrong = {
        "PUBSUB_TOPIC": "topic-hunter2",
        "WEBHOOK_SECRET": "secret-hunter2",
        "EVENTS": "Hunter2!",
        "SECRET_MANAGER_ENDPOINT": "endpoint-hunter2",
    }
    with start(**wrong) as world:
        (line,) = world.function.log_lines()
        assert line["severity"] == "CRITICAL"
        assert all(name in line["message"] for name in wrong)
        body = issue_body()
        answer = world.post(body)
        refused(answer, 503, "configuration")
        refused(world.post(body, headers(body, X_Hub_Signature_256=None)), 401, "signature")
        refused(requests.get(world.url, timeout=TIMEOUT), 405, "method")
        for text in (world.function.output(), answer.text):
            assert "hunter2" not in text.lower()
            assert "Traceback" not in answer.text


def test_missing_settings(start: Start) -> None:
    """Blank settings are missing ones."""
    with start(PUBSUB_TOPIC=" ", WEBHOOK_SECRET="") as world:
        (line,) = world.function.log_lines()
        assert "PUBSUB_TOPIC is not set" in line["message"]
        assert "WEBHOOK_SECRET is not set" in line["message"]
        refused(world.post(b"{}"), 503, "configuration")


@pytest.mark.parametrize("missing", ["PUBSUB_EMULATOR_HOST", "SECRET_MANAGER_ENDPOINT"])
def test_no_credentials(start: Start, missing: str) -> None:
    """A function that finds no credentials answers 503 and does not tell where it looked."""
    with start(GOOGLE_APPLICATION_CREDENTIALS="/nowhere/key.json", **{missing: ""}) as world:
        answer = world.post(b"{}")
        refused(answer, 503, "credentials_missing")
        assert "/nowhere" not in answer.text


def test_a_topic_that_is_missing(start: Start) -> None:
    """A topic that does not exist is answered 503, so that GitHub's delivery can be sent again."""
    with start(PUBSUB_TOPIC="projects/test/topics/no-such-topic") as world:
        refused(world.post(b"{}"), 503, "publish_failed")


def test_a_secret_manager_that_is_not_there(start: Start) -> None:
    """A Secret Manager that cannot be reached is answered 503 within GitHub's patience."""
    with start(SECRET_MANAGER_ENDPOINT=f"127.0.0.1:{free_port()}") as world:
        refused(world.post(b"{}"), 503, "secret_unreachable")
        assert SECRET.decode() not in world.function.output()
