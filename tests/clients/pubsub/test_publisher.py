"""Publishing a message ends with its id or an error, within Pub/Sub's limits and the remaining time."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from clients.pubsub.grpc_channel import QUICK_RECONNECT, with_quick_reconnect
from clients.pubsub.publisher import MAX_REQUEST_BYTES, Publisher
from functions.ingest.webhook_secrets import official_access
from local.processes import free_port
from local.pubsub.server import PubSubServer
from pipeline.errors import Rejected, Unavailable
from tests.support.loop import run
from tests.support.pubsub import Inbox, PubSub

TIMEOUT = 8.0


@pytest.fixture(scope="module")
def pubsub() -> Iterator[PubSub]:
    """Return a Pub/Sub."""
    server = PubSubServer()
    yield PubSub(host=server.start())
    server.stop()


@pytest.fixture
def inbox(pubsub: PubSub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """Return a topic to which the official client publishes."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.host)
    inbox = pubsub.new_topic()
    yield inbox
    inbox.channel.close()


def test_bytes_and_attributes_arrive(inbox: Inbox) -> None:
    """The message arrives byte for byte, under the id that was returned."""
    data, attributes = bytes(range(256)), {"delivery_id": "d", "event": "issues"}
    message_id = run(run(Publisher.open(inbox.topic)).publish(data, attributes, TIMEOUT))
    (message,) = inbox.until("d")
    assert (message.data, dict(message.attributes), message.message_id) == (data, attributes, message_id)


def padded(topic: str, size: int) -> bytes:
    """Return data whose publish request, with the attribute used here, has `size` bytes."""
    from google.pubsub_v1 import PublishRequest, PubsubMessage  # noqa: PLC0415 - used here alone

    data = bytes(size - 200)
    request = PublishRequest(
        topic=topic, messages=[PubsubMessage(data=data, attributes={"delivery_id": "big"})]
    )
    return bytes(len(data) + size - PublishRequest.pb(request).ByteSize())


def test_the_largest_message_is_published(inbox: Inbox) -> None:
    """A request of exactly Pub/Sub's 10,000,000 bytes is published; one byte more is refused with 413."""
    publisher = run(Publisher.open(inbox.topic))
    data = padded(inbox.topic, MAX_REQUEST_BYTES)
    with pytest.raises(Rejected) as refused:
        run(publisher.publish(data + b"0", {"delivery_id": "big"}, TIMEOUT))
    assert (refused.value.status, refused.value.reason) == (413, "message_too_large")
    run(publisher.publish(data, {"delivery_id": "big"}, TIMEOUT))
    assert [len(message.data) for message in inbox.until("big")] == [len(data)]


def test_a_missing_topic_is_unavailable(inbox: Inbox) -> None:
    """A missing topic is Unavailable: it can be created, and the delivery sent again."""
    with pytest.raises(Unavailable, match="NotFound") as refused:
        run(run(Publisher.open(inbox.topic + "-missing")).publish(b"{}", {}, TIMEOUT))
    assert refused.value.reason == "publish_failed"


def test_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """If nothing listens, publishing is tried until the time is up, and then Unavailable."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        run(run(Publisher.open("projects/p/topics/events")).publish(b"{}", {}, seconds=0.3))


def test_a_silent_service_costs_the_time_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishing to a host that never answers takes no longer than the given time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Unavailable):
            run(run(Publisher.open("projects/p/topics/events")).publish(b"{}", {}, seconds=0.3))


def test_the_channel_keeps_reconnecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """While Pub/Sub is down the channel reconnects about every second, so that recovery is quick.

    With gRPC's own pauses there would be at most five attempts in the ten seconds; eight are expected.
    """
    attempts = 0
    enough = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:

        def refuse() -> None:
            nonlocal attempts
            while True:
                try:
                    connection, _ = door.accept()
                except OSError:
                    return
                connection.close()
                attempts += 1
                if attempts == 8:
                    enough.set()

        refusing = threading.Thread(target=refuse)
        refusing.start()
        try:
            monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{door.getsockname()[1]}")
            publisher = run(Publisher.open("projects/p/topics/events"))
            for _ in range(10):
                with pytest.raises(Unavailable):
                    run(publisher.publish(b"{}", {}, seconds=1.0))
                if enough.is_set():
                    break
            assert enough.is_set()
        finally:
            door.shutdown(socket.SHUT_RDWR)
            refusing.join()


def test_quick_reconnect_keeps_the_client_s_own_options() -> None:
    """The channel gets the client's own options and arguments, followed by ours."""
    seen = {}

    def create(host: str, **arguments: object) -> str:
        seen.update(arguments)
        return host

    assert with_quick_reconnect(create)("host", options=[("a", 1)], credentials="c") == "host"
    assert seen == {"options": [("a", 1), *QUICK_RECONNECT], "credentials": "c"}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Return the key of a service account."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "ingest@p.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "https://127.0.0.1:1/token",
    }
    path = tmp_path / "key.json"
    path.write_text(json.dumps(account))
    return path


@pytest.mark.parametrize(
    "build",
    [lambda: run(Publisher.open("projects/p/topics/t")), lambda: run(official_access(None))],
    ids=["Pub/Sub", "Secret Manager"],
)
def test_clients_for_the_cloud(
    build: Callable[[], object], key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With credentials and without an emulator, the clients are built for the cloud."""
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", os.fspath(key_file))
    assert build() is not None


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the publisher is Unavailable, and the next request tries again."""
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    with pytest.raises(Unavailable) as refused:
        run(Publisher.open("projects/p/topics/t"))
    assert refused.value.reason == "credentials_missing"
    assert "/nowhere" not in str(refused.value)
