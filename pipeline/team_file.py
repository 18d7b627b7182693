"""Makes the team of what config/team.toml says."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pipeline import team_values
from pipeline.errors import ConfigurationError
from pipeline.targets import Target
from pipeline.team import DigestPlan, Team
from pipeline.team_rules import problems
from pipeline.working_hours import ALWAYS, Hours


def read_document(text: str, document: dict[str, Any]) -> Team:
    """Return the team of the document that the text holds. Raises ConfigurationError naming every problem."""
    if found := list(problems(text, document)):
        raise ConfigurationError([f"team file: {problem}" for problem in found])
    hours = _hours(document["hours"]) if "hours" in document else ALWAYS
    team = document.get("team", {})
    return Team(
        logins=_logins(team.get("logins", ())),
        away=_logins(team.get("away", ())),
        bots=_logins(document.get("bots", {}).get("logins", ())),
        hours=hours,
        targets=tuple(_target(table, hours) for table in document.get("target", ())),
        digest=_digest(document["digest"]) if "digest" in document else None,
    )


def _logins(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(login.lower() for login in names)


def _hours(table: dict[str, Any]) -> Hours:
    return Hours(
        zone=team_values.zone(table["zone"]),
        days=team_values.days(table.get("days", "Mon-Sun")),
        opens=team_values.clock(table.get("from", "00:00")),
        closes=team_values.closing(table.get("to", "24:00")),
        holidays=frozenset(map(team_values.day, table.get("holidays", ()))),
    )


def _target(table: dict[str, Any], hours: Hours) -> Target:
    calendar = table.get("calendar", False)
    return Target(
        repositories=tuple(table.get("repositories", ("*",))),
        labels_any=tuple(table.get("labels_any", ())),
        labels_all=tuple(table.get("labels_all", ())),
        labels_none=tuple(table.get("labels_none", ())),
        respond_in=team_values.duration(table["respond_in"], timedelta(days=1) if calendar else hours.a_day),
        calendar=calendar,
        warn_at=table.get("warn_at", 0.75),
    )


def _digest(table: dict[str, Any]) -> DigestPlan:
    return DigestPlan(
        channels={channel: tuple(globs) for channel, globs in table["channels"].items()},
        at=team_values.clock(table.get("at", "09:00")),
        weekly=team_values.weekday(table["weekly"]) if "weekly" in table else None,
        since=team_values.day(table["since"]) if "since" in table else None,
    )
