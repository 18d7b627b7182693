"""ops schema apply creates and updates dataset, table and views from sql/."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local.processes import ROOT, free_port
from ops import schema as schema_module
from ops.__main__ import ops
from pipeline.team import Team
from tests.support.warehouse import COLUMNS, PROJECT, Proxy, Warehouse

CHANGING = {"etag", "lastModifiedTime", "creationTime", "numBytes", "numRows", "numTotalLogicalBytes"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run python -m ops in a separate process, without the user's credentials."""
    passed = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=ROOT,
        env=passed | environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def invoke(*arguments: str) -> Result:
    """Run the command in the test's process."""
    return CliRunner().invoke(ops, ["schema", "apply", "--project", PROJECT, *arguments], prog_name="ops")


def lines(text: str) -> Sequence[str]:
    """Return the lines of an output."""
    return text.strip().splitlines()


@pytest.fixture
def proxy(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Yield a proxy between the command and the engine, with short time limits."""
    proxy = Proxy(warehouse.url)
    proxy.start()
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
    monkeypatch.setattr(schema_module, "RETRY_SECONDS", 0.4)
    monkeypatch.setattr(schema_module, "STATEMENT_SECONDS", 0.4)
    yield proxy
    proxy.stop()


def snapshot(warehouse: Warehouse, dataset: str) -> tuple[Any, ...]:
    """Return the definitions of a dataset's tables and views, and its rows.

    The list of this BigQuery has all of a view. To get each view takes seconds.
    """
    found = sorted(warehouse.client.list_tables(dataset), key=lambda item: item.table_id)
    tables = [
        warehouse.client.get_table(item.reference).to_api_repr()
        if item.table_type == "TABLE"
        else item.to_api_repr()
        for item in found
    ]
    stable = [{name: value for name, value in table.items() if name not in CHANGING} for table in tables]
    return stable, warehouse.query("SELECT delivery_id FROM `${DATASET}.events` ORDER BY 1", dataset)


def test_apply_creates_everything_and_is_idempotent(warehouse: Warehouse) -> None:
    """A run creates dataset, tables and views; another one, here without most views, changes nothing."""
    dataset = warehouse.unused_name()
    command = ("schema", "apply", "--project", PROJECT, "--dataset", dataset)
    first = run(*command, BIGQUERY_EMULATOR_HOST=warehouse.url)
    assert (first.returncode, first.stderr) == (0, "")
    files = [str(path.relative_to(ROOT)) for path in schema_module.files()]
    assert lines(first.stdout) == [f"applied {name}" for name in files]
    row = dict.fromkeys(COLUMNS) | {
        "delivery_id": "kept",
        "event": "push",
        "issue_labels": [],
        "issue_assignees": [],
    }
    warehouse.insert(dataset, [row | dict.fromkeys(("event_at", "received_at"), "2026-01-05T12:00:00Z")])
    before = snapshot(warehouse, dataset)
    assert {table["tableReference"]["tableId"]: table["type"] for table in before[0]} == {
        "events": "TABLE",
        "delivery_ledger": "TABLE",
        "triage_actions": "TABLE",
        **{
            path.stem: "VIEW"
            for name in ("team", "views")
            for path in (schema_module.SQL / name).glob("*.sql")
        },
    }
    assert before[1] == [{"delivery_id": "kept"}]
    applied = list(schema_module.apply(warehouse.client, dataset, ["issue_events", "issue_history"]))
    assert len(applied) == len(files) - len(list(schema_module.SQL.glob("views/*.sql"))) + 2
    assert snapshot(warehouse, dataset) == before


def test_every_statement_can_be_repeated() -> None:
    """Each statement of sql/ creates what is missing, or replaces a view; none drops anything."""
    for path in schema_module.files():
        for statement in schema_module.statements(path, "d"):
            head = re.sub(r"--.*\n", "", statement).split("`")
            assert (head[0].strip(), head[1].partition(".")[0]) in {
                ("CREATE SCHEMA IF NOT EXISTS", "d"),
                ("CREATE TABLE IF NOT EXISTS", "d"),
                ("ALTER TABLE", "d"),
                ("CREATE OR REPLACE VIEW", "d"),
            }
            if head[0].strip() == "ALTER TABLE":
                changes = head[2].strip().split(",\n")
                assert all(change.lstrip().startswith("ADD COLUMN IF NOT EXISTS ") for change in changes)


def test_the_default_dataset_is_github(proxy: Proxy) -> None:
    """Without --dataset the dataset is `github`, as documented."""
    proxy.answer = lambda *_: (400, b"{}")
    assert invoke().exit_code == 1
    assert "[default: github]" in invoke("--help").output


def test_the_team_s_file_becomes_views(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file that TEAM_FILE names is applied; a wrong one ends the command before the first request."""
    applied: list[Any] = []
    monkeypatch.setattr(schema_module, "connect", lambda *_: None)
    monkeypatch.setattr(schema_module, "apply", lambda *arguments: applied.append(arguments) or [])
    path = tmp_path / "team.toml"
    monkeypatch.setenv("TEAM_FILE", str(path))
    path.write_text('[team]\nlogins = ["mona"]')
    assert invoke().exit_code == 0
    path.write_text('[team]\nlogin = ["mona"]')
    assert "team file: line 2: team: unknown key 'login'" in one_line_of(invoke())
    assert applied == [(None, "github", None, Team(logins=("mona",)))]


@pytest.mark.parametrize("name", ["", "a-b", "a.b", "a b", "a`; DROP", "\u00e9", "x" * 1025, "../x"])
def test_a_dataset_s_name_is_checked(name: str) -> None:
    """A malformed name of a dataset is refused before it becomes part of a statement."""
    result = invoke("--dataset", name)
    assert result.exit_code == 2
    assert lines(result.stderr)[-1] == (
        "Error: Invalid value for --dataset: use letters, digits and underscores only"
    )


@pytest.mark.parametrize("project", ["", " ", "a b", "P`"])
def test_a_project_s_id_is_checked(project: str) -> None:
    """A malformed project id is refused before the first request."""
    result = CliRunner().invoke(ops, ["schema", "apply", "--project", project])
    assert result.exit_code == 2
    assert lines(result.stderr)[-1] == "Error: Invalid value for --project: is not a project ID"


def one_line_of(result: Result) -> str:
    """Return the only line of a failed command, which exits with 1."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    [line] = lines(result.stderr)
    return line


def test_unreachable_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """If BigQuery is unreachable, the command gives up in time and reports it in one line."""
    monkeypatch.setattr(schema_module, "RETRY_SECONDS", 0.4)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{free_port()}")
    assert one_line_of(invoke()).startswith("Error: BigQuery refused or did not answer: ")


def test_a_wrong_emulator_address_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulator address without its scheme is reported in one line."""
    monkeypatch.setattr(schema_module, "RETRY_SECONDS", 0.4)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "localhost:9050")
    assert one_line_of(invoke()).startswith("Error: BigQuery refused or did not answer: ")


