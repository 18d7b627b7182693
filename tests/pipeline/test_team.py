"""config/team.toml names accounts of type User that are bots."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.team import Team


def test_bots_are_known_by_their_logins_in_any_case() -> None:
    """The logins of [bots] are compared in lower case; other tables are for others."""
    text = '[team]\nlogins = ["mona"]\n[bots]\nlogins = ["K8s-CI-robot"]\n[[target]]\nwarn_at = 0.75\n'
    assert Team.parse(text).bots == ("k8s-ci-robot",)
    assert Team.parse("").bots == ()


@pytest.mark.parametrize("text", ["[bots", "bots = 1", '[bots]\nlogins = "x"', "[bots]\nlogins = [1]"])
def test_a_wrong_file_is_a_configuration_error(text: str) -> None:
    """A file that cannot be read as meant stops the function at its start, and says why."""
    with pytest.raises(ConfigurationError, match="team file: "):
        Team.parse(text)


def test_the_file_is_optional_unless_it_is_named(tmp_path: Path) -> None:
    """Without a file in the function's folder there are no bots; a file that TEAM_FILE names must exist."""
    assert Team.read({}, tmp_path) == Team()
    (tmp_path / "team.toml").write_text('[bots]\nlogins = ["a"]')
    assert Team.read({"TEAM_FILE": " "}, tmp_path).bots == ("a",)
    (tmp_path / "other.toml").write_text('[bots]\nlogins = ["b"]')
    assert Team.read({"TEAM_FILE": str(tmp_path / "other.toml")}, tmp_path).bots == ("b",)
    with pytest.raises(ConfigurationError, match="TEAM_FILE cannot be read"):
        Team.read({"TEAM_FILE": str(tmp_path / "missing.toml")}, tmp_path)
