"""ingest among its neighbours: the real server, the real clients, Pub/Sub and Secret Manager on loopback."""

import contextlib
import hashlib
import hmac
import itertools
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from google.api_core.exceptions import DeadlineExceeded, ServiceUnavailable
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage, Subscription

from local.processes import Child, accepts, free_port
from local.pubsub import emulator as pubsub_emulator
from local.secret_manager.server import SecretManagerServer
from ops.send import payloads
from tests.support.framework import Function, function
from tests.support.messages import an_issue

SECRET = b"It's a Secret to Everybody"
TIMEOUT = 10.0  # GitHub's own patience
DEADLINE = 30.0

_numbers = itertools.count(1)
_STAND_IN = """
import sys, threading
from local.pubsub.server import PubSubServer
server = PubSubServer(int(sys.argv[1]))
server.start()
threading.Event().wait()
"""


def sign(body: bytes, secret: bytes = SECRET) -> str:
    """Return GitHub's signature, worked out without the product's code."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def unique(prefix: str) -> str:
    """Return a name that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


def issue_body(**changes: Any) -> bytes:
    """Return the JSON text of an opened issue, with spaces and a letter that UTF-8 writes in two bytes."""
    payload = an_issue(title="Füllt nicht").opened().payload | changes
    return json.dumps(payload, ensure_ascii=False, indent=1).encode()


def headers(body: bytes, **changes: str | None) -> dict[str, str]:
    """Return the headers of GitHub for `body`; a change to None leaves one out, `_` stands for a dash."""
    sent = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": payloads.delivery_id(unique("delivery")),
        "X-Hub-Signature-256": sign(body),
    }
    changed = {**sent, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return {name: value for name, value in changed.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class PubSub:
    """A Pub/Sub that is up, with the topic of one test; `child` is its process when it has one."""

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
    """What has been published to a topic."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """An ingest that is up, with its neighbours."""

    function: Function
    inbox: Inbox
    secret_manager: SecretManagerServer
    secret: str

    @property
    def url(self) -> str:
        """Return the webhook's URL."""
        return self.function.url + "/"

    def post(self, body: bytes, sent: Mapping[str, str] | None = None) -> requests.Response:
        """Post as GitHub does."""
        return requests.post(self.url, data=body, headers=sent or headers(body), timeout=TIMEOUT)

    def raw(self, request: bytes) -> bytes:
        """Send these bytes on a socket and return all that comes back until the server closes."""
        return self.raw_stream(request, [])

    def raw_stream(self, head: bytes, body: Iterable[bytes]) -> bytes:
        """Send until all is sent or the server stops reading, and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.function.port), timeout=TIMEOUT) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(head)
                for piece in body:
                    connection.sendall(piece)
                with contextlib.suppress(OSError):  # not connected any more
                    connection.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := connection.recv(65536):
                    answer += chunk
            return answer

    def published_since(self) -> list[PubsubMessage]:
        """Return what has been published since it was last asked, without the probe that ends it."""
        body = issue_body()
        sent = headers(body)
        assert self.post(body, sent).status_code == 202
        return [
            message
            for message in self.inbox.until(sent["X-GitHub-Delivery"])
            if message.attributes["delivery_id"] != sent["X-GitHub-Delivery"]
        ]


@contextlib.contextmanager
def ingest(
    folder: Path,
    pubsub: PubSub,
    secret_manager: SecretManagerServer,
    secret_host: str,
    **environment: str,
) -> Iterator[World]:
    """Start ingest with a topic and a secret of its own."""
    inbox = pubsub.new_topic()
    secret = f"projects/test/secrets/{unique('webhook')}"
    secret_manager.add_version(secret, SECRET)
    settings = {
        "PUBSUB_TOPIC": inbox.topic,
        "PUBSUB_EMULATOR_HOST": pubsub.host,
        "WEBHOOK_SECRET": secret,
        "SECRET_MANAGER_ENDPOINT": secret_host,
    }
    with function("ingest", folder, settings | environment) as running:
        yield World(function=running, inbox=inbox, secret_manager=secret_manager, secret=secret)
    inbox.channel.close()


@contextlib.contextmanager
def pubsub_process(kind: str, folder: Path, port: int = 0) -> Iterator[PubSub]:
    """Start a Pub/Sub in a process of its own: `google`, Google's emulator, or `builtin`, the stand-in.

    Without Google's emulator the test is skipped, unless CI is set: there it must exist.
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


def wait_for[T](what: Callable[[], T]) -> T:
    """Return the first true value of `what`. Raises AssertionError when none comes."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")
