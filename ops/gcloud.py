"""Reads through gcloud, for people who are logged in there."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

GCLOUD_SECONDS = 60.0
END_SECONDS = 6.0
NOT_ENTRIES = "gcloud logging read printed something else than log entries"


class NotRead(Exception):
    """It could not be read; the text says why in one line."""


def read_logs(project: str, wanted: str, limit: int) -> list[dict[str, Any]]:
    """Return the newest log entries that match the filter, the newest first. Raises NotRead.

    A filter without a timestamp finds those of the last day only. Its language:
    https://cloud.google.com/logging/docs/view/logging-query-language
    """
    options = ["--format=json", "--order=desc", f"--limit={limit}"]
    printed = read(project, ["logging", "read", wanted], options)
    try:
        entries = json.loads(printed or "[]")
    except ValueError as error:
        raise NotRead(NOT_ENTRIES) from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise NotRead(NOT_ENTRIES)
    return entries


def read(project: str, arguments: Sequence[str], options: Sequence[str] = ()) -> str:
    """Return what a command of gcloud prints that changes nothing. Raises NotRead."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise NotRead("gcloud is not installed")
    status, printed, problems = run([gcloud, *arguments, f"--project={project}", *options, "--quiet"])
    if status != 0:
        first = next((line.strip() for line in problems.splitlines() if line.strip()), "no message")
        raise NotRead(f"gcloud: {first.removeprefix('ERROR: ')}")
    return printed


def _end(process: "subprocess.Popen[str]") -> None:
    """End the process and what it has started; deploy.sh ends its children, which have other groups."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)


def any_of(values: list[str]) -> str:
    """Return what stands between the brackets of a filter's NAME=(...)."""
    return " OR ".join(json.dumps(value) for value in values)


def run(command: list[str], seconds: float | None = None) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of gcloud, or of a script that calls it. Raises NotRead.

    Both are shell scripts that start other programs; all end when the time is over.
    """
    name, seconds = Path(command[0]).name, seconds or GCLOUD_SECONDS
    with subprocess.Popen(  # noqa: S603 - the arguments are ours, and no shell reads them
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"CLOUDSDK_CORE_DISABLE_PROMPTS": "1"},
        start_new_session=True,
    ) as process:
        try:
            printed, problems = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise NotRead(f"{name} gave no answer within {seconds:.0f} s") from error
        finally:
            _end(process)
    return process.returncode, printed, problems
