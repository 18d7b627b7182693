"""The functions' log lines in the files that `make serve` writes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_log_files(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each file FUNCTION.log, and the fields of each line that is JSON. Raises OSError."""
    for path in sorted(folder.glob("*.log")):
        for text in path.read_text(errors="replace").splitlines():
            if fields := read_line(text):
                yield path.stem, fields


def read_line(text: str) -> dict[str, Any]:
    """Return the fields of a line, none if it is no JSON object."""
    if not text.startswith("{"):
        return {}
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}
