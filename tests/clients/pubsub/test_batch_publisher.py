"""Many messages are published in batches within Pub/Sub's limits, each confirmed before the next."""

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import PermissionDenied
from google.pubsub_v1 import PublisherClient

from clients.pubsub import batch_publisher
from clients.pubsub.batch_publisher import BatchPublisher
from local.pubsub.server import PubSubServer
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable
from tests.support.messages import NOON
from tests.support.pubsub import Inbox, PubSub


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """Return a topic to which the official client publishes."""
    server = PubSubServer()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.start())
    inbox = PubSub(host=server.host).new_topic()
    yield inbox
    inbox.channel.close()
    server.stop()


def deliveries(count: int, body: bytes = b"{}") -> list[Delivery]:
    """Return deliveries with the ids d-0, d-1, ..."""
    return [
        Delivery(delivery_id=f"d-{number}", event="issues", body=body, received_at=NOON)
        for number in range(count)
    ]


@pytest.mark.parametrize(("limit", "value"), [("BATCH_MESSAGES", 2), ("BATCH_BYTES", 200)])
def test_a_full_batch_is_published(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    """A delivery that does not fit publishes the batch before it; flush publishes the rest, in order."""
    monkeypatch.setattr(batch_publisher, limit, value)
    sizes = []
    publish = PublisherClient.publish

    def count(self: PublisherClient, request, **options):
        sizes.append(len(request.messages))
        return publish(self, request, **options)

    monkeypatch.setattr(PublisherClient, "publish", count)
    publisher = BatchPublisher(inbox.topic)
    for delivery in deliveries(5, b'"%s"' % (b"x" * 90)):
        publisher.add(delivery)
    publisher.flush()
    publisher.flush()
    publisher.close()
    assert sizes == [2, 2, 1]
    found = [message.attributes["delivery_id"] for message in inbox.until("d-4")]
    assert found == ["d-0", "d-1", "d-2", "d-3", "d-4"]


def test_a_missing_topic_is_found_before_anything_is_published(inbox: Inbox) -> None:
    """The check passes for a topic that exists; for a missing one the error says what to correct."""
    BatchPublisher(inbox.topic).check()
    with pytest.raises(Unavailable, match="does not exist; deploy it, or correct PUBSUB_TOPIC") as caught:
        BatchPublisher(f"{inbox.topic}-missing").check()
    assert caught.value.reason == "topic_missing"


def test_a_publish_only_account_passes_the_check(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that may only publish is not refused for what it cannot check."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionDenied("pubsub.topics.get")

    monkeypatch.setattr(PublisherClient, "get_topic", refuse)
    BatchPublisher(inbox.topic).check()


def test_an_unconfirmed_batch_is_an_error(inbox: Inbox) -> None:
    """A batch that Pub/Sub does not confirm is Unavailable, and is published by the next flush."""
    publisher = BatchPublisher(f"{inbox.topic}-missing")
    publisher.add(deliveries(1)[0])
    for _ in range(2):
        with pytest.raises(Unavailable):
            publisher.flush()
