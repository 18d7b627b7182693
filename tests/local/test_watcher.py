"""Children end with their parent, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import watcher
from local.orphans import identity
from local.watcher import Watcher, end_groups

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 20.0

KILLED = """
import os, signal, sys
from pathlib import Path
from local.processes import Child

child = Child(name="a part", command=["sh", "-c", "sleep 60 & echo $!; wait"], log=Path(sys.argv[1]))
child.start()
child.wait_until(lambda: bool(child.log.read_text()))
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def until_ended(*pids: int) -> None:
    """Wait until the processes have ended."""
    deadline = time.monotonic() + PATIENCE
    while any(map(identity, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process in a group of its own."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def test_children_end_with_a_killed_parent(tmp_path: Path) -> None:
    """After kill -9 of the parent, a child ends, and what the child has started."""
    log = tmp_path / "log"
    parent = subprocess.run(
        [sys.executable, "-c", KILLED, str(log)],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    until_ended(int(parent.stdout), int(log.read_text()))


def test_a_killed_watcher_is_replaced(sleeper: subprocess.Popen[bytes]) -> None:
    """When the next child starts, another watcher takes over all of them."""
    ours = Watcher()
    ours.add(sleeper.pid)
    assert ours._process is not None
    ours._process.kill()
    ours._process.wait()
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as second:
        ours.add(second.pid)
        ours.close()
        until_ended(sleeper.pid, second.pid)


def test_an_ended_child_is_forgotten(sleeper: subprocess.Popen[bytes]) -> None:
    """The number of a child that was stopped may belong to another program: that one is left alone."""
    ours = Watcher()
    ours.add(sleeper.pid)
    ours.remove(sleeper.pid)
    ours.close()
    assert identity(sleeper.pid)


def test_a_child_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not end politely is ended for good."""
    monkeypatch.setattr(watcher, "STOP_SECONDS", 0.05)
    command = ["sh", "-c", "trap '' TERM; echo; while :; do sleep 1; done"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as stubborn:
        assert stubborn.stdout
        stubborn.stdout.readline()
        end_groups([stubborn.pid])
        assert stubborn.wait(PATIENCE) == -signal.SIGKILL
    end_groups([stubborn.pid, os.getpid() + 10**8])  # neither exists
