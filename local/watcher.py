"""A process that ends our children when we have ended, however that was: also by kill -9.

It is started as a program of its own, with nothing but the standard library.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

STOP_SECONDS = 5.0


class Watcher:
    """Tells its process which groups to end. The system closes the pipe to it when this process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """End the process group when this process ends."""
        with self._lock:
            self._groups.add(group)
            if self._process is None or self._process.poll() is not None:
                self._start()
            else:
                self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Leave the process group alone, because it has ended: another one may get its number."""
        with self._lock:
            self._groups.discard(group)
            if self._process is not None and self._process.poll() is None:
                self._tell(f"-{group}\n")

    def close(self) -> None:
        """End the groups that are left, and the process."""
        with self._lock:
            if self._process is not None:
                self._process.communicate(timeout=3 * STOP_SECONDS)
                self._process = None

    def _start(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env={},
            start_new_session=True,
        )
        self._tell("".join(f"+{group}\n" for group in self._groups))

    def _tell(self, lines: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(
            BrokenPipeError
        ):  # it was killed a moment ago; the next `add` starts another
            self._process.stdin.write(lines.encode())


def end_groups(groups: Iterable[int]) -> None:
    """End process groups: politely, and what is left after their leaders, or after a moment, for good."""
    left = [group for group in groups if _signal(group, signal.SIGTERM)]
    deadline = time.monotonic() + STOP_SECONDS
    while not all(map(_has_ended, left)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for group in left:
        _signal(group, signal.SIGKILL)


def _has_ended(leader: int) -> bool:
    try:
        os.kill(leader, 0)
        state = Path(f"/proc/{leader}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return True
    except (FileNotFoundError, PermissionError):
        return False  # macOS, where no zombie stays
    return state == "Z"


def _signal(group: int, number: int) -> bool:
    """Send a signal; return whether the group exists."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: PermissionError if only zombies are left
        return False
    return True


def _watch() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line.startswith("+") else groups.discard
        change(int(line[1:]))
    end_groups(groups)


WATCHER = Watcher()

if __name__ == "__main__":
    _watch()
else:
    atexit.register(WATCHER.close)
