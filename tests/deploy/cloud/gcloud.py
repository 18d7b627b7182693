"""The installed gcloud in a process that has imported it: most of a call's time is that of its imports."""

import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["LoadedGcloud"]

_HERE = Path(__file__).parent
_SECONDS = 60.0  # until gcloud is imported


class LoadedGcloud:
    """Runs each call of `gcloud`, a program in the folder `tools`, in a fork of one process, until closed.

    environment: of that process. gcloud reads some variables while it is imported; a call should have these.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.tools = folder / "bin"
        self.tools.mkdir(parents=True)
        socket = folder / "socket"
        client = shlex.join([sys.executable, "-IS", str(_HERE / "gcloud_client.py"), str(socket)])
        program = self.tools / "gcloud"
        program.write_text(f'#!/bin/sh\nexec {client} "$@"\n')
        program.chmod(0o755)
        self._process = subprocess.Popen(
            ["gcloud", socket],
            cwd=_HERE,
            stdin=subprocess.PIPE,
            # gcloud, a shell script, starts Python with these arguments and then its own.
            env={**environment, "CLOUDSDK_PYTHON_ARGS": "gcloud_server.py"},
        )
        end = time.monotonic() + _SECONDS
        while not socket.exists():
            assert self._process.poll() is None, "gcloud did not start"
            assert time.monotonic() < end, "gcloud did not start in time"
            time.sleep(0.05)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
