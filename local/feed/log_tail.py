"""Reads the functions' JSON log lines as the files grow: each line once, a bounded part at a time."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.log_files import read_line

CHUNK_BYTES = 256 * 1024  # of one file in one call
MAX_LINE_BYTES = 1024 * 1024  # the rest of a longer line is skipped

type Line = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class _File:
    """How far a file was read; `rest` is the beginning of a line that is not complete."""

    offset: int
    rest: bytes = b""
    skips: bool = False  # the line is too long, and its end has not come


class LogTail:
    """The files FUNCTION.log of a folder, from where they end now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {path: _File(path.stat().st_size) for path in folder.glob("*.log")}

    def read(self) -> tuple[list[Line], bool]:
        """Return the new lines as (function, fields), and whether there is more to read at once.

        A line that is no JSON object is left out. Raises OSError.
        """
        lines: list[Line] = []
        more = False
        for path in sorted(self._folder.glob("*.log")):
            file = self._files.setdefault(path, _File(0))
            chunk = _next_chunk(path, file)
            more = more or len(chunk) == CHUNK_BYTES
            for text in _complete_lines(file, chunk):
                fields = read_line(text.decode(errors="replace"))
                if fields:
                    lines.append((path.stem, fields))
        return lines, more


def _next_chunk(path: Path, file: _File) -> bytes:
    """Return the next bytes; of a file that has become shorter, from its beginning."""
    size = path.stat().st_size
    if size < file.offset:
        file.offset, file.rest, file.skips = 0, b"", False
    if size == file.offset:
        return b""
    with path.open("rb") as opened:
        opened.seek(file.offset, os.SEEK_SET)
        chunk = opened.read(CHUNK_BYTES)
    file.offset += len(chunk)
    return chunk


def _complete_lines(file: _File, chunk: bytes) -> list[bytes]:
    *lines, file.rest = (file.rest + chunk).split(b"\n")
    if file.skips and lines:
        del lines[0]
        file.skips = False
    if file.skips or len(file.rest) > MAX_LINE_BYTES:
        file.rest, file.skips = b"", True
    return lines
