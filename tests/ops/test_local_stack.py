"""The option --local: a command uses the make serve that is running."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops import local_stack
from ops.__main__ import ops
from tests.support.endpoints import endpoints, write_endpoints
from tests.support.messages import an_issue
from tests.support.warehouse import PROJECT, Warehouse

NOT_RUNNING = "Error: make serve is not running; start it in another terminal\n"
COMMANDS = {
    "report": ("report", "--local", "--json"),
    "schema apply": ("schema", "apply", "--local"),
    "backfill": ("backfill", "acme/app", "--local"),
    "why": ("why", "acme/app#7", "--local"),
    "dead-letters list": ("dead-letters", "list", "--local"),
    "replay": ("replay", "--local", "--delivery", "d-1"),
    "routes explain": ("routes", "explain", "--local", "payload.json"),
    "triage explain": ("triage", "explain", "--local", "payload.json"),
    "triage replay": ("triage", "replay", "--local", "--since", "2026-01-01"),
}


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, and return the endpoints file, which does not exist yet."""
    path = tmp_path / ".local" / "endpoints.json"
    monkeypatch.setattr(local_stack, "ENDPOINTS", path)
    monkeypatch.chdir(tmp_path)
    for name in ("BIGQUERY_DATASET", "BIGQUERY_EMULATOR_HOST", "PUBSUB_TOPIC", "PUBSUB_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    return path


def invoke(*arguments: str) -> Result:
    """Run a command in the test's process; it leaves the environment as it was."""
    before = dict(os.environ)
    result = CliRunner().invoke(ops, arguments, prog_name="issuewire")
    assert os.environ == before
    return result


def test_the_report_is_that_of_the_stack(file: Path, warehouse: Warehouse) -> None:
    """The report asks the stack's BigQuery for the stack's dataset, unless an option names another."""
    write_endpoints(file, bigquery_url=warehouse.url, project=PROJECT, dataset="theirs")
    assert f"a table or view of {PROJECT}.theirs is missing" in invoke(*COMMANDS["report"]).stderr
    mine = invoke(*COMMANDS["report"], "--dataset", "mine")
    assert f"a table or view of {PROJECT}.mine is missing" in mine.stderr


def test_an_explanation_follows_the_routes_of_the_stack(file: Path) -> None:
    """The explanation reads the routes file that the stack reads; --file wins."""
    for name in ("theirs", "mine"):
        Path(f"{name}.toml").write_text(f'[[route]]\nname = "{name}"\nchannels = ["C1"]\n')
    Path("payload.json").write_text(json.dumps(an_issue().opened().payload))
    write_endpoints(file, routes=str(Path("theirs.toml").resolve()))
    assert invoke(*COMMANDS["routes explain"]).stdout.startswith("matches   theirs -> C1\n")
    mine = invoke(*COMMANDS["routes explain"], "--file", "mine.toml")
    assert mine.stdout.startswith("matches   mine -> C1\n")


def test_an_explanation_follows_the_rules_of_the_stack(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules are those that the stack's triage has, unless an option names others."""
    monkeypatch.setenv("TRIAGE_FILE", "mine.toml")
    for name in ("theirs", "mine"):
        Path(f"{name}.toml").write_text(f'[[rule]]\nname = "{name}"\nadd_labels = ["x"]\n')
    Path("payload.json").write_text(json.dumps(an_issue().opened().payload))
    write_endpoints(file, triage=str(Path("theirs.toml").resolve()))
    assert invoke(*COMMANDS["triage explain"]).stdout.startswith("matches   theirs\n")
    mine = invoke(*COMMANDS["triage explain"], "--file", "mine.toml")
    assert mine.stdout.startswith("matches   mine\n")
    write_endpoints(file)
    assert invoke(*COMMANDS["triage explain"]).stdout.startswith("matches   mine\n")


@pytest.mark.parametrize(("team", "expected"), [("theirs.toml", "theirs.toml"), ("", "mine.toml")])
def test_the_team_is_that_of_the_stack(
    file: Path, monkeypatch: pytest.MonkeyPatch, team: str, expected: str
) -> None:
    """While the command runs, TEAM_FILE is the file that the stack reads, if it reads another than ours."""
    seen: list[str] = []

    def schema_apply(*_: Any) -> list[str]:
        seen.append(os.environ["TEAM_FILE"])
        return []

    monkeypatch.setattr("ops.schema.apply", schema_apply)
    monkeypatch.setenv("TEAM_FILE", "mine.toml")
    Path("mine.toml").touch()
    Path("theirs.toml").touch()
    write_endpoints(file, team=team)
    assert invoke(*COMMANDS["schema apply"]).exit_code == 0
    assert seen == [expected]


def test_the_clients_find_the_stack(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the command runs, clients find the stack by the environment; the user's own proxy is kept."""
    seen: dict[str, str] = {}

    def schema_apply(*_: Any) -> list[str]:
        seen.update(os.environ)
        return []

    monkeypatch.setattr("ops.schema.apply", schema_apply)
    monkeypatch.setenv("no_proxy", "intranet")
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://elsewhere")
    write_endpoints(file, pubsub_host="127.0.0.1:5", bigquery_url="http://127.0.0.1:6")
    assert invoke(*COMMANDS["schema apply"]).exit_code == 0
    assert seen["PUBSUB_EMULATOR_HOST"] == "127.0.0.1:5"
    assert seen["PUBSUB_TOPIC"] == "projects/local-dev/topics/github-events"
    assert seen["BIGQUERY_EMULATOR_HOST"] == "http://127.0.0.1:6"
    assert seen["no_proxy"] == seen["NO_PROXY"] == "intranet,127.0.0.1,localhost"


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_without_a_running_stack_a_command_names_make_serve(command: tuple[str, ...]) -> None:
    """Without a running stack, each command ends with one line that names make serve, and with status 1."""
    result = invoke(*command)
    assert (result.exit_code, result.output) == (1, NOT_RUNNING)


def ended_pid() -> int:
    """Return the id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(30)
    return process.pid


DAMAGED: dict[str, bytes | dict[str, Any]] = {
    "empty": b"",
    "list": b"[]",
    "object": b"{}",
    "bytes": b"\xff",
    "deep": b"[" * 200_000,
    "wrong-type": {"bigquery_url": 5},
    "empty-value": {"routes": ""},
    "no-pid": {"pids": {}},
    "pid-as-text": {"pids": {"local": "1"}},
    "negative-pid": {"pids": {"local": -1}},
    "huge-pid": {"pids": {"local": 2**70}},
    "list-of-pids": {"pids": []},
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_no_stack(file: Path, content: bytes | dict[str, Any]) -> None:
    """A damaged endpoints file counts as no running stack."""
    file.parent.mkdir()
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(endpoints(**content)).encode())
    assert invoke(*COMMANDS["report"]).output == NOT_RUNNING


def test_the_file_of_a_killed_stack_is_no_stack(file: Path) -> None:
    """The file that a killed stack has left behind counts as no running stack."""
    write_endpoints(file, pids={"local": ended_pid()})
    assert invoke(*COMMANDS["report"]).output == NOT_RUNNING


def test_another_folder_is_named_by_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ISSUEWIRE_STATE names the folder of a `serve --state`; without it, or empty, the folder is .local."""
    write_endpoints(file, ingest_url="http://usual/")
    other = file.parent.with_name("a team's folder")
    write_endpoints(other / file.name, ingest_url="http://other/")
    for state, url in ((str(other), "http://other/"), ("", "http://usual/")):
        monkeypatch.setenv("ISSUEWIRE_STATE", state)
        stack = local_stack.find()
        assert stack is not None
        assert stack.ingest_url == url


def test_the_stack_of_another_user_is_running(file: Path) -> None:
    """A process that this user may not signal is running."""
    write_endpoints(file, pids={"local": 1})
    assert local_stack.find() is not None
