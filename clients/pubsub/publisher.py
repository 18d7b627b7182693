"""Publishes one message at a time, confirmed or failed within the time that is left."""

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

from clients.pubsub.grpc_channel import with_quick_reconnect
from pipeline.errors import Rejected, Unavailable

MAX_REQUEST_BYTES = 10_000_000  # https://cloud.google.com/pubsub/quotas#resource_limits

# Every way in which a call fails, and the failures after which publishing is tried again.
FAILURES = (GoogleAPICallError, RetryError, GoogleAuthError)
TRANSIENT = if_exception_type(
    Aborted, Cancelled, DeadlineExceeded, InternalServerError, ResourceExhausted, ServiceUnavailable, Unknown
)


def connect(*, emulator: str | None = None) -> PublisherClient:
    """Return the official client, for the cloud or for the emulator at host:port.

    The default is the address in PUBSUB_EMULATOR_HOST. The client reads that variable too, but its own
    channel to an emulator cannot be given options. Raises Unavailable if there are no credentials.
    """
    emulator = emulator or os.environ.get("PUBSUB_EMULATOR_HOST")
    if emulator:
        channel = with_quick_reconnect(grpc.insecure_channel)(emulator)
        return PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    create = with_quick_reconnect(PublisherGrpcTransport.create_channel)
    try:
        return PublisherClient(transport=partial(PublisherGrpcTransport, channel=create))
    except GoogleAuthError as error:
        raise Unavailable(
            "credentials_missing",
            "There are no credentials for Pub/Sub; outside Google Cloud, "
            "run gcloud auth application-default login.",
        ) from error


class Publisher:
    """Uses the official client's plain publish call: no batch and no thread, so nothing runs after an answer.

    Raises Unavailable if there are no credentials.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._client = connect()

    def publish(self, data: bytes, attributes: Mapping[str, str], timeout: float) -> str:
        """Return the message id once Pub/Sub has confirmed, within `timeout` seconds in total.

        Raises Rejected 413 for a message over Pub/Sub's cap and Unavailable for everything else. After
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
        retry = Retry(predicate=TRANSIENT, initial=0.1, maximum=1.0, multiplier=2.0, timeout=timeout)
        try:
            answer = self._client.publish(request, retry=retry, timeout=timeout)
        except FAILURES as error:
            raise Unavailable(
                "publish_failed", f"{self._topic} did not confirm: {type(error).__name__}."
            ) from error
        return answer.message_ids[0]
