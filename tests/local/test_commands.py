"""make demo and make serve start everything, and leave nothing running."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from local import commands
from local.processes import accepts, free_port
from tests.support.signals import NOHUP

ROOT = Path(__file__).parent.parent.parent
PARTS = ("ingest", "notify_slack", "stream_bq", "pubsub", "bigquery", "slack", "secret_manager")
PATIENCE = 120.0


class Command:
    """One run of python -m local on ports of its own."""

    def __init__(self, folder: Path, *arguments: str, under: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.ports = {part: free_port() for part in PARTS}
        ports = [f"--port={part}={port}" for part, port in self.ports.items()]
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*under, sys.executable, "-m", "local", *arguments, f"--state={folder}", *ports],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def printed(self) -> str:
        """Return what it has printed so far."""
        return self.output.read_text()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition is true; fails if the process ends before."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.printed()
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.05)

    def left_running(self) -> list[str]:
        """Return the parts that still answer."""
        return [part for part, port in self.ports.items() if accepts(port)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Yield a function that starts a command; every command is ended after the test."""
    started: list[Command] = []

    def run(*arguments: str, under: tuple[str, ...] = ()) -> Command:
        folder = tmp_path / f"a team's folder {len(started)}"
        folder.mkdir()
        started.append(Command(folder, *arguments, under=under))
        return started[-1]

    yield run
    for command in started:
        if command.process.poll() is None:
            command.process.terminate()
            command.process.wait(PATIENCE)


def endpoints(command: Command) -> dict[str, object]:
    """Return the content of serve's endpoints.json once it exists."""
    path = command.folder / "endpoints.json"
    command.until(path.exists)
    found: dict[str, object] = json.loads(path.read_text())
    return found


