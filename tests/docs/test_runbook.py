"""Every fix in the runbook is a command that works as written, or says who has to do it where."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from local.processes import free_port
from ops.__main__ import ops
from tests.support.documents import PROGRAMS, block_lines, commands

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "operations.md").read_text()
PLACEHOLDERS = {"OWNER/REPO...": "acme/app", "OWNER/REPO": "acme/app", "FUNCTION": "ingest"}
CALLS = sorted({shlex.join(PLACEHOLDERS.get(word, word) for word in call) for call in commands(TEXT)})
CELLS = [
    line.rstrip(" |").rpartition(" | ")[2]
    for table in re.findall(r"^\|.*\| what to do \|\n\|[-|]+\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    for line in table.splitlines()
]
# What no command can do: no one has to act, or it is done elsewhere.
BY_HAND = re.compile(
    r"(nothing|wait|ask an administrator|see|do what the line says|report it)\b"
    r"|(in Slack|at GitHub|in the (routes|triage) file): "
)
# These read BigQuery. Without one they must get as far as its address.
QUERYING = ("why", "schema", "report")


def calls_of(program: str) -> list[str]:
    """Return the calls of one program."""
    return [call for call in CALLS if call.startswith(f"{program} ")]


def test_the_blocks_show_only_commands_that_are_checked() -> None:
    """Each line of a block is a call of a checked program, a helper of one, or what `status` prints."""
    helpers = ("echo ", "export ", "url=$(gcloud ", "BAD  ")
    lines, known = block_lines(TEXT), (*(f"{name} " for name in PROGRAMS), *helpers)
    assert len(lines) > 10
    assert [line for line in lines if not line.startswith(known)] == []


def test_every_fix_is_a_command_or_names_who_acts() -> None:
    """What to do is a command, or nothing, or something that is done in Slack, at GitHub or by others."""
    assert [cell for cell in CELLS if not commands(cell) and not BY_HAND.match(cell)] == []


def parse(command: click.Command, arguments: list[str], parent: click.Context | None = None) -> None:
    """Parse arguments as the command line does, with all that is required. Raises click's errors."""
    context = command.make_context(command.name or "issuewire", list(arguments), parent=parent)
    if isinstance(command, click.Group):
        _, child, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert child is not None
        parse(child, rest, context)


@pytest.mark.parametrize("call", calls_of("./issuewire"))
def test_the_operators_commands_are_understood(
    call: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each call of ./issuewire has the commands and options that exist, and all that are required."""
    monkeypatch.chdir(tmp_path)
    for name in ("payload.json", "deleted.json"):
        Path(name).write_text("{}")
    parse(ops, shlex.split(call)[1:])


@pytest.mark.parametrize("call", [call for call in calls_of("./issuewire") if call.split()[1] in QUERYING])
def test_the_operators_commands_reach_bigquery(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call that reads BigQuery gets as far as its address."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("BIGQUERY_DATASET", raising=False)
    result = CliRunner().invoke(ops, shlex.split(call)[1:])
    assert result.exit_code == 1
    assert result.output.startswith("Error: BigQuery refused or did not answer")


@pytest.mark.parametrize("call", calls_of("./deploy.sh"))
def test_the_deployment_commands_are_understood(call: str) -> None:
    """Each call of ./deploy.sh prints in a dry run what it would do."""
    settings = {"PROJECT": "runbook-project", "GITHUB_SOURCES": "acme/app"}
    settings |= {"ROUTES_FILE": str(Path(__file__).parent / "routes.toml")}
    settings |= {"TEAM_FILE": str(Path(__file__).parent / "team.toml")}
    settings |= {"TRIAGE_FILE": str(Path(__file__).parent / "triage.toml")}
    done = subprocess.run(
        ["./deploy.sh", "--dry-run", "--yes", *shlex.split(call)[1:]],
        cwd=ROOT,
        env=os.environ | settings | {"GITHUB_TOKEN": "none"},
        input="xoxb-1",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_runbook_shows_commands() -> None:
    """The runbook shows commands of every program; tests/deploy has gcloud check its own."""
    assert all(calls_of(name) for name in PROGRAMS)
    assert len(CELLS) > 50
    assert len(calls_of("./deploy.sh")) > 12
