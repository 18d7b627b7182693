"""Publishes to a topic: each message is confirmed, or fails within its own time."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Self

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.api_core.exceptions import (
    Aborted,
    Cancelled,
    DeadlineExceeded,
    GoogleAPICallError,
    InternalServerError,
    InvalidArgument,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
    Unknown,
)
from google.api_core.retry import AsyncRetry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import (
    PublisherAsyncClient,
    PublisherClient,
    PublishRequest,
    PublishResponse,
    PubsubMessage,
)
from google.pubsub_v1.services.publisher.transports import (
    PublisherGrpcAsyncIOTransport,
    PublisherGrpcTransport,
)

from clients.pubsub.grpc_channel import open_transport, with_quick_reconnect
from pipeline.errors import Rejected, Unavailable
from pipeline.group_commit import GroupCommit, Limits

MAX_REQUEST_BYTES = 10_000_000  # https://cloud.google.com/pubsub/quotas#resource_limits
LIMITS = Limits(sends=8, group_items=500, group_bytes=MAX_REQUEST_BYTES, waiting_bytes=64_000_000)

# Plain protobuf: building and reading it is several times faster than through the client's own classes.
_Message, _Request = PubsubMessage.pb(), PublishRequest.pb()

# Every way in which a call fails, and the failures after which publishing is tried again.
FAILURES = (GoogleAPICallError, RetryError, GoogleAuthError)
TRANSIENT = if_exception_type(
    Aborted, Cancelled, DeadlineExceeded, InternalServerError, ResourceExhausted, ServiceUnavailable, Unknown
)


def name_of(failure: Exception) -> str:
    """Return what to call one of FAILURES; of a retry that gave up, what failed last."""
    cause = failure.cause if isinstance(failure, RetryError) else None
    return type(cause or failure).__name__


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
        raise no_credentials() from error


class Publisher:
    """Publishes through the official asyncio client, in groups if much arrives at once; on one event loop."""

    def __init__(self, topic: str, client: PublisherAsyncClient) -> None:
        self._topic = topic
        self._client = client
        self._request_bytes = len(topic) + 16  # beside the message itself, at most
        self._groups = GroupCommit[Any, str](self._send, LIMITS, splits=_refuses_a_message)

    @classmethod
    async def open(cls, topic: str) -> Self:
        """Return a publisher. Raises Unavailable if there are no credentials."""
        try:
            transport = await open_transport(
                PublisherGrpcAsyncIOTransport, os.environ.get("PUBSUB_EMULATOR_HOST")
            )
        except GoogleAuthError as error:
            raise no_credentials() from error
        return cls(topic, PublisherAsyncClient(transport=transport))

    async def publish(self, data: bytes, attributes: Mapping[str, str], seconds: float) -> str:
        """Return the message id once Pub/Sub has confirmed, within `seconds` in all.

        Raises Rejected 413 for a message over Pub/Sub's cap and Unavailable for everything else. After
        Unavailable the message may still have been published.
        """
        message = _Message(data=data, attributes=attributes)
        size = message.ByteSize() + self._request_bytes
        if size > MAX_REQUEST_BYTES and self._request([message]).ByteSize() > MAX_REQUEST_BYTES:
            raise Rejected(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "message_too_large",
                "The payload is larger than Pub/Sub takes, even packed.",
            )
        try:
            return await self._groups.submit(message, size, seconds)
        except (*FAILURES, TimeoutError) as error:
            raise Unavailable(
                "publish_failed", f"{self._topic} did not confirm: {name_of(error)}."
            ) from error

    def _request(self, messages: Sequence[Any]) -> Any:
        return _Request(topic=self._topic, messages=messages)

    async def _send(self, messages: Sequence[Any], seconds: float) -> Sequence[str]:
        """Publish the messages in one request, and return their ids in order."""
        request = PublishRequest.wrap(self._request(messages))
        retry = AsyncRetry(predicate=TRANSIENT, initial=0.1, maximum=1.0, multiplier=2.0, timeout=seconds)
        answer = await self._client.publish(request, retry=retry, timeout=seconds)
        return list(PublishResponse.pb(answer).message_ids)


def _refuses_a_message(error: Exception) -> bool:
    """Return whether Pub/Sub may have refused the whole request because of one message in it."""
    return isinstance(error, InvalidArgument)


def no_credentials() -> Unavailable:
    """Return the error of a machine without credentials."""
    return Unavailable(
        "credentials_missing",
        "There are no credentials for Pub/Sub; outside Google Cloud, "
        "run gcloud auth application-default login.",
    )
