"""A program of the bench in a process of its own that answers questions: one line of JSON for each."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from local.processes import ROOT, STOP_SECONDS

type Json = dict[str, Any]


class WorkerFailed(Exception):
    """The process has ended or has not answered."""


class Worker:
    """Starts `python -m MODULE`; in a group of its own, so that Ctrl-C does not reach it.

    It ends by itself when this process does: its standard input is closed then.
    """

    def __init__(self, module: str, log: Path) -> None:
        self._module = module
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        self._process.wait(STOP_SECONDS)

    def ask(self, *, within: float = 30.0, **question: Any) -> Json:
        """Return the answer. Raises WorkerFailed after `within` seconds, or when the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._failed("has ended") from error
        readable, _, _ = select.select([self._process.stdout], [], [], within)
        if not readable:
            raise self._failed(f"did not answer within {within:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            raise self._failed("has ended")
        answer: Json = json.loads(line)
        return answer

    def _failed(self, what: str) -> WorkerFailed:
        return WorkerFailed(f"{self._module} {what}.\n{self._log.read_text(errors='replace')[-2000:]}")


async def answer_questions(answer: Callable[[Json], Awaitable[Json]]) -> None:
    """Answer the questions on standard input until it is closed."""
    reader = asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(await answer(json.loads(line))), flush=True)
