"""One child process: its log file, the wait until it answers, and an end that leaves nothing behind."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.stopping import signals_deferred
from local.watcher import STOP_SECONDS, WATCHER

ROOT = Path(__file__).parent.parent
READY_SECONDS = 60.0
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "JAVA_HOME", "SYSTEMROOT")


class NotReady(Exception):
    """A part of the stack did not start; the text says which, and shows the end of its log."""


@dataclass(slots=True, kw_only=True)
class Child:
    """A program in a process group of its own, so that Ctrl-C reaches only us and we stop it in order.

    If we are killed, the watcher stops it.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT
    process: subprocess.Popen[bytes] | None = None
    was_killed: bool = False  # by us, since it was started

    @property
    def pid(self) -> int:
        """Return the process id; the child must have been started."""
        assert self.process is not None, f"{self.name} was not started"
        return self.process.pid

    def start(self) -> None:
        """Start it with a clean environment: a proxy or a credential of yours must not reach a stand-in."""
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # A signal before the child's id is noted would leave the child running.
        with self.log.open("ab") as log, signals_deferred():
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=passed | {"PYTHONUNBUFFERED": "1"} | dict(self.environment),
                start_new_session=True,
            )
            WATCHER.add(self.process.pid)
            self.was_killed = False

    def wait_until(self, answers: Callable[[], bool]) -> None:
        """Return once `answers` is true. Raises NotReady when the process ends or a minute passes."""
        deadline = time.monotonic() + READY_SECONDS
        while not answers():
            if self.process is None or self.process.poll() is not None:
                raise NotReady(f"{self.name} ended while starting.\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.name} did not answer in {READY_SECONDS:.0f} s.\n{self.last_lines()}")
            time.sleep(0.05)

    def stop(self, *, kill: bool = False) -> None:
        """Stop the whole process group: politely, then for good. Safe to call twice."""
        if self.process is None:
            return
        self._signal(signal.SIGKILL if kill else signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self._signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        WATCHER.remove(self.process.pid)
        self.process = None

    def kill(self) -> None:
        """End it at once, as a crash does; `why_ended` then says so."""
        if self.process is not None and self.process.poll() is None:
            self.was_killed = True
            self._signal(signal.SIGKILL)

    def why_ended(self) -> str:
        """Return how it ended by itself; empty while it runs, or if it was not started."""
        status = self.process.poll() if self.process else None
        if status is None:
            return ""
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def last_lines(self, count: int = 12) -> str:
        """Return the end of the log, indented."""
        lines = self.log.read_text(errors="replace").splitlines()[-count:] if self.log.exists() else []
        return "\n".join(f"    {line}" for line in [f"The end of {self.log}:", *lines])

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def free_port() -> int:
    """Ask the system for a port that a server can still take when it has started, up to a minute later.

    A connection that the port's own side closes first leaves the port waiting (TIME_WAIT). The system then
    gives it to no one who asks for any port, and at once to a server that asks for it by number
    (SO_REUSEADDR, as servers do).
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        address: tuple[str, int] = server.getsockname()
        with socket.create_connection(address) as client:
            server.accept()[0].close()
            client.recv(1)
    return address[1]


def accepts(port: int) -> bool:
    """Return whether something listens on the port of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False
