"""The documents are correct: every command in them works and prints the output that they show."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.notify_slack.routing import routes_file
from local.processes import accepts, free_port
from local.pubsub.emulator import find_emulator

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "samples/README.md")
]
PAGES += sorted((ROOT / "docs").glob("*.md"))
README = (ROOT / "README.md").read_text()
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
LINES = [
    line
    for page in PAGES
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
COMMANDS = list(dict.fromkeys(line for line in LINES if not line.startswith("export ")))
EXPORTED = dict(
    setting.split("=", 1)
    for line in LINES
    if line.startswith("export ")
    for setting in line.removeprefix("export ").split()
)
SHOWN = [
    line
    for block in re.findall(r"^```\n(Ledger.*?)^```", README, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
    if line.strip()
]
WAIT_SECONDS = 120.0


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
    printed, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0, printed
    return printed


def press_ctrl_c(process: subprocess.Popen[str]) -> str:
    """Interrupt the command as Ctrl-C in its terminal does, and return what it printed."""
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=WAIT_SECONDS)
    return printed


def demo(command: str) -> None:
    """Run the demo; it prints every line that README shows, and stops everything.

    It names its Pub/Sub, by default Google's emulator if that is installed, and shows cards, rows, numbers,
    who waits, and what triage did.
    """
    has_emulator = find_emulator() is not None
    assert has_emulator or "CI" not in os.environ
    ports = {part: free_port() for part in ("ingest", "notify_slack", "pubsub", "bigquery", "slack")}
    printed = run(command, ARGS=" ".join(f"--port {part}={port}" for part, port in ports.items()))
    assert [part for part, port in ports.items() if accepts(port)] == []
    plain = [line.rstrip() for line in printed.splitlines()]
    assert [line for line in SHOWN if line.rstrip() not in plain] == []
    assert plain[-1].strip() == 'make serve ARGS="--open"'
    assert ("Google's emulator" in printed) is has_emulator
    assert "acme/app#1 CSV export drops the last row" in printed
    assert "Login fails for <admin> & <!channel>" in printed
    numbers, rest = printed.split("First numbers")[1].split("Who waits for an answer")
    assert [line.split()[-3:] for line in numbers.splitlines() if line.startswith("acme/app ")] == [
        ["1", "6.0", "48.0"],
        ["0", "-", "-"],
    ]
    waiting, digest = rest.split("Slack: the digest of the last day")
    assert re.search(r"^acme/app +3 .* kim +30\.0$", waiting, re.MULTILINE)
    assert "overdue by 6 hours" in digest
    assert re.search(r"#3 Dark mode flashes white .*`component: theme`\n.*assigned to mona", printed)
    assert "issuewire[bot] assigned mona" in printed
    assert re.search(r"^welcome +acme/app#1 +comment .* would$", printed, re.MULTILINE)


def wait_for_endpoints(serve: subprocess.Popen[str], path: Path) -> str:
    """Return the content of the file that make serve writes once everything answers."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not path.exists():
        assert serve.poll() is None, serve.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return path.read_text()


def serve_and_send(_command: str) -> None:
    """Run README's `send` commands, in its order, while make serve runs.

    It has the options of the documents: the secret of a file, a port, and the browser that shows its page.
    """
    endpoints, folder = ROOT / ".local" / "endpoints.json", ROOT / ".local" / "own"
    folder.mkdir(parents=True, exist_ok=True)
    secret, browser, opened = (folder / name for name in ("webhook-secret.txt", "browser", "opened"))
    secret.write_text("a secret\n")
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" >"{opened}"\n')
    browser.chmod(0o700)
    port = free_port()
    options = f"--secret-file {secret} --port ingest={port} --open"
    serve = shell("make serve", ARGS=options, BROWSER=str(browser))
    try:
        found = json.loads(wait_for_endpoints(serve, endpoints))
        assert (found["webhook_secret"], found["ingest_url"]) == ("a secret", f"http://127.0.0.1:{port}/")
        for send in [command for command in COMMANDS if command.startswith("./issuewire send ")]:
            assert "202" in run(send)
    finally:
        printed = press_ctrl_c(serve)
    assert opened.read_text() == found["console_url"]
    assert "nothing is left running" in printed
    assert not endpoints.exists()


def served_with_a_secret(command: str) -> None:
    """Check that `serve_and_send` uses the options of the command."""
    assert command == 'make serve ARGS="--secret-file webhook-secret.txt --port ingest=8080"'


def sent_while_serving(command: str) -> None:
    """Check that `serve_and_send` runs the command: make serve comes before it."""
    assert "make serve" in COMMANDS[: COMMANDS.index(command)]


def schema_help(command: str) -> None:
    """Run the command against an address where nothing listens; it reaches the connection."""
    process = shell(command, BIGQUERY_EMULATOR_HOST=f"http://127.0.0.1:{free_port()}")
    printed, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert printed.startswith("Error: BigQuery refused or did not answer")


def one_function(command: str) -> None:
    """Start the function alone, and stop it with Ctrl-C."""
    port = free_port()
    process = shell(f"exec {command}", PORT=str(port))
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not accepts(port):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        printed = press_ctrl_c(process)
    assert "PUBSUB_TOPIC is not set" in printed


def known_to_make(command: str) -> None:
    """Check the target without running it, because it runs these tests or takes too long."""
    assert run(f"make --dry-run {command.removeprefix('make ')}").strip()


