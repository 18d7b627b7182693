"""ingest answers as the contract's table says, over real HTTP with the real clients."""

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
from tests.functions.ingest.rig import SECRET, IngestRig, headers, issue_body, sign
from tests.support.messages import push
from tests.support.pubsub import TIMEOUT

Start = Callable[..., AbstractContextManager[IngestRig]]
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FORM = "application/x-www-form-urlencoded"


def message_of(rig: IngestRig, delivery_id: str) -> PubsubMessage:
    """Return the one message of a delivery."""
    found = [m for m in rig.inbox.until(delivery_id) if m.attributes["delivery_id"] == delivery_id]
    assert len(found) == 1
    return found[0]


def refused(answer: requests.Response, status: int, reason: str) -> None:
    """Assert a refusal of this status and reason, as JSON."""
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert set(answer.json()) == {"error", "message"}
    assert answer.headers["Content-Type"] == "application/json"


def test_the_first_problem_is_answered(rig: IngestRig) -> None:
    """If several things are wrong with a request, the answer is about the first one in the table."""
    body = b"not JSON"
    wrong = {"Content-Type": "text/plain", "X-Hub-Signature-256": "sha256=0"}

    answer = requests.get(rig.url, data=body, headers=wrong, timeout=TIMEOUT)
    refused(answer, 405, "method")
    assert answer.headers["Allow"] == "POST"

    too_large = {**wrong, "Content-Length": str(25 * 1024 * 1024 + 1)}
    head = "".join(f"{name}: {value}\r\n" for name, value in too_large.items())
    assert rig.raw(f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode()).startswith(b"HTTP/1.1 413 ")

    refused(rig.post(body, wrong), 415, "content_type")
    wrong["Content-Type"] = "application/json"
    refused(rig.post(body, wrong), 401, "signature")
    wrong["X-Hub-Signature-256"] = sign(body)
    answer = rig.post(body, wrong)
    refused(answer, 400, "header_missing")
    assert "X-GitHub-Event" in answer.json()["message"]
    wrong["X-GitHub-Event"] = "ping"
    answer = rig.post(body, wrong)
    refused(answer, 400, "header_missing")
    assert "X-GitHub-Delivery" in answer.json()["message"]
    wrong["X-GitHub-Delivery"] = "order-1"
    refused(rig.post(body, wrong), 400, "body_not_json")

    body = b"{}"
    wrong["X-Hub-Signature-256"] = sign(body)
    answer = rig.post(body, wrong)
    assert (answer.status_code, answer.text) == (200, "pong")
    assert rig.published_since() == []


def test_an_accepted_delivery_is_published(either: IngestRig) -> None:
    """An accepted delivery is on the topic with the signed bytes and exactly the contract's attributes."""
    body = issue_body()
    sent = headers(body, traceparent=TRACEPARENT, X_GitHub_Hook_ID="292430182")
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
        "hook_id": "292430182",
    }


def test_absent_attributes(either: IngestRig) -> None:
    """An attribute that a delivery has no value for is absent, not empty."""
    body = b'{"action": ["odd"], "repository": null}'
    sent = headers(body, X_GitHub_Event="push", traceparent="no trace")
    assert either.post(body, sent).status_code == 202
    message = message_of(either, sent["X-GitHub-Delivery"])
    assert message.data == body
    assert set(message.attributes) == {"event", "delivery_id", "received_at", "source", "schema"}


def test_a_form_is_published_as_its_payload(either: IngestRig) -> None:
    """The signature covers the form as sent; the exact bytes of its field `payload` are published."""
    text = '{"action": "opened", "title": "ü + 100 % & 😀"}'.encode()
    body = b"payload=" + quote_plus(text).encode()
    assert b"+" in body
    assert b"%2B" in body
    sent = headers(body, Content_Type=FORM)
    assert either.post(body, sent).status_code == 202
    assert message_of(either, sent["X-GitHub-Delivery"]).data == text


def test_a_large_payload_is_packed(either: IngestRig) -> None:
    """9,000,000 bytes are published unchanged; GitHub's largest, 25 MiB, is packed and arrives intact."""
    for size, encoding in ((9_000_000, None), (9_000_001, "gzip"), (25 * 1024 * 1024, "gzip")):
        body = b'{"pad": "%s"}' % (b"x" * (size - 11))
        assert len(body) == size
        sent = headers(body)
        answer = either.post(body, sent)
        assert answer.status_code == 202, answer.text
        message = message_of(either, sent["X-GitHub-Delivery"])
        assert message.attributes.get("content_encoding") == encoding
        assert Delivery.from_push(push(message.data, dict(message.attributes))).body == body


def test_a_payload_over_the_cap_even_packed_is_refused(rig: IngestRig) -> None:
    """A signed body that is over Pub/Sub's 10,000,000 bytes even packed gets 413."""
    noise = random.Random(1).randbytes(11_000_000).hex()
    body = json.dumps({"pad": noise}).encode()
    refused(rig.post(body), 413, "message_too_large")
    assert rig.published_since() == []


