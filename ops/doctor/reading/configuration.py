"""Reads the routes and the team file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.notify_slack.routing import routes_file
from ops.doctor.facts import ConfigurationFile
from pipeline.errors import ConfigurationError
from pipeline.team import Team

_GLOB = set("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The files, and what they name: channels, repositories without a wildcard, and (login, path).

    `shows_pictures`: the week's numbers are asked for. `team` is None if its file is wrong.
    """

    files: tuple[ConfigurationFile, ...]
    team: Team | None = None
    channels: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    logins: tuple[tuple[str, str], ...] = ()
    shows_pictures: bool = False


def read_configuration(routes_path: Path, environment: Mapping[str, str], folder: Path) -> Configuration:
    """Read the routes file, and TEAM_FILE or `folder`/team.toml if there is one."""
    named = environment.get("TEAM_FILE", "").strip()
    team_path = Path(named) if named else folder / "team.toml"
    logins = _team_logins(team_path)
    team, problems = _team(environment, folder)
    files = [ConfigurationFile(path=str(team_path), problems=problems)]
    try:
        routes = routes_file.parse(routes_path.read_text("utf-8-sig"))
    except ConfigurationError as error:
        problems = tuple(problem.removeprefix("routes file: ") for problem in error.problems)
        return Configuration(
            files=(ConfigurationFile(path=str(routes_path), problems=problems), *files),
            team=team,
            logins=logins,
        )
    except (OSError, UnicodeDecodeError) as error:
        problems = (f"cannot be read: {type(error).__name__}",)
        return Configuration(
            files=(ConfigurationFile(path=str(routes_path), problems=problems), *files),
            team=team,
            logins=logins,
        )
    digest = team.digest if team else None
    exact = {name for route in routes.routes for name in route.repositories if not _GLOB & set(name)}
    return Configuration(
        files=(ConfigurationFile(path=str(routes_path), problems=()), *files),
        team=team,
        channels=tuple(
            dict.fromkeys(
                (
                    *(channel for route in routes.routes for channel in route.channels),
                    *(digest.channels if digest else ()),
                )
            )
        ),
        repositories=tuple(sorted(name for name in exact if "/" in name)),
        logins=(*((login, str(routes_path)) for login in routes.people), *logins),
        shows_pictures=digest is not None and digest.weekly is not None,
    )


def _team(environment: Mapping[str, str], folder: Path) -> tuple[Team | None, tuple[str, ...]]:
    """Return the team and the problems of its file."""
    try:
        return Team.read(environment, folder), ()
    except ConfigurationError as error:
        return None, tuple(problem.removeprefix("team file: ") for problem in error.problems)


def _team_logins(path: Path) -> tuple[tuple[str, str], ...]:
    """Return the logins in the file; what is wrong with it is a problem of its own."""
    try:
        document = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return ()
    lists = [
        _list(document, "team", "logins"),
        _list(document, "team", "away"),
        _list(document, "bots", "logins"),
    ]
    return tuple((login, str(path)) for login in dict.fromkeys(login for each in lists for login in each))


def _list(document: dict[str, Any], table: str, key: str) -> list[str]:
    values = document.get(table)
    found = values.get(key) if isinstance(values, dict) else None
    return [value for value in found if isinstance(value, str)] if isinstance(found, list) else []
