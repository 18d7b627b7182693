"""Reads the routes file, the team file and the triage file."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.notify_slack.routing import routes_file
from functions.triage import rules_file
from functions.triage.rules import Rule
from ops.doctor.facts import ConfigurationFile
from pipeline.errors import ConfigurationError
from pipeline.settings import read_file
from pipeline.team import Team

_GLOB = set("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The files, and what they name: channels, repositories without a wildcard and logins with their file.

    `shows_pictures`: the week's numbers are asked for. `team` is None if its file is wrong.
    """

    files: tuple[ConfigurationFile, ...]
    team: Team | None = None
    channels: tuple[str, ...] = ()
    repositories: tuple[tuple[str, str], ...] = ()
    logins: tuple[tuple[str, str], ...] = ()
    shows_pictures: bool = False


def read_configuration(routes_path: Path, environment: Mapping[str, str], folder: Path) -> Configuration:
    """Read the routes file, and of team and triage the named file, or that in `folder` if there is one."""
    team_path, triage_path = (
        Path(environment.get(f"{name.upper()}_FILE", "").strip() or folder / f"{name}.toml")
        for name in ("team", "triage")
    )
    routes, of_routes = _read(
        "routes file", lambda: routes_file.parse(read_file({}, "ROUTES_FILE", routes_path))
    )
    team, of_team = _read("team file", lambda: Team.read(environment, folder))
    rules, of_triage = _read("triage file", lambda: _rules(environment, triage_path))
    digest = team.digest if team else None
    channels = [channel for route in (routes.routes if routes else ()) for channel in route.channels]
    exact = [
        *(
            (name, str(routes_path))
            for route in (routes.routes if routes else ())
            for name in route.repositories
        ),
        *((name, str(triage_path)) for rule in rules or () for name in rule.repositories),
    ]
    people = [
        *((login, str(routes_path)) for login in (routes.people if routes else ())),
        *_team_logins(team_path),
        *((login, str(triage_path)) for rule in rules or () for login in rule.assign),
    ]
    return Configuration(
        files=(
            ConfigurationFile(path=str(routes_path), problems=of_routes),
            ConfigurationFile(path=str(team_path), problems=of_team),
            ConfigurationFile(path=str(triage_path), problems=of_triage),
        ),
        team=team,
        channels=tuple(dict.fromkeys((*channels, *(digest.channels if digest else ())))),
        repositories=tuple(
            sorted({named for named in exact if "/" in named[0] and not _GLOB & set(named[0])})
        ),
        logins=tuple(dict.fromkeys(people)),
        shows_pictures=digest is not None and digest.weekly is not None,
    )


def _read[T](kind: str, read: Callable[[], T]) -> tuple[T | None, tuple[str, ...]]:
    """Return what a file says, or None and its problems."""
    try:
        return read(), ()
    except ConfigurationError as error:
        return None, tuple(problem.removeprefix(f"{kind}: ") for problem in error.problems)


def _rules(environment: Mapping[str, str], path: Path) -> tuple[Rule, ...]:
    is_named = bool(environment.get("TRIAGE_FILE", "").strip())
    return rules_file.read(environment, path.parent) if is_named or path.exists() else ()


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
