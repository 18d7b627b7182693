"""The functions log one JSON line per record under the real framework, and never a secret."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import requests

from local.processes import Child, accepts, free_port
from tests.functions.ingest.rig import SECRET, IngestRig, headers, issue_body, sign, wait_for
from tests.support.framework import Function
from tests.support.pubsub import TIMEOUT

Start = Callable[..., AbstractContextManager[IngestRig]]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
PROGRAM = """
import logging
import sys
import warnings
import functions_framework.aio
from pipeline import logs

logs.setup()

@functions_framework.http
def threaded(request):
    logs.start_request(delivery_id="d-1", traceparent=request.headers.get("traceparent"))
    logs.log.info("a line\\nof two, with ü and %s", "an argument")
    logging.getLogger("elsewhere").warning("a warning of others")
    logging.getLogger("elsewhere").info("not worth a line")
    warnings.warn("careful")
    logs.bind(repository="acme/app")
    raise ValueError("it broke")

@functions_framework.aio.http
async def asynchronous(request):
    return threaded(request)
"""


@pytest.fixture(params=["", "true"], ids=["plain", "with execution id"])
def execution_id(request: pytest.FixtureRequest) -> str:
    """Return both settings of LOG_EXECUTION_ID; the cloud sets it to true."""
    value: str = request.param
    return value


@pytest.fixture(params=["threaded", "asynchronous"])
def odd(request: pytest.FixtureRequest, tmp_path: Path, execution_id: str) -> Iterator[Function]:
    """Start a function that logs in every way and then raises."""
    source = tmp_path / "main.py"
    source.write_text(PROGRAM)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "functions_framework",
        "--source",
        str(source),
        "--target",
        request.param,
    ]
    child = Child(
        name="odd",
        command=[*command, "--host", "127.0.0.1", "--port", str(port)],
        log=tmp_path / "odd.log",
        environment={"LOG_EXECUTION_ID": execution_id},
    )
    child.start()
    try:
        child.wait_until(lambda: accepts(port))
        yield Function(url=f"http://127.0.0.1:{port}", port=port, child=child)
    finally:
        child.stop()


def lines_of(output: str) -> list[dict[str, Any]]:
    """Return the lines; each must be a JSON object with a severity and a message."""
    lines = [json.loads(line) for line in output.splitlines()]
    assert all(line["severity"] and line["message"] for line in lines)
    return lines


def test_every_record_is_one_line(odd: Function, execution_id: str) -> None:
    """Our lines, others', warnings and an uncaught error are one JSON line each, with delivery and trace."""
    assert requests.post(odd.url, headers={"traceparent": TRACEPARENT}, timeout=TIMEOUT).status_code == 500
    lines = wait_for(lambda: (found := lines_of(odd.output()))[3:] and found)
    assert [line["severity"] for line in lines] == ["INFO", "WARNING", "WARNING", "ERROR"]
    assert lines[0]["message"] == "a line\nof two, with ü and an argument"
    assert lines[1]["message"] == "a warning of others"
    assert "UserWarning: careful" in lines[2]["message"]
    assert "Traceback" in lines[3]["message"]
    assert "ValueError: it broke" in lines[3]["message"]
    for line in lines:
        assert line["delivery_id"] == "d-1"
        assert line["trace"] == line["logging.googleapis.com/trace"] == TRACE
    assert "repository" not in lines[0]
    assert lines[3]["repository"] == "acme/app"
    if execution_id:
        assert all(line["logging.googleapis.com/labels"]["execution_id"] for line in lines[:3])


def test_lines_of_ingest(start: Start, execution_id: str) -> None:
    """Every delivery is one line with its id, its trace and its outcome, and nothing of the last one."""
    with start(LOG_EXECUTION_ID=execution_id) as rig:
        body = issue_body()
        first = headers(body, traceparent=TRACEPARENT)
        message_id = rig.post(body, first).json()["message_id"]
        refused = headers(body, X_Hub_Signature_256=None)
        rig.post(body, refused)
        ping = headers(body, X_GitHub_Event="ping")
        rig.post(body, ping)
        lines = wait_for(lambda: (found := lines_of(rig.function.output()))[2:] and found)
        for line in lines:
            labels = line.pop("logging.googleapis.com/labels", {})
            assert ("execution_id" in labels) is bool(execution_id)
        about = {"event": "issues", "action": "opened", "repository": "acme/app", "issue": 7}
        assert lines == [
            {
                "severity": "INFO",
                "message": "Published",
                "message_id": message_id,
                "delivery_id": first["X-GitHub-Delivery"],
                "trace": TRACE,
                "logging.googleapis.com/trace": TRACE,
                **about,
            },
            {
                "severity": "WARNING",
                "message": "Refused: X-Hub-Signature-256 is missing or wrong.",
                "delivery_id": refused["X-GitHub-Delivery"],
                "reason": "signature",
                "status": 401,
            },
            {
                "severity": "INFO",
                "message": "Ping answered",
                "delivery_id": ping["X-GitHub-Delivery"],
                **about,
                "event": "ping",
            },
        ]


def test_nothing_secret_is_logged(start: Start, execution_id: str) -> None:
    """No log line contains a body, a signature or a secret, whatever the outcome of the delivery."""
    mark = "MARK-OF-THE-BODY"
    action = mark * 1000  # far longer than an attribute may be
    body = json.dumps({"action": action, "repository": {"full_name": action}, "title": mark}).encode()
    broken = body[:-1]
    with start(LOG_EXECUTION_ID=execution_id, PUBSUB_TOPIC="projects/test/topics/no-such-topic") as rig:
        rig.secret_manager.add_version(rig.secret, SECRET + b"-new\n")
        sent = [
            (503, body, headers(body)),
            (401, body, headers(body, X_Hub_Signature_256=sign(body, b"x"))),
            (400, broken, headers(broken)),
            (400, body, headers(body, X_GitHub_Event=mark + "!")),
            (400, body, headers(body, X_GitHub_Delivery=mark * 100)),
            (415, body, headers(body, Content_Type="text/plain")),
        ]
        for status, data, given in sent:
            assert rig.post(data, given).status_code == status
        output = rig.function.output()
        assert "ends in a newline" in lines_of(output)[0]["message"]
        assert mark not in output
        assert SECRET.decode() not in output
        for _, _, given in sent:
            assert given["X-Hub-Signature-256"] not in output
            assert given["X-Hub-Signature-256"][7:] not in output
