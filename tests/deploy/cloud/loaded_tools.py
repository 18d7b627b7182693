"""The installed gcloud and bq in processes that have imported them, which is most of a call's time."""

import shlex
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path

__all__ = ["LoadedTools"]

_HERE = Path(__file__).parent
_SECONDS = 60.0  # until a tool is imported
# bq is two programs: the first finds the credentials, and starts the second by the Python of this variable.
_BQ_PYTHON, _BQ_SCRIPT = "CLOUDSDK_BQ_PYTHON", "platform/bq/bq.py"


class LoadedTools:
    """Runs each call of some of gcloud and bq in a fork of a process of the tool, until closed.

    environment: of these processes. The tools read some variables while they are imported; a call should have
    these, and `variables`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], tools: Collection[str]) -> None:
        self._folder = folder
        (folder / "bin").mkdir(parents=True)
        self.variables = {"PATH": f"{folder / 'bin'}:{environment['PATH']}"}
        started = {tool: self._start(tool, tool, environment) for tool in tools}
        if "bq" in tools:
            started["bq.py"] = self._start("bq", "bq.py", {**environment, "TOOL_SCRIPT": _BQ_SCRIPT})
            self.variables[_BQ_PYTHON] = self._write_client("bq-python", "bq.py", skipped=1)
        for tool in tools:
            self._write_client(tool, tool)
        self._processes = list(started.values())
        end = time.monotonic() + _SECONDS
        while not all(self._socket(name).exists() for name in started):
            assert all(process.poll() is None for process in self._processes), "a tool did not start"
            assert time.monotonic() < end, "a tool did not start in time"
            time.sleep(0.05)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.communicate()

    def _socket(self, name: str) -> Path:
        return self._folder / f"{name}.socket"

    def _start(self, tool: str, name: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        # The tools, shell scripts, start Python with these arguments and then their own.
        return subprocess.Popen(
            [tool, self._socket(name)],
            cwd=_HERE,
            stdin=subprocess.PIPE,
            env={**environment, "CLOUDSDK_PYTHON_ARGS": "tool_server.py"},
        )

    def _write_client(self, program: str, name: str, skipped: int = 0) -> str:
        client = shlex.join([sys.executable, "-IS", str(_HERE / "tool_client.py"), str(self._socket(name))])
        path = self._folder / "bin" / program
        path.write_text(f'#!/bin/sh\nshift {skipped}\nexec {client} "$@"\n')
        path.chmod(0o755)
        return str(path)
