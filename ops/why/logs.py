"""Reads the functions' log lines about one issue: from Cloud Logging through gcloud, or from files."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from ops.why.timeline import LogLine, Logs
from pipeline.delivery import format_time

GCLOUD_SECONDS = 60.0
MAX_LINES = 1000


class _Failed(Exception):
    """gcloud gave no answer; the text says why."""


def from_cloud(project: str, names: Collection[str], number: int, since: datetime, until: datetime) -> Logs:
    """Return the lines from `since` to `until` about the issue in a repository of these names.

    If gcloud is missing, is not logged in, or does not answer, `left_out` says so.
    """
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return Logs(left_out="gcloud is not installed")
    wanted = log_filter(names, number, since, until)
    # The newest lines first, because of the limit.
    options = ["--format=json", "--order=desc", f"--limit={MAX_LINES}", "--quiet"]
    command = [gcloud, "logging", "read", wanted, f"--project={project}", *options]
    try:
        entries = json.loads(_run(command) or "[]")
        lines = tuple(_line(entry) for entry in entries)
    except _Failed as error:
        return Logs(left_out=str(error))
    except (ValueError, TypeError, LookupError, AttributeError):
        return Logs(left_out="gcloud logging read printed something else than log entries")
    return Logs(lines=lines[::-1], since=since, cut=len(lines) >= MAX_LINES)


def log_filter(names: Collection[str], number: int, since: datetime, until: datetime) -> str:
    """Return the filter for the functions' lines about the issue.

    Its language: https://cloud.google.com/logging/docs/view/logging-query-language
    """
    repositories = " OR ".join(json.dumps(name) for name in sorted(names))
    return (
        'resource.type="cloud_run_revision"'
        f' AND timestamp>="{format_time(since)}" AND timestamp<="{format_time(until)}"'
        f" AND jsonPayload.issue={number} AND jsonPayload.repository=({repositories})"
    )


def from_files(folder: Path, names: Collection[str], number: int) -> Logs:
    """Return the lines in the files FUNCTION.log of a folder, as `make serve` writes them."""
    wanted = {name.casefold() for name in names}
    lines = []
    try:
        for path in sorted(folder.glob("*.log")):
            for text in path.read_text(errors="replace").splitlines():
                fields = _object(text)
                if fields.get("issue") == number and str(fields.get("repository")).casefold() in wanted:
                    lines.append(LogLine.read(path.stem, fields))
    except OSError as error:
        return Logs(left_out=f"{folder} cannot be read: {error.strerror}")
    return Logs(lines=lines)


def _line(entry: dict[str, Any]) -> LogLine:
    service = str(entry["resource"]["labels"]["service_name"])
    return LogLine.read(service, entry["jsonPayload"], at=entry["timestamp"], severity=entry.get("severity"))


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object of a log line, empty for a line of another kind."""
    if not text.startswith("{"):
        return {}
    try:
        fields = json.loads(text)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


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
            raise _Failed(f"gcloud gave no answer within {GCLOUD_SECONDS:.0f} s") from error
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        first = next((line.strip() for line in problems.splitlines() if line.strip()), "no message")
        raise _Failed(f"gcloud: {first.removeprefix('ERROR: ')}")
    return printed
