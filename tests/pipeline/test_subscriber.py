"""A push becomes an event, and every log line of the request names the delivery."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import logs
from pipeline.delivery import Delivery
from pipeline.errors import Malformed, Rejected
from pipeline.subscriber import CLOUD_EVENT_TYPE, receive, unwrap
from tests.support.messages import NOON, push, push_of

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def fields() -> Iterator[Any]:
    """Yield a function that returns the log fields of the current request."""
    logs.start_request(left="over")
    yield lambda: dict(logs._context.get())
    logs.start_request()


def test_a_push_becomes_an_event_with_its_log_fields(fields: Any) -> None:
    """The event has the delivery's size; the log lines name message, delivery, event and issue."""
    delivery = Delivery(
        delivery_id="d-1",
        event="issues",
        body=b'{"action": "opened", "issue": {"number": 7}}',
        received_at=NOON,
        action="opened",
        repository="acme/app",
        traceparent=f"00-{TRACE}-b7ad6b7169203331-01",
    )
    event = receive(push_of(delivery), "stream-bq")
    assert event is not None
    assert (event.delivery_id, event.payload_bytes) == ("d-1", len(delivery.body))
    assert event.issue is not None
    assert event.issue.number == 7
    assert fields() == {
        "message_id": "1001",
        "delivery_id": "d-1",
        "event": "issues",
        "action": "opened",
        "repository": "acme/app",
        "issue": 7,
        "trace": TRACE,
        "logging.googleapis.com/trace": TRACE,
    }


@pytest.mark.parametrize(
    "only", ["notify-slack", "team-notify-slack", "bq", "stream-bq-2", "nobody", "Stream-BQ"]
)
def test_what_is_meant_for_another_subscription_is_not_read(
    fields: Any, caplog: pytest.LogCaptureFixture, only: str
) -> None:
    """A replay for another subscription is left alone, even one that cannot be read; one line says why."""
    caplog.set_level("INFO")
    for data in (b'{"issue": {"number": 7}}', b"{"):
        assert receive(push(data, {"delivery_id": "d-1", "only": only}), "stream-bq") is None
        record = caplog.records.pop()
        assert (record.levelname, vars(record)["reason"]) == ("INFO", "meant_for_another")
        known = {"message_id": "1001", "delivery_id": "d-1"}
        assert fields() == known | ({"issue": 7} if data != b"{" else {})


@pytest.mark.parametrize("only", ["stream-bq", "team-stream-bq", ""])
def test_what_is_meant_for_this_subscription_is_read(only: str) -> None:
    """A replay for this subscription is read, also if the deployment's names have a prefix."""
    attributes = {"delivery_id": "d-1", "event": "push", "source": "replay", "only": only}
    event = receive(push(b"{}", attributes), "stream-bq")
    assert event is not None
    assert event.source == "replay"


def test_a_malformed_push_is_logged_with_its_ids(fields: Any) -> None:
    """A malformed message is logged with the ids that it contains."""
    with pytest.raises(Malformed):
        receive(push(b"{}", {"delivery_id": "d-1"}, message_id="7"), "stream-bq")
    assert fields() == {"message_id": "7", "delivery_id": "d-1"}


def test_a_body_that_is_not_json_is_bound_before_it_fails(fields: Any) -> None:
    """The error about a body that is not JSON is logged with the delivery and its event."""
    attributes = {"delivery_id": "d-1", "event": "issues", "received_at": "2026-01-05T12:00:00Z"}
    with pytest.raises(Malformed):
        receive(push(b"{", attributes), "stream-bq")
    assert fields().items() >= {"delivery_id": "d-1", "event": "issues"}.items()


@pytest.mark.parametrize("number", ['"7"', "true", "7.0", "null", "1" + "0" * 30, '{"a": 1}', '"7\\n{}"'])
def test_a_number_of_another_type_is_no_issue(fields: Any, number: str) -> None:
    """Only a whole number that BigQuery can store is an issue's number in the log."""
    attributes = {"delivery_id": "d-1", "event": "issues", "received_at": "2026-01-05T12:00:00Z"}
    data = f'{{"issue": {{"number": {number}}}}}'.encode()
    receive(push(data, attributes), "stream-bq")
    assert "issue" not in fields()
    with pytest.raises(Malformed):
        receive(push(data, {}), "stream-bq")
    assert "issue" not in fields()


@pytest.mark.parametrize("attributes", [{}, {"delivery_id": "d-1"}, {"content_encoding": "gzip"}])
def test_the_issue_of_a_message_without_its_attributes_is_logged(
    fields: Any, attributes: dict[str, str]
) -> None:
    """The error about a message that lacks an attribute is logged with its issue and repository."""
    data = b'{"issue": {"number": 7}}'
    packed = gzip.compress(data) if "content_encoding" in attributes else data
    with pytest.raises(Malformed):
        receive(push(packed, attributes | {"repository": "acme/app"}), "stream-bq")
    assert (fields()["issue"], fields()["repository"]) == (7, "acme/app")


def refusal(body: bytes, ce_type: str | None) -> tuple[int, str]:
    """Return status and reason with which a body is refused."""
    with pytest.raises(Rejected) as caught:
        unwrap(body, ce_type)
    return caught.value.status, caught.value.reason


@pytest.mark.parametrize("ce_type", [None, CLOUD_EVENT_TYPE], ids=["raw-push", "cloud-event"])
@given(data=st.binary(max_size=20), attributes=st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_both_envelopes_have_the_same_message(
    ce_type: str | None, data: bytes, attributes: dict[str, str]
) -> None:
    """The message is the same in a raw push and in a CloudEvent, whatever its data and attributes are."""
    body = push(data, attributes)
    assert unwrap(json.dumps(body).encode(), ce_type) == {"message": body["message"]}


def test_a_cloud_event_need_not_name_its_subscription() -> None:
    """Only a raw push always names its subscription."""
    body = push(b"{}", {})
    del body["subscription"]
    text = json.dumps(body).encode()
    assert unwrap(text, CLOUD_EVENT_TYPE) == body
    assert refusal(text, None) == (400, "subscription_missing")


@pytest.mark.parametrize("ce_type", [None, CLOUD_EVENT_TYPE], ids=["raw-push", "cloud-event"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "push_not_json"),
        (b"{", "push_not_json"),
        (b"\xff", "push_not_json"),
        (b"[" * 100_000, "push_not_json"),
        (b"1" * 5000, "push_not_json"),
        (b"null", "message_missing"),
        (b"[]", "message_missing"),
        (b"{}", "message_missing"),
        (b'{"message": null}', "message_missing"),
        (b'{"message": "x", "subscription": "s"}', "message_missing"),
        (b'{"message": {}, "subscription": "s"}', "message_missing"),
        (b'{"message": {"messageId": 7}, "subscription": "s"}', "message_missing"),
    ],
    ids=lambda value: value[:20].decode(errors="replace") if isinstance(value, bytes) else "",
)
def test_a_body_without_a_message_is_refused(ce_type: str | None, body: bytes, reason: str) -> None:
    """A body that is no push of Pub/Sub is refused with 400 and a reason."""
    assert refusal(body, ce_type) == (400, reason)


@pytest.mark.parametrize("ce_type", ["", "google.cloud.storage.object.v1.finalized"])
def test_another_cloud_event_is_refused(ce_type: str) -> None:
    """Only Pub/Sub's type of CloudEvent has a message."""
    assert refusal(json.dumps(push(b"{}", {})).encode(), ce_type) == (400, "event_type_unknown")
