"""Who hears what: config/routes.toml, checked as a whole, and the channels it gives for a repository."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeIs

from pipeline.errors import ConfigurationError
from pipeline.events import IssueEvent

_KEYS = {"name", "channels", "repositories"}
_CHANNEL = re.compile(r"[CDGU][A-Z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Events of the repositories that match one of the globs go to all of the channels."""

    name: str
    channels: tuple[str, ...]
    repositories: tuple[str, ...]

    def matches(self, event: IssueEvent) -> bool:
        """Tell whether this route wants the event; GitHub's names know no case."""
        name = (event.repository or "").lower()
        return any(fnmatchcase(name, glob.lower()) for glob in self.repositories)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The whole file."""

    routes: tuple[Route, ...]

    def channels(self, event: IssueEvent) -> tuple[str, ...]:
        """Return the channels that hear the event, in the file's order, each once."""
        matching = (route.channels for route in self.routes if route.matches(event))
        return tuple(dict.fromkeys(channel for channels in matching for channel in channels))


def parse(text: str) -> Routes:
    """Read the file's text. Raises ConfigurationError naming every problem."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # beyond TOMLDecodeError: a number of 4,301 digits
        raise ConfigurationError([f"routes file: {error}"]) from error
    entries = document.get("route", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigurationError(["routes file: write each route as [[route]]"])
    problems = [f"routes file: unknown table {name!r}" for name in document if name != "route"]
    if not entries:
        problems.append("routes file: there is no [[route]]")
    for number, entry in enumerate(entries, start=1):
        problems += [f"routes file: {_called(number, entry)}: {problem}" for problem in _problems(entry)]
    if problems:
        raise ConfigurationError(problems)
    return Routes(
        routes=tuple(
            Route(
                name=entry.get("name", f"route {number}"),
                channels=tuple(entry["channels"]),
                repositories=tuple(entry.get("repositories", ["*"])),
            )
            for number, entry in enumerate(entries, start=1)
        )
    )


def _called(number: int, entry: dict[str, Any]) -> str:
    name = entry.get("name")
    return f"route {number} ({name!r})" if isinstance(name, str) else f"route {number}"


def _problems(entry: dict[str, Any]) -> Iterator[str]:
    for key in sorted(entry.keys() - _KEYS):
        yield f"unknown key {key!r} (known: {', '.join(sorted(_KEYS))})"
    if not isinstance(entry.get("name", ""), str):
        yield "name is not a text"
    channels = entry.get("channels")
    if not _texts(channels) or not all(map(_CHANNEL.fullmatch, channels)):
        yield "channels is not a list of channel ids such as C0123456789"
    if not _texts(entry.get("repositories", ["*"])):
        yield 'repositories is not a list of globs such as "acme/*"'


def _texts(value: object) -> TypeIs[list[str]]:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, str) and item.strip() for item in value)
    )
