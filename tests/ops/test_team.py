"""ops team check names every problem of the team file, or sums it up."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.__main__ import ops

TEXT = """
[team]
logins = ["Mona", "kim"]
away = ["kim"]
[bots]
logins = ["k8s-ci-robot"]
[hours]
zone = "Europe/Berlin"
days = "Mon-Wed"
from = "09:00"
holidays = ["2026-12-25", "2026-12-26"]
[[target]]
labels_any = ["bug"]
respond_in = "1d"
[[target]]
repositories = ["acme/*"]
respond_in = "48h"
calendar = true
[digest]
channels = { "C0123456789" = ["acme/*"] }
weekly = "Mon"
since = "2026-12-01"
"""


def check(path: Path, *options: str) -> Result:
    """Run the command on a file."""
    return CliRunner().invoke(ops, ["team", "check", "--file", str(path), *options])


def test_a_file_is_summed_up(tmp_path: Path) -> None:
    """Each table has its line, as the functions understand it."""
    path = tmp_path / "team.toml"
    path.write_text(TEXT)
    result = check(path)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "team      mona, kim; away: kim",
        "bots      k8s-ci-robot",
        "hours     Mon, Tue, Wed 09:00-24:00 Europe/Berlin, 2 holidays",
        "target 1  repositories *; labels_any bug: 15 hours of working time, due soon after 11.25",
        "target 2  repositories acme/*: 48 hours by the clock, due soon after 36",
        "digest    acme/* -> C0123456789 at 09:00 Europe/Berlin, the week's numbers on Mon, since 2026-12-01",
    ]
    assert json.loads(check(path, "--json").stdout) == {"problems": []}


def test_the_file_that_is_shipped_says_what_holds_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --file it is config/team.toml, or the file of TEAM_FILE."""
    monkeypatch.delenv("TEAM_FILE", raising=False)
    assert CliRunner().invoke(ops, ["team", "check"]).stdout.splitlines() == [
        "team      owners, members and collaborators",
        "hours     every hour counts",
        "targets   none, so nothing is due",
        "digest    none",
    ]
    monkeypatch.setenv("TEAM_FILE", "missing.toml")
    result = CliRunner().invoke(ops, ["team", "check"])
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: missing.toml cannot be read: No such file or directory\n",
    )


def test_every_problem_is_named(tmp_path: Path) -> None:
    """A wrong file ends with status 1 and one line for each problem."""
    path = tmp_path / "team.toml"
    path.write_text(TEXT.replace("away", "holiday").replace("48h", "soon"))
    result = check(path)
    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [str(path)] * 2
    assert "line 4: team: unknown key 'holiday'" in lines[0]
    assert "line 17: target 2: respond_in must be" in lines[1]
    as_json = check(path, "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (1, {"problems": lines})
