"""A push becomes an event, and every log line of the request names the delivery."""

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline import logs
from pipeline.delivery import Delivery
from pipeline.errors import Malformed
from pipeline.subscriber import receive
from tests.support.messages import NOON, push, push_of

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def fields() -> Iterator[Any]:
    """Yield a function that returns the log fields of the current request."""
    logs.start_request(left="over")
    yield lambda: dict(logs._context.get())
    logs.start_request()


def test_a_push_becomes_an_event_with_its_log_fields(fields: Any) -> None:
    """The event has the delivery's size; the log lines name message, delivery, event and repository."""
    delivery = Delivery(
        delivery_id="d-1",
        event="issues",
        body=b'{"action": "opened", "issue": {"number": 7}}',
        received_at=NOON,
        action="opened",
        repository="acme/app",
        traceparent=f"00-{TRACE}-b7ad6b7169203331-01",
    )
    event = receive(push_of(delivery))
    assert (event.delivery_id, event.payload_bytes) == ("d-1", len(delivery.body))
    assert event.issue is not None
    assert event.issue.number == 7
    assert fields() == {
        "message_id": "1001",
        "delivery_id": "d-1",
        "event": "issues",
        "action": "opened",
        "repository": "acme/app",
        "trace": TRACE,
        "logging.googleapis.com/trace": TRACE,
    }


def test_a_malformed_push_is_logged_with_its_ids(fields: Any) -> None:
    """A malformed message is logged with the ids that it contains."""
    with pytest.raises(Malformed):
        receive(push(b"{}", {"delivery_id": "d-1"}, message_id="7"))
    assert fields() == {"message_id": "7", "delivery_id": "d-1"}


def test_a_body_that_is_not_json_is_bound_before_it_fails(fields: Any) -> None:
    """The error about a body that is not JSON is logged with the delivery and its event."""
    attributes = {"delivery_id": "d-1", "event": "issues", "received_at": "2026-01-05T12:00:00Z"}
    with pytest.raises(Malformed):
        receive(push(b"{", attributes))
    assert fields().items() >= {"delivery_id": "d-1", "event": "issues"}.items()
