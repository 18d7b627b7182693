"""config/team.toml: who is who, when work is done, and what is promised."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any, Self

from pipeline import team_values
from pipeline.errors import ConfigurationError
from pipeline.targets import Target
from pipeline.working_hours import ALWAYS, Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPlan:
    """When which channel gets a digest of which repositories.

    `channels` maps a channel's id to globs over owner/name. `weekly` is the weekday of the week's numbers,
    Monday is 0, None for never. Issues opened before the day `since` are in no digest.
    """

    channels: Mapping[str, tuple[str, ...]]
    at: time
    weekly: int | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """All logins are in lower case.

    `logins` are the people whose comments answer, `away` are those who are neither assigned nor mentioned,
    `bots` are accounts of type User that are bots. The first of the `targets` that matches an issue counts.
    """

    logins: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    bots: tuple[str, ...] = ()
    hours: Hours = ALWAYS
    targets: tuple[Target, ...] = ()
    digest: DigestPlan | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the file's text. Raises ConfigurationError."""
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError([f"team file: {error}"]) from error
        bots = document.get("bots", {})
        found = bots.get("logins", []) if isinstance(bots, dict) else None
        if not isinstance(found, list) or not all(isinstance(login, str) for login in found):
            raise ConfigurationError(['team file: write [bots] with logins = ["a-login"]'])
        try:
            return cls._of(document)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigurationError([f"team file: {error}"]) from error

    @classmethod
    def _of(cls, document: dict[str, Any]) -> Self:
        team, bots = document.get("team", {}), document.get("bots", {})
        hours = _hours(document["hours"]) if "hours" in document else ALWAYS
        return cls(
            logins=_logins(team.get("logins", ())),
            away=_logins(team.get("away", ())),
            bots=_logins(bots.get("logins", ())),
            hours=hours,
            targets=tuple(_target(table, hours) for table in document.get("target", ())),
            digest=_digest(document["digest"]) if "digest" in document else None,
        )

    @classmethod
    def read(cls, environment: Mapping[str, str], folder: Path) -> Self:
        """Read TEAM_FILE, or `folder`/team.toml if there is one. Raises ConfigurationError."""
        named = environment.get("TEAM_FILE", "").strip()
        path = Path(named) if named else folder / "team.toml"
        if not named and not path.exists():
            return cls()
        try:
            return cls.parse(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                [f"TEAM_FILE cannot be read ({type(error).__name__}: {path})"]
            ) from error


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