def test_a_silent_bigquery_is_one_line(proxy: Proxy) -> None:
    """If BigQuery does not answer, the command gives up in time and reports it in one line."""
    proxy.hold.set()
    assert one_line_of(invoke()).startswith("Error: BigQuery refused or did not answer: ")
    assert proxy.requests


def test_a_refusal_is_one_line(proxy: Proxy) -> None:
    """A refusal is reported in one line with BigQuery's own message."""
    refusal = {"error": {"code": 403, "message": "Access Denied: no right\nto create datasets"}}
    proxy.answer = lambda *_: (403, json.dumps(refusal).encode())
    line = one_line_of(invoke())
    assert line.startswith("Error: BigQuery refused or did not answer: 403 ")
    assert "Access Denied: no right" in line


def test_a_statement_without_an_end_is_one_line(proxy: Proxy) -> None:
    """If a statement does not end, the command gives up in time and reports it in one line."""
    reference = {"projectId": PROJECT, "jobId": "slow", "location": "US"}
    job = {
        "jobReference": reference,
        "configuration": {"query": {"query": "x"}},
        "status": {"state": "RUNNING"},
    }
    proxy.answer = lambda _method, path: (
        200,
        json.dumps(
            {"jobReference": reference, "jobComplete": False} if "/queries/" in path else job
        ).encode(),
    )
    assert one_line_of(invoke()).startswith("Error: BigQuery refused or did not answer: ")
    assert proxy.paths("GET")


@pytest.mark.parametrize("key_file", [None, "absent.json"], ids=["none", "missing-file"])
def test_missing_credentials_are_one_line(tmp_path: Path, key_file: str | None) -> None:
    """Missing credentials are reported in one line that names the command to run."""
    environment = {"HOME": str(tmp_path), "CLOUDSDK_CONFIG": str(tmp_path), "NO_GCE_CHECK": "true"}
    if key_file is not None:
        environment["GOOGLE_APPLICATION_CREDENTIALS"] = str(tmp_path / key_file)
    result = run("schema", "apply", "--project", "some-project", **environment)
    assert (result.returncode, result.stdout) == (1, "")
    [line] = lines(result.stderr)
    assert re.fullmatch(r"Error: no credentials: .+; run gcloud auth application-default login", line)


def test_help_names_what_is_needed() -> None:
    """The help says that nothing is dropped, and explains every option."""
    result = invoke("--help")
    assert result.exit_code == 0
    assert "nothing is ever dropped" in " ".join(result.output.split())
    assert "BIGQUERY_EMULATOR_HOST" in result.output
    assert schema_module.apply_command.params
    assert all(getattr(option, "help", None) for option in schema_module.apply_command.params)
