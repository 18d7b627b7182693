"""Starts what is measured: functions under the real framework, Pub/Sub and Secret Manager."""

import contextlib
import http.client
import json
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from clients.pubsub.publisher import connect
from functions.ingest.signature import sign
from local.demo.scenario import scenario
from local.processes import READY_SECONDS, Child, accepts, free_port
from local.pubsub import emulator as pubsub_emulator
from local.pubsub.server import PubSubServer
from local.secret_manager.server import SecretManagerServer
from ops.send import payloads

SECRET_NAME = "projects/local-dev/secrets/webhook"
SECRET = b"bench"
TOPIC = "projects/local-dev/topics/github-events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One POST, always the same."""

    body: bytes
    headers: Mapping[str, str]


class Connection:
    """One kept-alive connection without Nagle's delay."""

    def __init__(self, port: int) -> None:
        self._client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._client.connect()
        self._client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, request: Request) -> int:
        """Send the request, read the whole answer, and return its status."""
        self._client.request("POST", "/", body=request.body, headers=dict(request.headers))
        answer = self._client.getresponse()
        answer.read()
        return answer.status


def a_delivery(now: datetime) -> Request:
    """Return a signed `issues.opened`, padded to GitHub's usual 10 KB."""
    payload = json.loads(next(step for step in scenario(now) if step.event == "issues.opened").body)
    payload["issue"]["body"] = "x" * 6000
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": payloads.delivery_id("bench"),
        "X-Hub-Signature-256": sign(body, SECRET),
    }
    return Request(body=body, headers=headers)


def function(name: str, source: str, environment: Mapping[str, str], folder: Path) -> tuple[Child, int]:
    """Return a function that has not been started, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "functions_framework", "--source", source, "--target", name]
    options = ["--host", "127.0.0.1", "--port", str(port)]
    return Child(
        name=name, command=command + options, log=folder / f"{name}.log", environment=environment
    ), port


@contextlib.contextmanager
def pubsub_and_secret_manager(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Start Pub/Sub and Secret Manager; yield which Pub/Sub it is, and ingest's environment."""
    with contextlib.ExitStack() as stack:
        secrets = SecretManagerServer()
        secret_host = secrets.start()
        stack.callback(secrets.stop)
        secrets.add_version(SECRET_NAME, SECRET)
        emulator = pubsub_emulator.find_emulator()
        if emulator is None:
            server = PubSubServer()
            host, name = server.start(), "our stand-in"
            stack.callback(server.stop)
        else:
            port = free_port()
            host, name = f"127.0.0.1:{port}", "Google's emulator"
            child = emulator.server(folder, port)
            child.start()
            stack.callback(child.stop)
            child.wait_until(lambda: accepts(port))
            pubsub_emulator.ready(host, READY_SECONDS, child.process)
        connect(emulator=host).create_topic(name=TOPIC, timeout=10)
        yield (
            name,
            {
                "PUBSUB_TOPIC": TOPIC,
                "PUBSUB_EMULATOR_HOST": host,
                "WEBHOOK_SECRET": SECRET_NAME,
                "SECRET_MANAGER_ENDPOINT": secret_host,
            },
        )


@contextlib.contextmanager
def folder_for_logs() -> Iterator[Path]:
    """Yield a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="issuewire-bench-") as name:
        yield Path(name)
