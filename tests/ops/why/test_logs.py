"""ops why: the functions' log lines, from Cloud Logging through gcloud or from files."""

import json
import os
import shlex
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops import gcloud as gcloud_reader
from ops.why import logs
from ops.why.timeline import Logs
from tests.support.messages import NOON

ENTRY = {
    "timestamp": "2026-01-05T12:00:03.5Z",
    "severity": "WARNING",
    "resource": {"type": "cloud_run_revision", "labels": {"service_name": "team-notify-slack"}},
    "jsonPayload": {"message": "Not updated", "delivery_id": "d-1", "channel": "C1", "issue": 7.0},
}
EARLIER = ENTRY | {
    "timestamp": "2026-01-05T12:00:01Z",
    "resource": {"labels": {"service_name": "ingest"}},
}


@pytest.fixture
def gcloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts a gcloud of one shell line on the PATH; it records its arguments."""

    def install(line: str) -> Path:
        recorded = tmp_path / "arguments"
        program = tmp_path / "gcloud"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{shlex.quote(str(recorded))}\n{line}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
        return recorded

    return install


def read(names: tuple[str, ...] = ("acme/app",)) -> Logs:
    """Read the lines of an hour."""
    return logs.from_cloud("my-project", names, 7, NOON, NOON + timedelta(hours=1))


def test_the_filter_names_issue_repositories_and_time() -> None:
    """The filter has the number, every name of the repository, and both ends of the time."""
    assert logs.log_filter(["b/b", 'a/"a'], 7, NOON, NOON + timedelta(hours=1)) == (
        'resource.type="cloud_run_revision" AND timestamp>="2026-01-05T12:00:00.000000Z"'
        ' AND timestamp<="2026-01-05T13:00:00.000000Z" AND jsonPayload.issue=7'
        ' AND jsonPayload.repository=("a/\\"a" OR "b/b")'
    )


@pytest.mark.processes
def test_entries_become_lines_oldest_first(gcloud: Any) -> None:
    """Gcloud is asked for the newest entries of the project; they are returned in their order."""
    recorded = gcloud(f"echo {shlex.quote(json.dumps([ENTRY, EARLIER]))}")
    found = read()
    assert [(line.function, line.severity, line.channel) for line in found.lines] == [
        ("ingest", "WARNING", "C1"),
        ("notify_slack", "WARNING", "C1"),
    ]
    assert (found.left_out, found.cut, found.since) == (None, False, NOON)
    assert found.lines[1].at == NOON + timedelta(seconds=3.5)
    arguments = recorded.read_text().splitlines()
    assert arguments[:2] == ["logging", "read"]
    assert arguments[3:] == [
        "--project=my-project",
        "--format=json",
        "--order=desc",
        "--limit=1000",
        "--quiet",
    ]


@pytest.mark.processes
def test_a_limit_that_is_reached_is_said(gcloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines are cut if gcloud prints as many as it was asked for."""
    monkeypatch.setattr(logs, "MAX_LINES", 2)
    gcloud(f"echo {shlex.quote(json.dumps([ENTRY, EARLIER]))}")
    assert read().cut


@pytest.mark.processes
@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            "echo 'ERROR: (gcloud.logging.read) You do not have an active account.' >&2; exit 1",
            "gcloud: (gcloud.logging.read) You do not have an active account.",
        ),
        ("exit 3", "gcloud: no message"),
        ("echo nonsense", "gcloud logging read printed something else than log entries"),
        ("echo '[7]'", "gcloud logging read printed something else than log entries"),
        ("echo '[{\"jsonPayload\": {}}]'", "gcloud logging read printed something else than log entries"),
    ],
)
def test_logs_that_cannot_be_read_are_left_out(gcloud: Any, line: str, why: str) -> None:
    """If gcloud is not logged in, fails or prints nonsense, the logs are left out and one line says why."""
    gcloud(line)
    assert read() == Logs(left_out=why)


@pytest.mark.processes
def test_no_entries_are_no_failure(gcloud: Any) -> None:
    """A gcloud that prints nothing has found nothing."""
    gcloud("true")
    assert read() == Logs(since=NOON)


def runs(pid: int) -> bool:
    """Return whether a process still runs; one that has ended may wait for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.processes
def test_a_slow_gcloud_is_ended(gcloud: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After its time gcloud is ended together with the program that it has started."""
    monkeypatch.setattr(gcloud_reader, "GCLOUD_SECONDS", 1.0)
    child = tmp_path / "child"
    gcloud(f"sleep 60 & echo $! >{shlex.quote(str(child))}; wait")
    assert read() == Logs(left_out="gcloud gave no answer within 1 s")
    deadline = time.monotonic() + 10
    while runs(int(child.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_without_gcloud_the_logs_are_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without gcloud has no logs to read."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read() == Logs(left_out="gcloud is not installed")


def test_lines_of_files_are_those_about_the_issue(tmp_path: Path) -> None:
    """A folder's logs are read by function; other issues and lines that are no JSON are passed over."""
    about = {
        "repository": "Acme/App",
        "issue": 7,
        "severity": "INFO",
        "outcome": "stored",
        "delivery_id": "d",
    }
    others = [
        about | {"issue": 8},
        about | {"repository": "acme/other"},
        {"message": "x"},
        about | {"issue": "7"},
    ]
    text = "\n".join(["starting", "{broken", "[]", *(json.dumps(one) for one in (*others, about))])
    (tmp_path / "stream_bq.log").write_text(text)
    (tmp_path / "notes.txt").write_text(json.dumps(about))
    [line] = logs.from_files(tmp_path, ["acme/app"], 7).lines
    assert (line.function, line.outcome, line.at) == ("stream_bq", "stored", None)


def test_files_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    """A log that cannot be read is named with the reason."""
    (tmp_path / "ingest.log").mkdir()
    assert logs.from_files(tmp_path, ["acme/app"], 7).left_out == f"{tmp_path} cannot be read: Is a directory"
