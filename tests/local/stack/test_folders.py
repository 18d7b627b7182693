"""What the local stack reads before anything starts."""

from pathlib import Path

import pytest

from local.processes import NotReady
from local.stack.folders import read_team
from pipeline.team import Team


def test_a_wrong_team_file_starts_nothing(tmp_path: Path) -> None:
    """A wrong file ends the start with every problem of it; without a file there is no team."""
    assert read_team({}, tmp_path) == Team()
    path = tmp_path / "team.toml"
    path.write_text('[team]\nlogin = ["mona"]\n[bots]\nlogins = 1\n')
    with pytest.raises(
        NotReady, match=r"line 2: team: unknown key 'login'.*\n.*line 4: bots: logins must be"
    ):
        read_team({}, tmp_path)
    with pytest.raises(NotReady, match="TEAM_FILE cannot be read"):
        read_team({"TEAM_FILE": "missing.toml"}, tmp_path)