def test_a_ping_is_answered(rig: IngestRig) -> None:
    """A ping is answered with pong and not published. An unsigned one is refused."""
    event = payloads.ping(accounts.Repository(full_name="acme/app"), accounts.Account(login="octavia"))
    body = json.dumps(event.payload).encode()
    answer = rig.post(body, headers(body, X_GitHub_Event="ping"))
    assert (answer.status_code, answer.text) == (200, "pong")
    refused(rig.post(body, headers(body, X_GitHub_Event="ping", X_Hub_Signature_256=None)), 401, "signature")
    assert rig.published_since() == []


def test_every_verified_event_is_published(rig: IngestRig) -> None:
    """Without EVENTS every event is published, known or not."""
    for event in ("push", "issue_comment", "an_event_of_tomorrow"):
        sent = headers(b"{}", X_GitHub_Event=event)
        assert rig.post(b"{}", sent).status_code == 202
        assert message_of(rig, sent["X-GitHub-Delivery"]).attributes["event"] == event


def test_only_the_events_of_the_setting_are_published(start: Start) -> None:
    """With EVENTS, other events get 202 without a message id and are not published; a ping is answered."""
    with start(EVENTS=" issues, issue_comment,") as rig:
        sent = headers(b"{}", X_GitHub_Event="push")
        answer = rig.post(b"{}", sent)
        assert answer.status_code == 202
        assert answer.json() == {"delivery_id": sent["X-GitHub-Delivery"], "message_id": None}
        assert rig.post(b"{}", headers(b"{}", X_GitHub_Event="ping")).text == "pong"
        assert rig.post(b"{}", headers(b"{}", X_GitHub_Event="issue_comment")).status_code == 202
        assert [message.attributes["event"] for message in rig.published_since()] == ["issue_comment"]


def test_a_redelivery_is_published_again(rig: IngestRig) -> None:
    """A redelivery is published again under the same id, by which subscribers recognise it."""
    body = issue_body()
    sent = headers(body)
    first, second = rig.post(body, sent), rig.post(body, sent)
    assert first.json()["delivery_id"] == second.json()["delivery_id"]
    assert first.json()["message_id"] != second.json()["message_id"]
    assert [message.data for message in rig.published_since()] == [body, body]


@pytest.mark.parametrize("path", ["x", "projects/p/topics/t", "x//y?a=%ff", "%ff%00", "a" * 10_000, "../.."])
def test_any_path_is_accepted(rig: IngestRig, path: str) -> None:
    """A webhook may be set to any path."""
    body = issue_body()
    assert requests.post(rig.url + path, data=body, headers=headers(body), timeout=TIMEOUT).status_code == 202


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;;a="]
)
def test_parameters_of_the_media_type_are_ignored(rig: IngestRig, media_type: str) -> None:
    """Parameters and letter case of the content type change nothing."""
    body = issue_body()
    assert rig.post(body, headers(body, Content_Type=media_type)).status_code == 202


def test_wrong_settings_accept_nothing(start: Start) -> None:
    """One message at startup names every wrong setting and quotes no value; no delivery is accepted."""
    wrong = {
        "PUBSUB_TOPIC": "topic-hunter2",
        "WEBHOOK_SECRET": "secret-hunter2",
        "EVENTS": "Hunter2!",
        "SECRET_MANAGER_ENDPOINT": "endpoint-hunter2",
    }
    with start(**wrong) as rig:
        (line,) = rig.function.log_lines()
        assert line["severity"] == "CRITICAL"
        assert all(name in line["message"] for name in wrong)
        body = issue_body()
        answer = rig.post(body)
        refused(answer, 503, "configuration")
        refused(rig.post(body, headers(body, X_Hub_Signature_256=None)), 401, "signature")
        refused(requests.get(rig.url, timeout=TIMEOUT), 405, "method")
        for text in (rig.function.output(), answer.text):
            assert "hunter2" not in text.lower()
            assert "Traceback" not in answer.text


def test_missing_settings_accept_nothing(start: Start) -> None:
    """A blank setting counts as missing."""
    with start(PUBSUB_TOPIC=" ", WEBHOOK_SECRET="") as rig:
        (line,) = rig.function.log_lines()
        assert "PUBSUB_TOPIC is not set" in line["message"]
        assert "WEBHOOK_SECRET is not set" in line["message"]
        refused(rig.post(b"{}"), 503, "configuration")


@pytest.mark.parametrize("missing", ["PUBSUB_EMULATOR_HOST", "SECRET_MANAGER_ENDPOINT"])
def test_no_credentials(start: Start, missing: str) -> None:
    """A function without credentials answers 503 and does not show where it looked for them."""
    with start(GOOGLE_APPLICATION_CREDENTIALS="/nowhere/key.json", **{missing: ""}) as rig:
        answer = rig.post(b"{}")
        refused(answer, 503, "credentials_missing")
        assert "/nowhere" not in answer.text


def test_a_missing_topic_is_answered_503(start: Start) -> None:
    """If the topic does not exist, the answer is 503, so that the delivery can be sent again."""
    with start(PUBSUB_TOPIC="projects/test/topics/no-such-topic") as rig:
        refused(rig.post(b"{}"), 503, "publish_failed")


def test_an_unreachable_secret_manager_is_answered_503(start: Start) -> None:
    """If Secret Manager cannot be reached, the answer is 503 before GitHub gives up."""
    with start(SECRET_MANAGER_ENDPOINT=f"127.0.0.1:{free_port()}") as rig:
        refused(rig.post(b"{}"), 503, "secret_unreachable")
        assert SECRET.decode() not in rig.function.output()
