"""The topic, for many messages: batches, one at a time, each confirmed before the next."""

from typing import Any

from google.api_core.exceptions import (
    Aborted,
    Cancelled,
    DeadlineExceeded,
    GoogleAPICallError,
    InternalServerError,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
    Unknown,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, PublishRequest

from pipeline.delivery import Delivery
from pipeline.errors import Unavailable

BATCH_MESSAGES = 500  # Pub/Sub takes 1,000 and 10 MB: https://cloud.google.com/pubsub/quotas#resource_limits
BATCH_BYTES = 4_000_000
CALL_SECONDS = 20.0
RETRY_SECONDS = 60.0

_TRANSIENT = if_exception_type(
    Aborted, Cancelled, DeadlineExceeded, InternalServerError, ResourceExhausted, ServiceUnavailable, Unknown
)


class Topic:
    """Publishes through the official client, which honours PUBSUB_EMULATOR_HOST.

    Every method raises Unavailable with a sentence for people.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._batch = self._empty()
        self._bytes = 0
        try:
            self._client = PublisherClient()
        except GoogleAuthError as error:
            raise Unavailable(
                "credentials_missing",
                "no credentials for Pub/Sub; run gcloud auth application-default login",
            ) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.transport.close()  # type: ignore[no-untyped-call]

    def check(self) -> None:
        """Raise Unavailable unless the topic is there; who may only publish is not told, and passes."""
        try:
            self._client.get_topic(topic=self._name, retry=None, timeout=CALL_SECONDS)
        except PermissionDenied:
            return
        except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
            raise self._unavailable(error) from error

    def add(self, delivery: Delivery) -> None:
        """Take one delivery; it is published with the batch that it fills, or by `flush`."""
        data, attributes = delivery.to_message()
        if len(self._batch.messages) == BATCH_MESSAGES or self._bytes + len(data) > BATCH_BYTES:
            self.flush()
        self._batch.messages.add(data=data, attributes=attributes)
        self._bytes += len(data)

    def flush(self) -> None:
        """Publish what was taken; once this returns, Pub/Sub has confirmed all of it."""
        if not self._batch.messages:
            return
        retry = Retry(predicate=_TRANSIENT, initial=0.2, maximum=5.0, timeout=RETRY_SECONDS)
        try:
            self._client.publish(PublishRequest.wrap(self._batch), retry=retry, timeout=CALL_SECONDS)
        except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
            raise self._unavailable(error) from error
        self._batch, self._bytes = self._empty(), 0

    def _empty(self) -> Any:
        """Return a request without messages, as the plain protobuf that is several times faster to fill."""
        return PublishRequest.pb(PublishRequest(topic=self._name))

    def _unavailable(self, error: Exception) -> Unavailable:
        if isinstance(error, NotFound):
            return Unavailable(
                "topic_missing", f"{self._name} does not exist; deploy it, or correct PUBSUB_TOPIC."
            )
        return Unavailable("publish_failed", f"{self._name} did not confirm: {type(error).__name__}.")
