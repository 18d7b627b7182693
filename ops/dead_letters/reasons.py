"""Why a subscriber gave up: the last error that its function logged about each delivery."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.dead_letters.letter import Letter
from ops.gcloud import NotRead, any_of, read_logs
from ops.log_files import read_log_files
from pipeline.delivery import format_time

MAX_LETTERS = 100  # whose reasons are read: a filter may have 20,000 characters
MAX_ENTRIES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """The reasons by delivery id and subscription; `left_out` says why some are missing."""

    found: dict[tuple[str, str], str] = field(default_factory=dict)
    left_out: str | None = None

    def of(self, letter: Letter) -> str | None:
        """Return the reason of one letter."""
        message = letter.message
        return self.found.get((message.delivery_id or "", message.gave_up or ""))


def from_cloud(project: str, letters: Sequence[Letter]) -> Reasons:
    """Read the reasons of the first letters through gcloud."""
    known = [letter for letter in letters if letter.message.delivery_id and letter.message.gave_up]
    if not known:
        return Reasons()
    try:
        entries = read_logs(project, log_filter(known[:MAX_LETTERS]), MAX_ENTRIES)
    except NotRead as error:
        return Reasons(left_out=str(error))
    found: dict[tuple[str, str], str] = {}
    for entry in entries:
        fields = _object(entry, "jsonPayload")
        service = _object(_object(entry, "resource"), "labels").get("service_name")
        key = (str(fields.get("delivery_id")), str(service))
        found.setdefault(key, sentence(fields))  # the newest entry comes first
    left_out = f"only those of the first {MAX_LETTERS} are read" if len(known) > MAX_LETTERS else None
    return Reasons(found=found, left_out=left_out)


def from_files(folder: Path, letters: Sequence[Letter]) -> Reasons:
    """Read the reasons in the files FUNCTION.log of a folder, as `make serve` writes them."""
    ids = {letter.message.delivery_id for letter in letters}
    found: dict[tuple[str, str], str] = {}
    try:
        for function, fields in read_log_files(folder):
            if fields.get("delivery_id") in ids and fields.get("severity") in {"ERROR", "CRITICAL"}:
                # The newest line is the last one.
                found[fields["delivery_id"], function.replace("_", "-")] = sentence(fields)
    except OSError as error:
        return Reasons(left_out=f"{folder} cannot be read: {error.strerror}")
    return Reasons(found=found)


def log_filter(letters: Sequence[Letter]) -> str:
    """Return the filter for the errors that the functions logged about these deliveries."""
    ids = sorted({letter.message.delivery_id or "" for letter in letters})
    services = sorted({letter.message.gave_up or "" for letter in letters})
    oldest = min(letter.message.received_at for letter in letters)
    return (
        'resource.type="cloud_run_revision" AND severity>=ERROR'
        f' AND timestamp>="{format_time(oldest)}" AND resource.labels.service_name=({any_of(services)})'
        f" AND jsonPayload.delivery_id=({any_of(ids)})"
    )


def sentence(fields: dict[str, Any]) -> str:
    """Return the reason of a log line, and its sentence: that of the error at the end of a traceback."""
    lines = [line.strip() for line in str(fields.get("message", "")).splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    _, separator, error = last.partition(": ")
    text = error if len(lines) > 1 and separator else last
    reason = fields.get("reason")
    return f"{reason}: {text}" if reason else text


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}
