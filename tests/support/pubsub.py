"""A Pub/Sub on loopback, with the topics of a test and the messages that are published to them."""

import contextlib
import itertools
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.api_core.exceptions import DeadlineExceeded, ServiceUnavailable
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage, Subscription

from local.processes import Child, accepts, free_port
from local.pubsub import emulator as pubsub_emulator

TIMEOUT = 10.0
DEADLINE = 30.0

_numbers = itertools.count(1)
_STAND_IN = """
import sys, threading
from local.pubsub.server import PubSubServer
server = PubSubServer(int(sys.argv[1]))
server.start()
threading.Event().wait()
"""


def unique(prefix: str) -> str:
    """Return a name that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PubSub:
    """A running Pub/Sub; `child` is its process if it has one of its own."""

    host: str
    child: Child | None = None

    def new_topic(self, name: str | None = None) -> "Inbox":
        """Create a topic and a subscription on it."""
        name = name or unique("events")
        topic, subscription = f"projects/test/topics/{name}", f"projects/test/subscriptions/{name}"
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        channel = grpc.insecure_channel(self.host, options=options)
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        publisher.create_topic(name=topic, timeout=TIMEOUT)
        subscriber.create_subscription(Subscription(name=subscription, topic=topic), timeout=TIMEOUT)
        return Inbox(topic=topic, subscription=subscription, subscriber=subscriber, channel=channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """A topic and the messages that are published to it."""

    topic: str
    subscription: str
    subscriber: SubscriberClient
    channel: grpc.Channel

    def until(self, delivery_id: str) -> list[PubsubMessage]:
        """Return every message up to the one of that delivery, and acknowledge them."""
        found: list[PubsubMessage] = []
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            with contextlib.suppress(DeadlineExceeded, ServiceUnavailable):
                answer = self.subscriber.pull(
                    subscription=self.subscription, max_messages=100, timeout=5.0, retry=None
                )
                ids = [received.ack_id for received in answer.received_messages]
                if ids:
                    self.subscriber.acknowledge(subscription=self.subscription, ack_ids=ids, timeout=TIMEOUT)
                found += [received.message for received in answer.received_messages]
            if any(message.attributes["delivery_id"] == delivery_id for message in found):
                return found
        raise AssertionError(f"{delivery_id} was not published")


@contextlib.contextmanager
def pubsub_process(kind: str, folder: Path, port: int = 0) -> Iterator[PubSub]:
    """Start a Pub/Sub in its own process: `google`, Google's emulator, or `builtin`, the stand-in.

    Without Google's emulator the test is skipped, or fails if CI is set.
    """
    port = port or free_port()
    if kind == "google":
        emulator = pubsub_emulator.find_emulator()
        if emulator is None:
            if os.environ.get("CI"):
                pytest.fail("Google's Pub/Sub emulator is missing")
            pytest.skip("Google's Pub/Sub emulator is not installed")
        command = emulator.command(port)
    else:
        command = [sys.executable, "-c", _STAND_IN, str(port)]
    child = Child(name=f"pubsub-{kind}", command=command, log=folder / f"pubsub-{port}.log")
    child.start()
    try:
        child.wait_until(lambda: accepts(port))
        pubsub_emulator.ready(f"127.0.0.1:{port}", DEADLINE, child.process)
        yield PubSub(host=f"127.0.0.1:{port}", child=child)
    finally:
        child.stop()
