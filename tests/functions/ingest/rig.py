"""ingest with the services that it uses, on loopback: the real server and clients, stand-ins of services."""

import contextlib
import functools
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from google.pubsub_v1.types import PubsubMessage

from local.secret_manager.server import SecretManagerServer
from ops.send import payloads
from tests.support.checkout import ROOT, read_table
from tests.support.framework import Function, function
from tests.support.messages import an_issue
from tests.support.pubsub import DEADLINE, TIMEOUT, Inbox, PubSub, unique

SECRET = b"It's a Secret to Everybody"


def sign(body: bytes, secret: bytes = SECRET) -> str:
    """Return GitHub's signature, computed without the product's code."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def issue_body(**changes: Any) -> bytes:
    """Return the JSON text of an opened issue, with spaces and a letter that takes two bytes in UTF-8."""
    payload = an_issue(title="Füllt nicht").opened().payload | changes
    return json.dumps(payload, ensure_ascii=False, indent=1).encode()


def headers(body: bytes, **changes: str | None) -> dict[str, str]:
    """Return GitHub's headers for `body`. A change to None leaves one out; `_` is written for a dash."""
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
class IngestRig:
    """A running ingest with its topic and its Secret Manager."""

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

    def raw(self, request: bytes, *, ends: bool = False) -> bytes:
        """Send these bytes on a socket and return everything until the server closes it."""
        return self.raw_stream(request, [], ends=ends)

    def raw_stream(self, head: bytes, body: Iterable[bytes], *, ends: bool = False) -> bytes:
        """Send until everything is sent or the server stops reading, and return everything it answers.

        With `ends` the client says that it sends no more, and the server closes the connection.
        """
        with socket.create_connection(("127.0.0.1", self.function.port), timeout=TIMEOUT) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError, OSError):
                connection.sendall(head)
                for piece in body:
                    connection.sendall(piece)
                if ends:
                    connection.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := connection.recv(65536):
                    answer += chunk
            return answer

    def published_since(self) -> list[PubsubMessage]:
        """Return what was published since the last call, without the delivery that marks the end."""
        body = issue_body()
        sent = headers(body)
        assert self.post(body, sent).status_code == 202
        return [
            message
            for message in self.inbox.until(sent["X-GitHub-Delivery"])
            if message.attributes["delivery_id"] != sent["X-GitHub-Delivery"]
        ]


@functools.cache
def deployed_environment() -> dict[str, str]:
    """Return the variables that deploy.sh sets for ingest."""
    return dict(line.split("=", 1) for line in read_table(ROOT, "ingest", "ENVIRONMENT"))


@contextlib.contextmanager
def ingest(
    folder: Path,
    pubsub: PubSub,
    secret_manager: SecretManagerServer,
    secret_host: str,
    **environment: str,
) -> Iterator[IngestRig]:
    """Start ingest with its own topic and secret, and otherwise with the environment of a deployment."""
    inbox = pubsub.new_topic()
    secret = f"projects/test/secrets/{unique('webhook')}"
    secret_manager.add_version(secret, SECRET)
    settings = deployed_environment() | {
        "PUBSUB_TOPIC": inbox.topic,
        "PUBSUB_EMULATOR_HOST": pubsub.host,
        "WEBHOOK_SECRET": secret,
        "SECRET_MANAGER_ENDPOINT": secret_host,
    }
    with function("ingest", folder, settings | environment) as running:
        yield IngestRig(function=running, inbox=inbox, secret_manager=secret_manager, secret=secret)
    inbox.channel.close()


def wait_for[T](what: Callable[[], T]) -> T:
    """Return the first true value of `what`. Raises AssertionError if there is none in time."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")
