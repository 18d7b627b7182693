"""Reads the functions' log lines about one issue: from Cloud Logging through gcloud, or from files."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from ops.gcloud import NOT_ENTRIES, NotRead, any_of, read_logs
from ops.log_files import read_log_files
from ops.why.timeline import LogLine, Logs
from pipeline.delivery import format_time

MAX_LINES = 1000


def from_cloud(project: str, names: Collection[str], number: int, since: datetime, until: datetime) -> Logs:
    """Return the lines from `since` to `until` about the issue in a repository of these names.

    If gcloud is missing, is not logged in, or does not answer, `left_out` says so.
    """
    try:
        entries = read_logs(project, log_filter(names, number, since, until), MAX_LINES)
        lines = tuple(_line(entry) for entry in entries)
    except NotRead as error:
        return Logs(left_out=str(error))
    except (TypeError, LookupError, AttributeError):
        return Logs(left_out=NOT_ENTRIES)
    return Logs(lines=lines[::-1], since=since, cut=len(lines) >= MAX_LINES)


def log_filter(names: Collection[str], number: int, since: datetime, until: datetime) -> str:
    """Return the filter for the functions' lines about the issue."""
    return (
        'resource.type="cloud_run_revision"'
        f' AND timestamp>="{format_time(since)}" AND timestamp<="{format_time(until)}"'
        f" AND jsonPayload.issue={number} AND jsonPayload.repository=({any_of(sorted(names))})"
    )


def from_files(folder: Path, names: Collection[str], number: int) -> Logs:
    """Return the lines in the files FUNCTION.log of a folder, as `make serve` writes them."""
    wanted = {name.casefold() for name in names}
    lines = []
    try:
        for function, fields in read_log_files(folder):
            if fields.get("issue") == number and str(fields.get("repository")).casefold() in wanted:
                lines.append(LogLine.read(function, fields))
    except OSError as error:
        return Logs(left_out=f"{folder} cannot be read: {error.strerror}")
    return Logs(lines=lines)


def _line(entry: dict[str, Any]) -> LogLine:
    service = str(entry["resource"]["labels"]["service_name"])
    return LogLine.read(service, entry["jsonPayload"], at=entry["timestamp"], severity=entry.get("severity"))