def needs_the_cloud(command: str) -> None:
    """Run the command without the cloud; it names what is missing in one line, with status 1 or 2."""
    nowhere = f"127.0.0.1:{free_port()}"
    environment = {"BIGQUERY_EMULATOR_HOST": f"http://{nowhere}", "GITHUB_TOKEN": ""}
    process = shell(command, **environment, **EXPORTED)
    printed, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode in {1, 2}, printed
    assert "Error: " in printed
    assert "Usage: " not in printed
    assert "Traceback" not in printed


def doctor(command: str) -> None:
    """Run the doctor without the cloud; it says of each part why it was not looked at."""
    process = shell(command, GITHUB_TOKEN="", GH_TOKEN="", PROJECT="")
    printed, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 3, printed
    assert "Slack not checked: " in printed
    assert "Traceback" not in printed


def checks_routes(command: str) -> None:
    """Run the check; it summarises the one route of the shipped file."""
    assert run(command).startswith("everything -> C0123456789: ")


def checks_team(command: str) -> None:
    """Run the check; in the shipped file everything is commented out."""
    assert run(command).startswith("team      owners, members and collaborators\n")


def explains(command: str) -> None:
    """Run the explanation; it names the routes that match the sample."""
    assert run(command) == "matches   everything -> C0123456789\nCard in C0123456789: compact.\n"


def checks_triage(command: str) -> None:
    """Run the check; in the shipped file everything is commented out."""
    assert run(command) == "There is no rule, so triage does nothing.\n"


def explains_triage(command: str) -> None:
    """Run the explanation; it prints what the page shows below it, or that the shipped file has no rule."""
    printed = run(command)
    assert f"```sh\n{command}\n```\n\n```\n{printed}```" in README or printed.startswith("There is no rule")


def dry_run(command: str) -> None:
    """Run the command with --dry-run; tests/deploy run it against an imitated cloud."""
    bare = command.split(" <", maxsplit=1)[0]
    run(
        bare.replace("./deploy.sh", "echo xoxb-1 | ./deploy.sh --dry-run --yes"),
        PROJECT="readme-project",
        GITHUB_TOKEN="none",
        ROUTES_FILE=str(Path(__file__).parent / "routes.toml"),  # the example's channel is refused
    )


RUNNERS: dict[str, Callable[[str], None]] = {
    "make demo": demo,
    "make serve ARGS=": served_with_a_secret,
    "make serve": serve_and_send,
    "./issuewire send": sent_while_serving,
    "./issuewire schema": schema_help,
    "./issuewire report": needs_the_cloud,
    "./issuewire backfill": needs_the_cloud,
    "./issuewire dead-letters": needs_the_cloud,
    "./issuewire replay": needs_the_cloud,
    "./issuewire why": needs_the_cloud,
    "./issuewire doctor": doctor,
    "./issuewire routes check": checks_routes,
    "./issuewire routes explain": explains,
    "./issuewire team check": checks_team,
    "./issuewire triage check": checks_triage,
    "./issuewire triage explain": explains_triage,
    "./issuewire triage replay": needs_the_cloud,
    ".venv/bin/python -m functions_framework": one_function,
    "./deploy.sh": dry_run,
    "make setup": known_to_make,
    "make check": known_to_make,
    "make quick": known_to_make,
    "make test": known_to_make,
    "make bench": known_to_make,
    "make lock": known_to_make,
}


@pytest.fixture(autouse=True)
def interpreter() -> None:
    """Check that the tests run from .venv, which README's commands name."""
    assert Path(sys.prefix) == ROOT / ".venv", "run the tests with make test"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_documented_command_works(command: str) -> None:
    """Every command in the documents works as they say."""
    runner = next((runner for start, runner in RUNNERS.items() if command.startswith(start)), None)
    assert runner is not None, f"README shows a command that no test runs: {command}"
    runner(command)


def test_the_readme_shows_the_demo() -> None:
    """README shows the whole ledger of the demo, which is compared with the demo's output."""
    assert len(SHOWN) == 14


def test_the_readme_is_short() -> None:
    """README has fewer than 200 lines and links every folder of the checkout that has code."""
    assert README.count("\n") < 200
    listed = subprocess.run(
        ["git", "ls-files", "*/*"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    folders = {name.split("/")[0] for name in listed if name} - {".ci", ".github", "functions"}
    functions = {"/".join(name.split("/")[:2]) for name in listed if name.startswith("functions/")}
    functions -= {"functions/__init__.py"}
    assert sorted(name for name in folders | functions if f"]({name})" not in README) == []


def test_the_routes_of_the_reference_are_valid() -> None:
    """The tables shown in the reference are valid, and its list of keys is complete."""
    [shown] = re.findall(r"^```toml\n(.*?)^```", REFERENCE, re.DOTALL | re.MULTILINE)
    shipped = (ROOT / "config" / "routes.toml").read_text()
    found = routes_file.parse(shown + shipped)
    assert found.people == {"octocat": "U0123456789"}
    for key in found.routes[0].__slots__:
        assert re.search(rf"^\|.*`{key}`.*\|.*\|", REFERENCE, re.MULTILINE), key


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_the_documents_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists, and every anchor a heading of that file."""
    for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{target}#{anchor}"


def test_the_threat_table_names_real_tests() -> None:
    """Every row of SECURITY.md's table names a test that exists."""
    rows = re.findall(r"^\| (?!threat|-)(.*)", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", "\n".join(rows))
    assert len(named) == len(rows) > 10
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(), f"{file}::{test}"
