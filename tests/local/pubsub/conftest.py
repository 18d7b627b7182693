"""The same clients on the stand-in and on Google's own emulator."""

import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.processes import free_port
from local.pubsub.emulator import find_emulator, ready
from local.pubsub.server import PubSubServer
from tests.local.pubsub.clients import PubSub, Receiver


@pytest.fixture(scope="session")
def google_host() -> Iterator[str]:
    """Start one emulator for the whole run."""
    emulator = find_emulator()
    if emulator is None:
        missing = "Google's Pub/Sub emulator needs java on PATH and its jar (see find_emulator)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing}; CI must hold the contract against it")
        pytest.skip(missing)
    port = free_port()
    process = subprocess.Popen(emulator.command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ready(f"127.0.0.1:{port}", 30, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture
def builtin_server() -> Iterator[PubSubServer]:
    """Start a stand-in."""
    server = PubSubServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["builtin", "google"])
def pubsub(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSub]:
    """Yield the clients, first on the stand-in, then on Google's emulator."""
    google = request.param == "google"
    host = request.getfixturevalue("google_host" if google else "builtin_server")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", host if google else host.host)
    clients = PubSub()
    yield clients
    if google:
        clients.delete_subscriptions()
    clients.close()


@pytest.fixture
def builtin(builtin_server: PubSubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSub]:
    """Yield the clients on the stand-in."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", builtin_server.host)
    clients = PubSub()
    yield clients
    clients.close()


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Start receivers, and stop them after the test."""
    receivers: list[Receiver] = []

    def start(*arguments: Any, **keywords: Any) -> Receiver:
        receivers.append(Receiver(*arguments, **keywords))
        return receivers[-1]

    yield start
    for receiver in receivers:
        receiver.stop()
