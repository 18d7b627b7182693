"""What Linux says about a process group: the CPU that it has used, and its memory."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
RESOLUTION = 1 / _TICKS
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """The parts of /proc/PID/stat that are used; `cpu` is in seconds."""

    group: int
    cpu: float


def parse_stat(text: str) -> Stat:
    """Read /proc/PID/stat. The second field is the program's name, which may contain spaces and brackets."""
    fields = text.rpartition(")")[2].split()
    return Stat(group=int(fields[2]), cpu=(int(fields[11]) + int(fields[12])) / _TICKS)


def parse_pss(text: str) -> int:
    """Return the bytes in /proc/PID/smaps_rollup; a shared page counts in parts for each process."""
    line = next(line for line in text.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024


def cpu_seconds(group: int) -> float:
    """Return the CPU seconds of all processes of a group, in steps of RESOLUTION."""
    return sum(stat.cpu for _, stat in _members(group))


def memory_bytes(group: int) -> int:
    """Return the memory of all processes of a group."""
    return sum(parse_pss((folder / "smaps_rollup").read_text()) for folder, _ in _members(group))


def _members(group: int) -> Iterator[tuple[Path, Stat]]:
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            try:
                stat = parse_stat((folder / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
            if stat.group == group:
                yield folder, stat
