"""deploy/team_sql.py fills in the team's views, with the code of ./issuewire schema apply."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops import schema
from ops.team_sql import fill_in
from pipeline.team import Team
from tests.support.checkout import ROOT

SQL = "".join(path.read_text() for path in sorted(schema.SQL.glob("team/*.sql")))
TEXT = '[team]\nlogins = ["Mona"]\n[hours]\nzone = "Europe/Berlin"\ndays = "Mon-Fri"\n'


def run(python: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the program on the files of sql/team."""
    command = [python, "-B", str(ROOT / "deploy" / "team_sql.py"), str(path)]
    return subprocess.run(command, input=SQL, capture_output=True, text=True, timeout=30, check=False)


def test_the_statements_are_those_of_schema_apply(tmp_path: Path) -> None:
    """deploy.sh and `schema apply` make the same views of one file."""
    path = tmp_path / "team.toml"
    path.write_text(TEXT)
    done = run(sys.executable, path)
    assert (done.returncode, done.stdout) == (0, fill_in(SQL, Team.parse(TEXT)))


def test_every_problem_of_the_file_is_named(tmp_path: Path) -> None:
    """A wrong file ends with status 1 and no statement."""
    path = tmp_path / "team.toml"
    path.write_text("[bots")
    done = run(sys.executable, path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("team file: ")


def test_an_older_python_takes_a_file_without_values(tmp_path: Path) -> None:
    """The machine's python3 need not be 3.13 as long as no one has written a team file."""
    python = "/usr/bin/python3"
    if not Path(python).exists() or "3.13" in subprocess.check_output([python, "--version"], text=True):
        pytest.skip("there is no older python3 on this machine")
    path = tmp_path / "team.toml"
    assert (run(python, path).stdout, run(python, path).returncode) == (fill_in(SQL, None), 0)
    path.write_text("# [team]\n\n")
    assert run(python, path).stdout == fill_in(SQL, None)
    path.write_text(TEXT)
    done = run(python, path)
    assert (done.returncode, done.stderr) == (1, "team file: to read it here, Python 3.13 is needed\n")
