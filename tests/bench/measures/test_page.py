"""The measure of the page takes the first event that shows an answer."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bench.measures.page import Received, delays, settled
from local.feed.happening import Happening

SECOND = 1_700_000_000.0


def happening(part: str, kind: str, at: float, **fields: Any) -> Happening:
    """Return what the feed tells of the delivery d-1."""
    return Happening(
        number=1, at=datetime.fromtimestamp(SECOND + at, UTC), part=part, kind=kind, delivery_id="d-1",
        event=None, repository=None, issue=None, text="", level="info", fields=fields,
    )  # fmt: skip


def delivery(at: float, status: int | None, **states: str) -> Received:
    """Return the event of the stream that shows the delivery d-1."""
    functions = {"notify_slack": {"state": "waiting"}, "stream_bq": {"state": "waiting"}}
    functions |= {name: {"state": state} for name, state in states.items()}
    data = {
        "delivery_id": "d-1",
        "status": status,
        "settled": "waiting" not in states.values(),
        "functions": functions,
    }
    return Received(at=SECOND + at, name="delivery", data=data)


def test_each_answer_is_measured_once() -> None:
    """Slack's answer counts from the message's time, a function's and ingest's from when they are told."""
    told = [
        happening("github", "delivered", 0.10, status=202),
        happening("pubsub", "acknowledged", 0.30, function="notify_slack"),
        happening("pubsub", "acknowledged", 0.50, function="stream_bq"),
        happening("pubsub", "retry", 0.20, function="stream_bq"),
    ]
    message = {"channel": "C1", "ts": f"{SECOND + 0.25:.6f}", "html": "<article>"}
    received = [
        delivery(0.15, 202),
        Received(at=SECOND + 0.29, name="message", data=message),
        delivery(0.40, 202, notify_slack="done"),
        delivery(0.70, 202, notify_slack="done", stream_bq="done"),
        Received(at=SECOND + 0.90, name="message", data=message),
        Received(at=SECOND + 0.95, name="message", data={"channel": "C1", "ts": "1", "gone": True}),
    ]
    found = delays(received, told)
    assert found["Slack"] == [pytest.approx(40, abs=1)]
    assert found["ingest"] == [pytest.approx(50, abs=1)]
    assert found["functions"] == [pytest.approx(100, abs=1), pytest.approx(200, abs=1)]


def test_a_delivery_is_shown_once_all_is_done() -> None:
    """The measure waits for deliveries that the page calls settled."""
    begun = delivery(0.1, 202, notify_slack="done", stream_bq="waiting")
    assert settled([begun]) == 0
    assert settled([begun, delivery(0.2, 202, notify_slack="done", stream_bq="done")]) == 1
