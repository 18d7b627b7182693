"""Reads log entries of Cloud Logging through gcloud, for people who are logged in there."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from typing import Any

GCLOUD_SECONDS = 60.0
NOT_ENTRIES = "gcloud logging read printed something else than log entries"


class NotRead(Exception):
    """The logs could not be read; the text says why in one line."""


def read_logs(project: str, wanted: str, limit: int) -> list[dict[str, Any]]:
    """Return the newest log entries that match the filter, the newest first. Raises NotRead.

    A filter without a timestamp finds those of the last day only. Its language:
    https://cloud.google.com/logging/docs/view/logging-query-language
    """
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise NotRead("gcloud is not installed")
    options = ["--format=json", "--order=desc", f"--limit={limit}", "--quiet"]
    printed = _run([gcloud, "logging", "read", wanted, f"--project={project}", *options])
    try:
        entries = json.loads(printed or "[]")
    except ValueError as error:
        raise NotRead(NOT_ENTRIES) from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise NotRead(NOT_ENTRIES)
    return entries


def any_of(values: list[str]) -> str:
    """Return what stands between the brackets of a filter's NAME=(...)."""
    return " OR ".join(json.dumps(value) for value in values)


def _run(command: list[str]) -> str:
    """Return what gcloud prints. It is a shell script that starts Python; both end when the time is over."""
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
            printed, problems = process.communicate(timeout=GCLOUD_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise NotRead(f"gcloud gave no answer within {GCLOUD_SECONDS:.0f} s") from error
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        first = next((line.strip() for line in problems.splitlines() if line.strip()), "no message")
        raise NotRead(f"gcloud: {first.removeprefix('ERROR: ')}")
    return printed
