"""Calls about subscriptions through the official client, each bounded in time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.api_core.exceptions import (
    Aborted,
    FailedPrecondition,
    InternalServerError,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    ServiceUnavailable,
    Unknown,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import GetSubscriptionRequest, SeekRequest, SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from clients.pubsub.grpc_channel import with_quick_reconnect
from clients.pubsub.publisher import FAILURES, name_of, no_credentials
from pipeline.errors import Unavailable

CALL_SECONDS = 20.0
RETRY_SECONDS = 60.0
RETRY = Retry(
    predicate=if_exception_type(Aborted, InternalServerError, ResourceExhausted, ServiceUnavailable, Unknown),
    initial=0.2,
    maximum=5.0,
    timeout=RETRY_SECONDS,
)


def connect() -> SubscriberClient:
    """Return the official client, for the cloud or for the emulator that PUBSUB_EMULATOR_HOST names.

    Raises Unavailable if there are no credentials.
    """
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    if emulator:
        options = [("grpc.max_receive_message_length", -1)]  # as the client's own channels have it
        channel = with_quick_reconnect(grpc.insecure_channel)(emulator, options=options)
        return SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    create = with_quick_reconnect(SubscriberGrpcTransport.create_channel)
    try:
        return SubscriberClient(transport=partial(SubscriberGrpcTransport, channel=create))
    except GoogleAuthError as error:
        raise no_credentials() from error


def topic_of(client: SubscriberClient, subscription: str) -> str:
    """Return the full name of the topic that a subscription, by its full name, is of. Raises Unavailable."""
    request = GetSubscriptionRequest(subscription=subscription)
    with unavailable(subscription):
        return client.get_subscription(request, retry=RETRY, timeout=CALL_SECONDS).topic


def delivery_of(client: SubscriberClient, subscription: str) -> tuple[str, str]:
    """Return topic and push endpoint, empty without one, of a subscription. Raises Unavailable."""
    request = GetSubscriptionRequest(subscription=subscription)
    with unavailable(subscription):
        found = client.get_subscription(request, retry=None, timeout=CALL_SECONDS)
    return found.topic, found.push_config.push_endpoint


def seek(client: SubscriberClient, subscription: str, moment: datetime) -> None:
    """Have Pub/Sub deliver everything again that it has kept since then. Raises Unavailable."""
    with unavailable(subscription):
        client.seek(SeekRequest(subscription=subscription, time=moment), retry=RETRY, timeout=CALL_SECONDS)


@contextmanager
def unavailable(subscription: str) -> Iterator[None]:
    """Raise Unavailable for every failure of a call about this subscription."""
    try:
        yield
    except NotFound as error:
        raise Unavailable("subscription_missing", f"{subscription} does not exist.") from error
    except PermissionDenied as error:
        raise Unavailable(
            "subscription_forbidden", f"{subscription}: this account lacks the permission."
        ) from error
    except FailedPrecondition as error:
        raise Unavailable("subscription_refused", f"{subscription}: {error.message}.") from error
    except FAILURES as error:
        raise Unavailable(
            "subscription_failed", f"{subscription} did not answer: {name_of(error)}."
        ) from error
