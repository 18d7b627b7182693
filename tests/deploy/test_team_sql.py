"""deploy/team_sql.py fills in the team's views, with the code of ./issuewire schema apply."""

import ast
import subprocess
import sys
from pathlib import Path

from ops import schema
from ops.team_sql import fill_in
from pipeline.team import Team
from tests.deploy.sandbox import Sandbox
from tests.support.checkout import ROOT

PROGRAM = ROOT / "deploy" / "team_sql.py"
SQL = "".join(path.read_text() for path in sorted(schema.SQL.glob("team/*.sql")))
TEXT = '[team]\nlogins = ["Mona"]\n[hours]\nzone = "Europe/Berlin"\ndays = "Mon-Fri"\n'


def run(path: Path, version: str = "sys.version_info") -> subprocess.CompletedProcess[str]:
    """Run the program on the files of sql/team, as a Python of this version."""
    script = (
        f"import runpy, sys; sys.version_info = {version}; sys.argv = ['x', {str(path)!r}];"
        f" runpy.run_path({str(PROGRAM)!r})"
    )
    command = [sys.executable, "-B", "-c", script]
    return subprocess.run(command, input=SQL, capture_output=True, text=True, timeout=30, check=False)


def test_the_statements_are_those_of_schema_apply(tmp_path: Path) -> None:
    """deploy.sh and `schema apply` make the same views of one file."""
    path = tmp_path / "team.toml"
    path.write_text(TEXT)
    done = run(path)
    assert (done.returncode, done.stdout) == (0, fill_in(SQL, Team.parse(TEXT)))


def test_an_older_python_takes_a_file_without_values(tmp_path: Path) -> None:
    """The machine's python3 may be older than 3.13 as long as the team file says nothing."""
    path = tmp_path / "team.toml"
    assert (run(path, "(3, 9)").stdout, run(path, "(3, 9)").returncode) == (fill_in(SQL, None), 0)
    path.write_text("# [team]\n\n")
    assert run(path, "(3, 9)").stdout == fill_in(SQL, None)
    path.write_text(TEXT)
    done = run(path, "(3, 9)")
    assert (done.returncode, done.stderr) == (1, "team file: to read it here, Python 3.13 is needed\n")
    for module in (PROGRAM, ROOT / "ops" / "team_sql.py", ROOT / "ops" / "__init__.py"):
        ast.parse(module.read_text(), feature_version=(3, 8))


def test_a_deployment_makes_the_views_of_the_team(sandbox: Sandbox) -> None:
    """The script that bq runs has the team's views, before the views that read them."""
    (sandbox.checkout / "config" / "team.toml").write_text(TEXT)
    assert sandbox.run("setup").status == 0
    (call,) = sandbox.find("bq --project_id=acme-issues --location=US")
    assert "[STRUCT(\"mona\", 'team')]" in call.stdin
    assert "'Europe/Berlin') AS opens_at" in call.stdin
    assert call.stdin.index("github.accounts` OPTIONS") < call.stdin.index("github.issues` OPTIONS")
    assert "${" not in call.stdin


def test_a_wrong_team_file_is_reported_before_anything_is_changed(sandbox: Sandbox) -> None:
    """Each problem is named with its line, and nothing is created."""
    path = sandbox.checkout / "team of ours.toml"
    path.write_text('[team]\nlogin = ["mona"]\n[hours]\nzone = "Berlin"\n')
    outcome = sandbox.run("setup", TEAM_FILE=path.name)
    assert outcome.status == 1
    assert "team file: line 2: team: unknown key 'login', did you mean 'logins'?" in outcome.err
    assert "team file: line 4: hours: zone: there is no time zone 'Berlin'" in outcome.err
    assert "team of ours.toml is wrong (see above); nothing was changed" in outcome.err
    assert [call.line for call in sandbox.calls if " create " in call.line or " enable " in call.line] == []
