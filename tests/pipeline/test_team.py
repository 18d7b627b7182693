"""config/team.toml says who is who, when work is done, and what is promised."""

import re
from datetime import date, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import ConfigurationError
from pipeline.targets import Target
from pipeline.team import DigestPlan, Team
from pipeline.working_hours import ALWAYS, Hours


def test_bots_are_known_by_their_logins_in_any_case() -> None:
    """The logins of [bots] are compared in lower case; other tables are for others."""
    text = '[team]\nlogins = ["mona"]\n[bots]\nlogins = ["K8s-CI-robot"]\n[[target]]\nrespond_in = "8h"\n'
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


def test_the_whole_file_is_read() -> None:
    """Every table of the file becomes a value; a day in a target is a working day of the team's hours."""
    team = Team.parse(
        """
[team]
logins = ["Mona", "kim"]
away = ["KIM"]
[bots]
logins = ["k8s-ci-robot"]
[hours]
zone = "Europe/Berlin"
days = "Mon-Fri"
from = "09:00"
to = "17:00"
holidays = ["2026-12-25"]
[[target]]
repositories = ["acme/*"]
labels_any = ["bug"]
respond_in = "2d"
warn_at = 0.5
[[target]]
respond_in = "2d"
calendar = true
[digest]
channels = { "C0123456789" = ["acme/*"] }
at = "08:30"
weekly = "Mon"
since = "2026-12-01"
"""
    )
    assert team == Team(
        logins=("mona", "kim"),
        away=("kim",),
        bots=("k8s-ci-robot",),
        hours=Hours(
            zone=ZoneInfo("Europe/Berlin"),
            days=frozenset(range(5)),
            opens=time(9),
            closes=time(17),
            holidays=frozenset({date(2026, 12, 25)}),
        ),
        targets=(
            Target(
                repositories=("acme/*",), labels_any=("bug",), respond_in=timedelta(hours=16), warn_at=0.5
            ),
            Target(respond_in=timedelta(hours=48), calendar=True),
        ),
        digest=DigestPlan(
            channels={"C0123456789": ("acme/*",)}, at=time(8, 30), weekly=0, since=date(2026, 12, 1)
        ),
    )


def test_without_hours_every_hour_counts() -> None:
    """Without [hours] work is done at all times, so a day of a target is 24 hours."""
    team = Team.parse('[[target]]\nrespond_in = "1d"')
    assert team.hours is ALWAYS
    assert team.targets[0].respond_in == timedelta(hours=24)
    assert team.digest is None


FILE = Path(__file__).parents[2] / "config" / "team.toml"


def test_the_file_that_is_shipped_changes_nothing() -> None:
    """Everything in it is commented out, so it is as no file."""
    assert Team.parse(FILE.read_text()) == Team()


def test_the_file_that_is_shipped_is_right_once_it_is_uncommented() -> None:
    """Its examples are valid, and every key of the file is among them."""
    lines = [line.removeprefix("# ") for line in FILE.read_text().splitlines()]
    text = "\n".join(line for line in lines if re.match(r"\[|\w+ = ", line))
    team = Team.parse(text)
    assert (team.logins, team.away, team.bots) == (("mona", "kim"), ("kim",), ("k8s-ci-robot",))
    assert [target.respond_in for target in team.targets] == [timedelta(hours=8), timedelta(hours=72)]
    assert team.hours.is_working_day(date(2026, 12, 24))
    assert not team.hours.is_working_day(date(2026, 12, 25))
    assert team.digest is not None
    assert team.digest.since == date(2026, 12, 1)
