"""Messages that break the contract are never acknowledged, under the real functions framework."""

import base64
import gzip
import json
from typing import Any

import pytest
import requests

from tests.functions.notify_slack.support import (
    MARKER,
    Notifier,
    Post,
    attributes,
    envelopes,
    lines_since,
    number_of,
    opened,
)
from tests.support.messages import TOPIC_PATH, push


def with_message(**message: Any) -> dict[str, Any]:
    """Return a push body whose message is correct except for these fields."""
    body = opened("broken")
    return {**body, "message": {**body["message"], **message}}


def with_data(data: bytes, **more: str) -> dict[str, Any]:
    """Return a push body with this data."""
    return push(data, attributes("broken", **more))


def attributes_without(name: str) -> dict[str, str]:
    """Return the attributes without one of them."""
    return {kept: value for kept, value in attributes("broken").items() if kept != name}


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "no attributes": (with_message(attributes={}), "delivery_id_missing"),
    "null attributes": (with_message(attributes=None), "delivery_id_missing"),
    "attributes are a list": (with_message(attributes=["issues"]), "attributes_malformed"),
    "no delivery id": (with_message(attributes=attributes_without("delivery_id")), "delivery_id_missing"),
    "delivery id is a number": (
        with_message(attributes={**attributes_without("delivery_id"), "delivery_id": 7}),
        "delivery_id_missing",
    ),
    "no event": (with_message(attributes=attributes_without("event")), "event_missing"),
    "unknown source": (with_data(b"{}", source="rumour"), "source_unknown"),
    "bad base64": (with_message(data="e30"), "data_malformed"),
    "data outside of base64": (with_message(data=f"{MARKER}é"), "data_malformed"),
    "data is a number": (with_message(data=7), "data_malformed"),
    "data is a list": (with_message(data=[MARKER]), "data_malformed"),
    "gzip that is none": (with_data(MARKER.encode(), content_encoding="gzip"), "gzip_malformed"),
    "gzip cut short": (with_data(gzip.compress(b"{}")[:-5], content_encoding="gzip"), "gzip_malformed"),
    "gzip bomb": (with_data(gzip.compress(b" " * 30_000_000, 1), content_encoding="gzip"), "gzip_malformed"),
    "another encoding": (with_data(b"{}", content_encoding="br"), "encoding_unknown"),
    "empty body": (with_data(b""), "body_not_json"),
    "body is no JSON": (with_data(MARKER.encode()), "body_not_json"),
    "body is no UTF-8": (with_data(b'{"title": "\xff"}'), "body_not_json"),
    "body is deep": (with_data(b'{"issue":' * 100_000), "body_not_json"),
    "body is a deep list": (with_data(b"[" * 100_000 + b"]" * 100_000), "body_not_json"),
    "body has an endless number": (with_data(b'{"n":' + b"9" * 5_000 + b"}"), "body_not_json"),
    "body is a list": (with_data(b"[]"), "body_not_object"),
    "body is a text": (with_data(json.dumps(MARKER).encode()), "body_not_object"),
    "body is null": (with_data(b"null"), "body_not_object"),
    "no issue": (with_data(b'{"action":"opened"}'), "issue_missing"),
    "issue is null": (with_data(b'{"action":"opened","issue":null}'), "issue_missing"),
    "no action": (with_data(b'{"issue":{"number":1}}'), "action_missing"),
    "no repository": (with_data(b'{"action":"opened","issue":{"number":1}}'), "repository_missing"),
    "no number": (
        with_data(b'{"action":"opened","issue":{"id":1},"repository":{"id":1}}'),
        "number_missing",
    ),
}

# What their data say, where those can be read.
ISSUES = {
    **dict.fromkeys(("no attributes", "null attributes", "attributes are a list"), number_of("broken")),
    **dict.fromkeys(("no delivery id", "delivery id is a number", "no event"), number_of("broken")),
    **dict.fromkeys(("no action", "no repository"), 1),
}


@envelopes
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_message_is_a_500_with_one_log_line(notifier: Notifier, post: Post, kind: str) -> None:
    """A malformed message is a 500 with one log line, which names its issue where its data can be read."""
    body, reason = MALFORMED[kind]
    notifier.post(opened("before"))
    before, cards = len(notifier.function.output()), len(notifier.slack.messages)
    assert notifier.post(body, post) == 500
    [line] = lines_since(notifier.function, before)
    assert (line["severity"], line["reason"]) == ("ERROR", reason)
    given = body["message"].get("attributes")
    claimed = given.get("delivery_id") if isinstance(given, dict) else None
    assert line["message_id"] == "1001"
    assert line.get("delivery_id") == (claimed if isinstance(claimed, str) else None)
    assert line.get("issue") == ISSUES.get(kind)
    assert len(notifier.slack.messages) == cards


@pytest.mark.parametrize("message", [None, [], ["x"], "x", 7, {}])
def test_an_event_without_a_message_is_a_500(notifier: Notifier, message: Any) -> None:
    """A CloudEvent without a Pub/Sub message is refused with its reason."""
    before = len(notifier.function.output())
    headers = {"ce-id": "1", "ce-source": "//x", "ce-type": "y", "ce-specversion": "1.0"}
    for body in ({"message": message, "subscription": "s"}, {"subscription": "s"}):
        answer = requests.post(notifier.function.url, json=body, headers=headers, timeout=30)
        assert answer.status_code == 500
    reasons = [line["reason"] for line in lines_since(notifier.function, before)]
    assert reasons == ["delivery_id_missing" if message == {} else "message_missing", "message_missing"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        MARKER.encode(),
        b"[]",
        b'"x"',
        b"null",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"message":{},"subscription":"s"}',
    ],
)
def test_a_push_that_the_framework_cannot_read_is_never_acknowledged(notifier: Notifier, body: bytes) -> None:
    """A push that the framework cannot read is refused before the function runs."""
    headers = {"Content-Type": "application/json"}
    answer = requests.post(notifier.function.url + TOPIC_PATH, data=body, headers=headers, timeout=30)
    assert 400 <= answer.status_code <= 500


def test_the_messages_of_the_tests_have_the_marker() -> None:
    """The text that no log line may contain is in the messages of these tests."""
    assert MARKER.encode() in base64.b64decode(opened("x")["message"]["data"])
