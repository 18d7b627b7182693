"""The processes of a run, in a file of its folder: the next start ends what a killed run left behind."""

import fcntl
import json
import os
import subprocess
import time
from pathlib import Path
from typing import IO

from local.watcher import end_groups

_FILE = "processes.jsonl"


class Record:
    """Keeps the file of a run. The system unlocks it when this process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        draft = self._path.with_suffix(".new")  # another start must not find it unlocked
        self._file = draft.open("w", encoding="utf-8")
        lock(self._file)
        draft.rename(self._path)

    def add(self, name: str, pid: int) -> None:
        """Note a process that was started; it leads a group of its own."""
        deadline = time.monotonic() + 1.0
        while (found := identity(pid)) is None and time.monotonic() < deadline:
            time.sleep(0.001)  # for a moment, a new process has no command
        self._file.write(json.dumps({"name": name, "pid": pid, "identity": found}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Forget the processes: they have ended."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def is_running(folder: Path) -> bool:
    """Return whether the run of this folder is still up."""
    try:
        with (folder / _FILE).open() as file:
            return not lock(file)
    except FileNotFoundError:
        return False


def end_orphans(state: Path) -> list[str]:
    """End what the killed runs of this folder left running; return the parts' names.

    A process is ended only if its number, its start time and its command are those of the record: its number
    may belong to another program by now.
    """
    ended = []
    for path in sorted(state.glob(f"run-*/{_FILE}")):
        with path.open(encoding="utf-8") as file:
            if not lock(file):
                continue
            lines = [json.loads(line) for line in file if line.endswith("\n")]
            ours = [line for line in lines if line["identity"] and identity(line["pid"]) == line["identity"]]
            end_groups(line["pid"] for line in ours)
            ended += [line["name"] for line in ours]
            path.unlink()
    return sorted(ended)


def lock(file: IO[str]) -> bool:
    """Lock an open file until it is closed; return False if another process has it locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def identity(pid: int) -> str | None:
    """Return the start time and the command of a process; None if it has ended or has no command yet."""
    if not Path("/proc/self/stat").exists():  # macOS
        return _identity_by_ps(pid)
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return f"{fields[18]} {command}" if command and state != "Z" else None


def _identity_by_ps(pid: int) -> str | None:
    command = ["ps", "-ww", "-o", "stat=,lstart=,command=", "-p", str(pid)]
    plain = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(command, capture_output=True, env=plain, timeout=10, check=False)
    state, _, found = done.stdout.decode(errors="replace").strip().partition(" ")
    return None if not found or state.startswith("Z") else found.strip()