def pids(command: Command) -> dict[str, int]:
    """Return the ids of serve's processes."""
    found = endpoints(command)["pids"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("status", [0, 1])
def test_the_demo_s_status_is_that_of_its_ledger(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int
) -> None:
    """If the ledger does not balance, the demo says so at its end, and exits with 1."""
    monkeypatch.setattr(commands, "running", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(commands.demo, "run", lambda *_: status == 0)
    result = CliRunner().invoke(commands.local, ["demo", "--state", str(tmp_path)])
    assert (result.exit_code, "does NOT balance" in result.stdout) == (status, status == 1)


def test_a_wrong_routes_file_is_reported_before_anything_starts(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    """Serve reports every problem of a wrong routes file before it starts anything, and exits with 1."""
    routes = tmp_path / "routes.toml"
    routes.write_text('[[route]]\nchannels = ["C0123456789"]\nlabel = ["bug"]\nformat = "ful"\n')
    serve = start("serve", "--pubsub=builtin", f"--routes={routes}")
    assert serve.process.wait(PATIENCE) == 1
    assert "line 3: route 1: unknown key 'label'" in serve.printed()
    assert "did you mean 'full'?" in serve.printed()
    assert "Traceback" not in serve.printed()
    assert serve.left_running() == []


def test_serve_writes_its_endpoints_and_starts_a_part_again(start: Callable[..., Command]) -> None:
    """Once everything answers, endpoints.json is there, for its owner only, until Ctrl-C.

    A part that is killed is started again, on its port, and nothing is lost.
    """
    serve = start("serve", "--pubsub=builtin")
    found = endpoints(serve)
    path = serve.folder / "endpoints.json"
    assert path.stat().st_mode & 0o077 == 0
    assert found.keys() >= {
        *("ingest_url", "notify_slack_url", "stream_bq_url", "pubsub_host", "bigquery_url", "slack_url"),
        *("console_url", "webhook_secret", "project", "topic", "dataset", "routes", "pids"),
    }
    assert serve.left_running() == list(PARTS)
    sent = subprocess.run(
        [
            *(sys.executable, "-m", "ops", "send", "--json", "--title", "Sent by a test"),
            *("--url", str(found["ingest_url"]), "--secret", str(found["webhook_secret"])),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert json.loads(sent.stdout)["status"] == 202
    first = pids(serve)
    os.kill(first["notify_slack"], signal.SIGKILL)
    serve.until(lambda: pids(serve)["notify_slack"] != first["notify_slack"])
    assert "notify_slack ended by itself (killed by SIGKILL); it is started again." in serve.printed()
    assert serve.left_running() == list(PARTS)
    page = lambda: requests.get(f"{found['console_url']}api/state", timeout=10).text  # noqa: E731
    serve.until(lambda: "Sent by a test" in page())
    serve.process.send_signal(signal.SIGINT)
    assert serve.process.wait(PATIENCE) == 130
    assert not path.exists()
    assert serve.left_running() == []
    assert "Traceback" not in serve.printed()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_starting_leaves_nothing(
    start: Callable[..., Command], number: signal.Signals
) -> None:
    """Ctrl-C, SIGTERM and a closed terminal stop a half-started stack, even if they come twice."""
    serve = start("serve", "--pubsub=builtin")
    serve.until(lambda: accepts(serve.ports["slack"]))
    serve.process.send_signal(number)
    with contextlib.suppress(ProcessLookupError):
        serve.process.send_signal(number)
    assert serve.process.wait(PATIENCE) == 128 + number
    assert serve.left_running() == []
    assert "Traceback" not in serve.printed()


def test_serve_under_nohup_outlives_its_terminal(start: Callable[..., Command]) -> None:
    """Under nohup, serve ignores the hang-up of its terminal; other signals still stop it."""
    serve = start("serve", "--pubsub=builtin", under=NOHUP)
    serve.until(lambda: accepts(serve.ports["slack"]))
    serve.process.send_signal(signal.SIGHUP)
    serve.until(lambda: accepts(serve.ports["ingest"]))
    serve.process.send_signal(signal.SIGINT)
    assert serve.process.wait(PATIENCE) == 130
    assert serve.left_running() == []


def test_the_parts_end_with_serve(start: Callable[..., Command]) -> None:
    """After kill -9 of serve, every part ends."""
    serve = start("serve", "--pubsub=builtin")
    serve.until(lambda: accepts(serve.ports["ingest"]))
    serve.process.kill()
    serve.process.wait()
    deadline = time.monotonic() + PATIENCE
    while serve.left_running():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_is_taken_is_named(start: Callable[..., Command], tmp_path: Path) -> None:
    """A second serve of a folder and a port in use are refused in one line; the first serve keeps running."""
    first = start("serve", "--pubsub=builtin")
    first.until(lambda: accepts(first.ports["slack"]))
    refused = {
        f"running already (process {first.process.pid})": ["serve", f"--state={first.folder}"],
        f"in use already: slack={first.ports['slack']}": [
            *("demo", f"--state={tmp_path}", f"--port=slack={first.ports['slack']}"),
        ],
    }
    for error, arguments in refused.items():
        second = subprocess.run(
            [sys.executable, "-m", "local", *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert error in second.stderr
    assert first.process.poll() is None


@pytest.mark.parametrize("text", ["ingest", "ingest=", "ingest=x", "ingest=70000", "nobody=1"])
def test_a_wrong_port_option_is_explained(text: str) -> None:
    """A malformed port option is refused with the expected form."""
    outcome = CliRunner().invoke(commands.local, ["demo", "--port", text])
    assert outcome.exit_code == 2
    assert "is not NAME=PORT" in outcome.output


@pytest.mark.parametrize("pause", [0.0, 0.01, 0.03, 0.06])
def test_a_signal_between_two_children_leaves_neither(start: Callable[..., Command], pause: float) -> None:
    """Ctrl-C also stops a function that was started a moment before."""
    serve = start("serve", "--pubsub=builtin")
    serve.until(lambda: any(serve.folder.glob("run-*/bigquery.log")))
    time.sleep(pause)
    serve.process.send_signal(signal.SIGINT)
    assert serve.process.wait(PATIENCE) == 130
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert [line for line in listing.splitlines() if f"--port {serve.ports['ingest']}" in line] == []
    assert serve.left_running() == []
