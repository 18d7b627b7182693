"""Starts one function under the real functions-framework server, in a process of its own."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.processes import Child, accepts, free_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A running function."""

    url: str
    port: int
    child: Child

    def output(self) -> str:
        """Return everything that the process has printed."""
        return self.child.log.read_text(errors="replace")

    def log_lines(self) -> list[dict[str, Any]]:
        """Return its JSON log lines."""
        return [json.loads(line) for line in self.output().splitlines() if line.startswith("{")]


@contextmanager
def function(
    name: str, folder: Path, environment: Mapping[str, str], source: Path | None = None
) -> Iterator[Function]:
    """Start functions/`name` (or `source`) with exactly this environment; its output goes to `folder`."""
    port = free_port()
    child = Child(
        name=name,
        command=[
            *(
                sys.executable,
                "-m",
                "functions_framework",
                "--source",
                str(source or f"functions/{name}/main.py"),
            ),
            *("--target", name, "--host", "127.0.0.1", "--port", str(port)),
        ],
        log=folder / f"{name}-{port}.log",
        environment=environment,
    )
    child.start()
    try:
        child.wait_until(lambda: accepts(port))
        yield Function(url=f"http://127.0.0.1:{port}", port=port, child=child)
    finally:
        child.stop()
