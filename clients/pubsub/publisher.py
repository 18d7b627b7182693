"""The topic: one synchronous publish per delivery, confirmed or failed within the time that is left."""

import os
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.api_core.exceptions import (
    Aborted,
    Cancelled,
    DeadlineExceeded,
    GoogleAPICallError,
    InternalServerError,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
    Unknown,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, PublishRequest, PubsubMessage
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from clients.pubsub.grpc_channel import reconnecting
from pipeline.errors import Rejected, Unavailable

MAX_REQUEST_BYTES = 10_000_000  # https://cloud.google.com/pubsub/quotas#resource_limits

_TRANSIENT = if_exception_type(
    Aborted, Cancelled, DeadlineExceeded, InternalServerError, ResourceExhausted, ServiceUnavailable, Unknown
)


class Publisher:
    """The official client's own publish call: no batch and no thread, so nothing goes on after an answer.

    Raises Unavailable when there are no credentials to build the client with.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        try:
            self._client = _official_client(os.environ.get("PUBSUB_EMULATOR_HOST"))
        except GoogleAuthError as error:
            raise Unavailable("credentials_missing", "There are no credentials for Pub/Sub.") from error

    def publish(self, data: bytes, attributes: Mapping[str, str], timeout: float) -> str:
        """Return the message id once Pub/Sub has confirmed, within `timeout` seconds in all.

        Raises Rejected 413 for a message over Pub/Sub's cap and Unavailable for everything else; after
        Unavailable the message may still have been published.
        """
        message = PubsubMessage(data=data, attributes=attributes)
        request = PublishRequest(topic=self._topic, messages=[message])
        if PublishRequest.pb(request).ByteSize() > MAX_REQUEST_BYTES:
            raise Rejected(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "message_too_large",
                "The payload is larger than Pub/Sub takes, even packed.",
            )
        retry = Retry(predicate=_TRANSIENT, initial=0.1, maximum=1.0, multiplier=2.0, timeout=timeout)
        try:
            answer = self._client.publish(request, retry=retry, timeout=timeout)
        except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
            raise Unavailable(
                "publish_failed", f"{self._topic} did not confirm: {type(error).__name__}."
            ) from error
        return answer.message_ids[0]


def _official_client(emulator: str | None) -> PublisherClient:
    """Return a client that reconnects soon.

    The client honours PUBSUB_EMULATOR_HOST itself, but leaves no way to give that channel options.
    """
    if emulator:
        channel = reconnecting(grpc.insecure_channel)(emulator)
        return PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    create = reconnecting(PublisherGrpcTransport.create_channel)
    return PublisherClient(transport=partial(PublisherGrpcTransport, channel=create))
