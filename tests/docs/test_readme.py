"""The README tells the truth: every command in it is run here, and what it shows is what is printed."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.notify_slack.routing import routes_file
from local.processes import accepts, free_port
from ops.send import accounts, payloads

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
SHOWN = [
    line
    for block in re.findall(r"^```\n(Deliveries.*?)^```", README, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
    if line.strip() not in {"", "..."} and "http://" not in line
]
PATIENCE = 120.0


def shell(command: str, **environment: str) -> subprocess.Popen[str]:
    """Start a command as a terminal would: in a process group of its own, from the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "ARGS"))}
    return subprocess.Popen(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(command: str, **environment: str) -> str:
    """Run a command to its end and return what it printed; it must succeed."""
    process = shell(command, **environment)
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, printed
    return printed


def press_ctrl_c(process: subprocess.Popen[str]) -> str:
    """Do to the command what Ctrl-C in its terminal does, and return what it printed."""
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=PATIENCE)
    return printed


def demo(command: str) -> None:
    """Every line that README shows is among what the demo prints."""
    printed = run(command).splitlines()
    plain = [line.rstrip() for line in printed]
    assert [line for line in SHOWN if line.rstrip() not in plain] == []


def serve_and_send(_command: str) -> None:
    """Play with a running make serve, in the order of the README."""
    endpoints = ROOT / ".local" / "endpoints.json"
    serve = shell("make serve")
    try:
        deadline = time.monotonic() + PATIENCE
        while not endpoints.exists():
            assert serve.poll() is None, serve.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for send in [command for command in COMMANDS if " -m ops send " in command]:
            assert "202" in run(send)
    finally:
        printed = press_ctrl_c(serve)
    assert "nothing is left running" in printed
    assert not endpoints.exists()


def sent_while_serving(command: str) -> None:
    """Run together with make serve, above."""
    assert "make serve" in COMMANDS[: COMMANDS.index(command)]


def schema_help(command: str) -> None:
    """Against an address where nothing listens, the command gets as far as the connection."""
    process = shell(command, BIGQUERY_EMULATOR_HOST=f"http://127.0.0.1:{free_port()}")
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert printed.startswith("Error: BigQuery refused or did not answer")


def one_function(command: str) -> None:
    """Start the function alone, and stop it with Ctrl-C."""
    port = free_port()
    process = shell(f"exec {command}", PORT=str(port))
    try:
        deadline = time.monotonic() + PATIENCE
        while not accepts(port):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        printed = press_ctrl_c(process)
    assert "PUBSUB_TOPIC is not set" in printed


def known_to_make(command: str) -> None:
    """Commands that would run this very test, measure or resolve: make knows them and what they start."""
    assert run(f"make --dry-run {command.removeprefix('make ')}").strip()


def needs_the_cloud(command: str) -> None:
    """Get as far as the first thing that is missing here: one line that names it, status 1 or 2."""
    process = shell(command, BIGQUERY_EMULATOR_HOST=f"http://127.0.0.1:{free_port()}", GITHUB_TOKEN="")
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode in {1, 2}, printed
    assert "Error: " in printed
    assert "Traceback" not in printed


def checks_routes(command: str) -> None:
    """Sum up the one route of the file that is shipped, which is good."""
    assert run(command).startswith("everything -> C0123456789: ")


def explains(command: str) -> None:
    """Say of a payload that was saved which routes hear it."""
    issue = payloads.Issue(
        repository=accounts.Repository(full_name="acme/app"),
        number=7,
        title="Export fails",
        author=accounts.Account(login="octavia"),
        created_at=datetime.now(UTC),
    )
    start, file = command.rsplit(" ", maxsplit=1)
    assert file == "payload.json"
    printed = run(f"{start} - <<<{shlex.quote(json.dumps(issue.opened().payload))}")
    assert printed == "matches   everything -> C0123456789\nCard in C0123456789: compact.\n"


def dry_run(command: str) -> None:
    """Print what the command would do to a project; tests/deploy run it for real against a recorder."""
    bare = command.split(" <", maxsplit=1)[0]
    run(
        bare.replace("./deploy.sh", "echo xoxb-1 | ./deploy.sh --dry-run --yes"),
        PROJECT="readme-project",
        GITHUB_TOKEN="none",
    )


RUNNERS: dict[str, Callable[[str], None]] = {
    "make demo": demo,
    "make serve": serve_and_send,
    "./issuewire send": sent_while_serving,
    "./issuewire schema": schema_help,
    "./issuewire report": needs_the_cloud,
    "./issuewire backfill": needs_the_cloud,
    "./issuewire routes check": checks_routes,
    "./issuewire routes explain": explains,
    ".venv/bin/python -m functions_framework": one_function,
    "./deploy.sh": dry_run,
    "make check": known_to_make,
    "make quick": known_to_make,
    "make test": known_to_make,
    "make bench": known_to_make,
    "make lock": known_to_make,
}


@pytest.fixture(autouse=True)
def interpreter() -> None:
    """README's commands name .venv: the tests must run from there."""
    assert Path(sys.prefix) == ROOT / ".venv", "run the tests with make test"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_works(command: str) -> None:
    """Every command that README shows does what README says."""
    runner = next((runner for start, runner in RUNNERS.items() if command.startswith(start)), None)
    assert runner is not None, f"README shows a command that no test runs: {command}"
    runner(command)


def test_the_readme_shows_the_demo() -> None:
    """The block with the demo's output is found, so the comparison above compares something."""
    assert len(SHOWN) > 20


def test_the_routes_of_the_readme_are_taken() -> None:
    """What README writes above the routes that are shipped is good, and its table leaves no key out."""
    [shown] = re.findall(r"^```toml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    shipped = (ROOT / "config" / "routes.toml").read_text()
    found = routes_file.parse(shown + shipped)
    assert found.people == {"octocat": "U0123456789"}
    for key in found.routes[0].__slots__:
        assert re.search(rf"^\|.*`{key}`.*\|.*\|", README, re.MULTILINE), key


def test_the_links_of_the_documents_lead_somewhere() -> None:
    """Every relative link in README and docs names a file that exists."""
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
