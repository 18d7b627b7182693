"""The requests of the bench are what GitHub and Pub/Sub send."""

import json

import pytest

from bench import deliveries
from functions.ingest import signature
from pipeline.delivery import GZIP_ABOVE_BYTES, MAX_BODY_BYTES, Delivery

NOW = deliveries.time_now()


def test_a_webhook_is_signed() -> None:
    """The body is of GitHub's usual size, and its signature is valid."""
    head, _, body = deliveries.webhook(deliveries.opened(NOW)).partition(b"\r\n\r\n")
    header = next(line for line in head.decode().split("\r\n") if line.startswith("X-Hub-Signature-256"))
    assert signature.verify(body, header.partition(": ")[2], [deliveries.SECRET])
    assert 8_000 < len(body) < 12_000


def test_a_push_is_a_message_of_ours() -> None:
    """A subscriber can read the push, and each one has another delivery id."""
    request = deliveries.push(deliveries.opened(NOW), "opened", NOW)
    pushes = [json.loads(deliveries.with_id(request).partition(b"\r\n\r\n")[2]) for _ in range(2)]
    ids = {Delivery.from_push(push).delivery_id for push in pushes}
    assert len(ids) == 2


def test_each_edit_is_newer() -> None:
    """Each edit of the issue is later than the one before, so that each one updates the card."""
    times = [json.loads(body)["issue"]["updated_at"] for body in deliveries.edited(NOW, 3)]
    assert times == sorted(set(times))


@pytest.mark.slow
def test_the_large_body_is_packed_and_taken() -> None:
    """The body of 25 MB is under GitHub's cap and is packed before it is published."""
    body = deliveries.large(NOW)
    assert GZIP_ABOVE_BYTES < 20_000_000 < len(body) <= MAX_BODY_BYTES
    data, _ = Delivery(delivery_id="d", event="issues", body=body, received_at=NOW).to_message()
    assert 1_000_000 < len(data) < GZIP_ABOVE_BYTES
