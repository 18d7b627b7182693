"""Starts the functions and their floors under the real framework, and waits for an answer."""

import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench import proc, wire
from bench.checkout import Checkout
from bench.deliveries import SECRET_NAME, with_id
from local.processes import ROOT, Child, free_port
from local.pubsub.push import ACKNOWLEDGING

START_SECONDS = 60.0
ACCEPTED = frozenset({202})
FLOOR = Checkout(name="the floor", folder=ROOT)


class WrongAnswer(Exception):
    """A function did not answer as it must; the text has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is started: a source file of a checkout, and its environment without the stubs' addresses."""

    target: str
    source: str
    checkout: Checkout
    environment: Mapping[str, str]
    statuses: frozenset[int]  # of right answers

    def replaced_by(self, source: str) -> "Program":
        """Return it with another source file, one of this checkout, that imports it from its own."""
        return replace(self, source=str(ROOT / source))

    def server(self, folder: Path, **environment: str) -> "Server":
        """Return a server of it that has not been started."""
        port = free_port()
        command = [sys.executable, "-m", "functions_framework", "--source", self.source]
        command += ["--target", self.target, "--host", "127.0.0.1", "--port", str(port)]
        child = Child(
            name=f"{self.target} of {self.checkout.name}",
            command=command,
            log=folder / f"{self.target}-{port}.log",
            environment={**self.environment, **environment},
            folder=self.checkout.folder,
        )
        return Server(child=child, port=port, statuses=self.statuses)


def function(name: str, checkout: Checkout) -> Program:
    """Return a function with its environment as deployed, except for the resources: those are stubs."""
    stubs = {"WEBHOOK_SECRET": SECRET_NAME, "ROUTES_FILE": str(checkout.folder / "config/routes.toml")}
    return Program(
        target=name,
        source=f"functions/{name}/main.py",
        checkout=checkout,
        environment=checkout.deployed_environment(name) | stubs,
        statuses=ACCEPTED if name == "ingest" else ACKNOWLEDGING,
    )


def floor(target: str, source: str = "main") -> Program:
    """Return a function of bench/floor."""
    return Program(
        target=target,
        source=f"bench/floor/{source}.py",
        checkout=FLOOR,
        environment={},
        statuses=ACKNOWLEDGING,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A function in a process group of its own."""

    child: Child
    port: int
    statuses: frozenset[int]

    def first_answer(self, request: bytes) -> tuple[float, float]:
        """Start it and send a request; return when it started and when the answer came, by time.monotonic.

        Raises WrongAnswer.
        """
        began = time.monotonic()
        self.child.start()
        with self._connect(began + START_SECONDS) as connection:
            connection.sendall(with_id(request))
            self._read_answer(connection)
        return began, time.monotonic()

    def cpu_seconds(self) -> float:
        """Return the CPU that it has used so far."""
        return proc.cpu_seconds(self.child.pid)

    def memory_bytes(self) -> int:
        """Return its memory."""
        return proc.memory_bytes(self.child.pid)

    def wrong(self, what: str) -> WrongAnswer:
        """Return an error with the end of the log."""
        return WrongAnswer(f"{self.child.name}: {what}\n{self.child.last_lines()}")

    def _connect(self, deadline: float) -> socket.socket:
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS)
            except ConnectionRefusedError as error:
                process = self.child.process
                if process is None or process.poll() is not None or time.monotonic() > deadline:
                    raise self.wrong("no server") from error
            time.sleep(0.002)

    def _read_answer(self, connection: socket.socket) -> None:
        received = b""
        while (message := wire.split(received)) is None:
            part = connection.recv(65_536)
            if not part:
                raise self.wrong("no answer")
            received += part
        status = wire.status_of(message[0])
        if status not in self.statuses:
            raise self.wrong(f"status {status}")
