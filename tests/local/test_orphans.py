"""The next start ends what a killed run left behind, and nothing else."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import orphans
from local.orphans import Record, end_orphans, identity
from local.stack.folders import make_run_folder


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process in a group of its own."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as sleeping:
        yield sleeping
        sleeping.kill()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a run."""
    folder = tmp_path / "run-1"
    folder.mkdir()
    return folder


def kill(record: Record) -> None:
    """Leave the record as a killed process leaves it: unlocked."""
    record._file.close()


def test_a_killed_run_s_processes_are_ended(run: Path, process: subprocess.Popen[bytes]) -> None:
    """They are ended once, and named."""
    record = Record(run)
    record.add("ingest", process.pid)
    kill(record)
    assert end_orphans(run.parent) == ["ingest"]
    assert process.wait(10) != 0
    assert end_orphans(run.parent) == []


def test_a_run_that_is_up_is_left_alone(run: Path, process: subprocess.Popen[bytes]) -> None:
    """What another serve or demo has started goes on, and its folder stays, however many runs follow."""
    record = Record(run)
    record.add("ingest", process.pid)
    for _ in range(4):
        make_run_folder(run.parent)
    assert end_orphans(run.parent) == []
    assert run.exists()
    assert process.poll() is None
    record.close()
    os.utime(run, (0, 0))
    make_run_folder(run.parent)
    assert not run.exists()


@pytest.mark.parametrize("number", [0, 1])
def test_a_foreign_process_is_left_alone(run: Path, process: subprocess.Popen[bytes], number: int) -> None:
    """A process with the same number, but another start time or another command, is not ours."""
    record = Record(run)
    record.add("ingest", process.pid)
    kill(record)
    path = run / "processes.jsonl"
    entry = json.loads(path.read_text())
    parts = entry["identity"].split(" ", 1)
    parts[number] += "1"
    path.write_text(json.dumps({**entry, "identity": " ".join(parts)}) + '\n{"name": "cut o')
    assert end_orphans(run.parent) == []
    assert process.poll() is None


@pytest.mark.parametrize("read", [identity, orphans._identity_by_ps])
def test_an_identity_is_of_one_process(read: object, process: subprocess.Popen[bytes]) -> None:
    """It stays the same, holds the command, and ends with the process, even if no one has waited for it."""
    assert callable(read)
    deadline = time.monotonic() + 10
    while (found := read(process.pid)) is None or "sleep" not in found:
        assert time.monotonic() < deadline
    assert read(process.pid) == found
    process.kill()
    while read(process.pid) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.wait()
    assert read(process.pid) is None
