"""ops report: writes one file, and reports every failure in one line."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from clients import bigquery
from local.processes import free_port
from local.seed.year import TEAM_FILE
from ops import schema
from ops.__main__ import ops
from ops.report import command, markdown
from tests.ops.report.conftest import VIEWS
from tests.support.reports import a_report
from tests.support.warehouse import PROJECT, Proxy, Warehouse


@pytest.fixture
def local(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command use the local BigQuery."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.url)
    monkeypatch.delenv("BIGQUERY_DATASET", raising=False)


def invoke(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(ops, ["report", *arguments], prog_name="ops")


def one_line_of(result: Result) -> str:
    """Return the only line that a failed command prints besides its progress."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    [line] = [line for line in result.stderr.splitlines() if not re.match(r" *\d+ s  reading ", line)]
    return line


@pytest.mark.usefixtures("local")
def test_the_command_writes_the_page_and_prints_the_numbers(
    year_dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--out writes one file, readable by others; --json prints the headline numbers."""
    monkeypatch.setenv("BIGQUERY_DATASET", f"{PROJECT}.{year_dataset}")
    out = tmp_path / "report.html"
    out.write_text("an older report")
    result = invoke("--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    numbers = json.loads(result.stdout)
    assert numbers["repositories"] == ["acme/app", "acme/cli", "acme/website"]
    assert numbers["time_to_close"]["n"] > 100
    assert f"wrote {out}" in result.stderr
    html = out.read_text("utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert html.count("<svg ") == 12 + 3, "six charts in two sizes, and a trend of each repository"
    assert "<script>alert(1)</script>" not in html
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert out.stat().st_mode & 0o777 == 0o644


@pytest.mark.usefixtures("local")
def test_markdown_goes_to_stdout_or_to_a_file(
    year_dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--format md prints the report, with the chosen labels and the targets of TEAM_FILE, or writes it."""
    monkeypatch.setenv("TEAM_FILE", str(TEAM_FILE))
    where = (
        "--project",
        PROJECT,
        "--dataset",
        year_dataset,
        "--format",
        "md",
        "--repository",
        "acme/website",
    )
    result = invoke(*where, "--label", "BUG", "--label", "absent")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# How issues are answered: acme/website\n")
    assert "| overdue by " in result.stdout
    assert "\n| bug | " in result.stdout
    assert "\n| absent | 0 | " in result.stdout
    monkeypatch.setattr(command, "read", lambda *_: a_report())
    out = tmp_path / "report.md"
    assert invoke(*where, "--out", str(out)).exit_code == 0
    assert out.read_text("utf-8") == markdown.render(a_report())


def test_a_wrong_team_file_is_one_line(proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team file that cannot be read is reported before BigQuery is queried."""
    monkeypatch.setenv("TEAM_FILE", str(tmp_path / "absent.toml"))
    line = one_line_of(invoke("--project", PROJECT, "--json"))
    assert "TEAM_FILE cannot be read" in line
    assert proxy.requests == []


@pytest.mark.usefixtures("local")
def test_an_empty_dataset_gives_a_page(warehouse: Warehouse, year_dataset: str, tmp_path: Path) -> None:
    """Without any event the command writes a page that says so, and exits with status 0."""
    out = tmp_path / "report.html"
    empty = warehouse.unused_name()
    tables = [
        f"CREATE TABLE `{empty}.{name}` AS SELECT * FROM `{year_dataset}.{name}` WHERE FALSE"
        for name in VIEWS
    ]
    warehouse.query("; ".join([f"CREATE SCHEMA `{empty}`", *tables]), empty)
    result = invoke("--project", PROJECT, "--dataset", empty, "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "No issue is stored yet" in out.read_text("utf-8")


@pytest.mark.usefixtures("local")
def test_what_is_missing_is_one_line(warehouse: Warehouse, tmp_path: Path) -> None:
    """A missing dataset or view is reported with the command that creates it; no file is written."""
    out = tmp_path / "report.html"
    missing, half = warehouse.unused_name(), warehouse.unused_name()
    for path in (schema.SQL / "events.sql", schema.SQL / "views" / "issue_events.sql"):
        for statement in schema.statements(path, half):
            warehouse.query(statement, half)
    for name in (missing, half):
        line = one_line_of(invoke("--project", PROJECT, "--dataset", name, "--out", str(out)))
        assert f"run ./issuewire schema apply --project {PROJECT} --dataset {name}" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("local")
def test_an_unknown_repository_is_one_line(year_dataset: str, tmp_path: Path) -> None:
    """A repository without events is reported with those that have some; no file is written."""
    out = tmp_path / "report.html"
    where = ("--project", PROJECT, "--dataset", year_dataset)
    assert one_line_of(invoke(*where, "--repository", "acme/ap", "--out", str(out))) == (
        "Error: nothing is stored of acme/ap; stored are: acme/app, acme/cli, acme/website"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def proxy(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Return a proxy between the command and the engine, with short time limits."""
    proxy = Proxy(warehouse.url)
    proxy.start()
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
    monkeypatch.setattr(bigquery, "RETRY_SECONDS", 0.4)
    monkeypatch.setattr(bigquery, "QUERY_SECONDS", 0.4)
    yield proxy
    proxy.stop()


def test_a_refusal_is_one_line(proxy: Proxy, tmp_path: Path) -> None:
    """A refusal by BigQuery is one line, with BigQuery's message; no file is written."""
    refusal = {"error": {"code": 403, "message": "Access Denied: no right\nto query"}}
    proxy.answer = lambda *_: (403, json.dumps(refusal).encode())
    line = one_line_of(invoke("--project", PROJECT, "--out", str(tmp_path / "report.html")))
    assert line.startswith("Error: BigQuery refused or did not answer: 403 ")
    assert list(tmp_path.iterdir()) == []


def test_a_bigquery_that_does_not_answer_is_one_line(proxy: Proxy, tmp_path: Path) -> None:
    """The command gives up within the time limit if BigQuery accepts the request and does not answer."""
    proxy.hold.set()
    line = one_line_of(invoke("--project", PROJECT, "--out", str(tmp_path / "report.html")))
    assert line.startswith("Error: BigQuery refused or did not answer: ")
    assert proxy.requests
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_bigquery_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command gives up within the time limit if BigQuery cannot be reached."""
    monkeypatch.setattr(bigquery, "RETRY_SECONDS", 0.4)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{free_port()}")
    line = one_line_of(invoke("--project", PROJECT, "--json"))
    assert line.startswith("Error: BigQuery refused or did not answer: ")


def test_missing_credentials_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the command names the command that creates them."""
    for name in ("BIGQUERY_EMULATOR_HOST", "BIGQUERY_DATASET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    line = one_line_of(invoke("--project", "some-project", "--json"))
    assert re.fullmatch(r"Error: no credentials: .+; run gcloud auth application-default login", line)


def test_a_file_that_cannot_be_written_is_one_line(proxy: Proxy, tmp_path: Path) -> None:
    """A missing folder is reported before BigQuery is queried."""
    out = tmp_path / "none" / "report.html"
    line = one_line_of(invoke("--project", PROJECT, "--out", str(out)))
    assert line == f"Error: {out} cannot be written: {out.parent} is not a folder"
    assert proxy.requests == []


def test_a_write_that_fails_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the new file cannot replace the old one, the old one stays and no temporary file is left."""
    out = tmp_path / "report.html"
    out.write_text("an older report")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(click.ClickException, match="No space left on device"):
        command.write(out, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert out.read_text() == "an older report"


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ((), "", "give --out FILE, --format md, or --json"),
        (("--format", "md", "--json"), "p.d", "Markdown and JSON both go to stdout: give --out FILE too"),
        (("--format", "json"), "p.d", "'json' is not one of 'html', 'md'."),
        (("--json",), "", "give --project, or set BIGQUERY_DATASET to PROJECT.DATASET"),
        (("--json",), "no-dot", "BIGQUERY_DATASET is not of the form PROJECT.DATASET"),
        (("--json", "--project", "a b"), "", "is not a project ID"),
        (("--json", "--project", "p", "--dataset", "a`b"), "", "use letters, digits and underscores only"),
        (("--json", "--project", "p", "--since", "2999-01-01"), "", "is in the future"),
        (("--json", "--project", "p", "--since", "soon"), "", "'soon' does not match the format '%Y-%m-%d'"),
        (("--out", "."), "p.d", "is a directory"),
    ],
)
def test_wrong_usage_is_reported(
    arguments: tuple[str, ...], environment: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing or invalid option is reported before any call."""
    monkeypatch.setenv("BIGQUERY_DATASET", environment)
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert expected in result.stderr.splitlines()[-1]


def test_progress_is_shown_after_two_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the first two seconds there is no output; after them each step is a line on stderr."""
    clock = iter([0.0, 1.9, 2.1])
    monkeypatch.setattr(command.time, "monotonic", lambda: next(clock))
    progress = command.progress()
    progress("the weeks")
    progress("the delay")
    assert capsys.readouterr() == ("", "   2 s  reading the delay ...\n")


def test_help_names_what_is_needed() -> None:
    """The help says what the command writes, and explains every option."""
    result = invoke("--help")
    assert result.exit_code == 0
    assert "BIGQUERY_EMULATOR_HOST" in result.output
    assert all(getattr(option, "help", None) for option in command.report.params)
