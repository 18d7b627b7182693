"""Publishes many messages in batches, each confirmed before the next is sent."""

from typing import Any

from google.api_core.exceptions import NotFound, PermissionDenied
from google.api_core.retry import Retry
from google.pubsub_v1 import PublisherClient, PublishRequest

from clients.pubsub.publisher import FAILURES, TRANSIENT, connect, name_of
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable

BATCH_MESSAGES = 500  # Pub/Sub takes 1,000 and 10 MB: https://cloud.google.com/pubsub/quotas#resource_limits
BATCH_BYTES = 4_000_000
CALL_SECONDS = 20.0
RETRY_SECONDS = 60.0


class BatchPublisher:
    """Publishes deliveries to one topic. Every method raises Unavailable with a sentence for the operator."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._batch = self._empty()
        self._bytes = 0
        self._client = connect()

    def close(self) -> None:
        """Close the connection."""
        self._client.transport.close()  # type: ignore[no-untyped-call]

    def check(self) -> None:
        """Raise Unavailable unless the topic exists.

        An account that may only publish cannot check; the topic is then taken to exist.
        """
        try:
            self._client.get_topic(topic=self._topic, retry=None, timeout=CALL_SECONDS)
        except PermissionDenied:
            return
        except FAILURES as error:
            raise _unavailable(self._topic, error) from error

    def add(self, delivery: Delivery) -> None:
        """Take one delivery, and publish the batch before it if that is full."""
        data, attributes = delivery.to_message()
        if len(self._batch.messages) == BATCH_MESSAGES or self._bytes + len(data) > BATCH_BYTES:
            self.flush()
        self._batch.messages.add(data=data, attributes=attributes)
        self._bytes += len(data)

    def flush(self) -> None:
        """Publish what was added. When this returns, Pub/Sub has confirmed all of it."""
        if not self._batch.messages:
            return
        publish_batch(self._client, self._batch)
        self._batch, self._bytes = self._empty(), 0

    def _empty(self) -> Any:
        """Return a request without messages, as plain protobuf: filling it is several times faster."""
        return PublishRequest.pb(PublishRequest(topic=self._topic))


def publish_batch(client: PublisherClient, request: Any) -> None:
    """Publish a request in plain protobuf. When this returns, Pub/Sub has confirmed all of its messages.

    Raises Unavailable with a sentence for the operator.
    """
    retry = Retry(predicate=TRANSIENT, initial=0.2, maximum=5.0, timeout=RETRY_SECONDS)
    try:
        client.publish(PublishRequest.wrap(request), retry=retry, timeout=CALL_SECONDS)
    except FAILURES as error:
        raise _unavailable(request.topic, error) from error


def _unavailable(topic: str, error: Exception) -> Unavailable:
    if isinstance(error, NotFound):
        return Unavailable("topic_missing", f"{topic} does not exist; deploy it, or correct PUBSUB_TOPIC.")
    return Unavailable("publish_failed", f"{topic} did not confirm: {name_of(error)}.")
