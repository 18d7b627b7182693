"""config/routes.toml, checked as a whole: the routes, or every problem at once with its line."""

import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeIs, get_args

from pipeline.errors import ConfigurationError

from .card import EVENTS
from .routes import Private, Route, Routes

MUTED = ("*[bot]",)  # when the file says nothing

_TABLES = ("defaults", "route")
_DEFAULTS = ("mute_authors",)
_KEYS = ("name", "channels", "repositories", "events", "private", "mute_authors")
_CHANNEL = re.compile(r"[CDGU][A-Z0-9]+")
_LOGIN = re.compile(r"[\w*?\[\]-]+", re.ASCII)
_EVERYBODY = re.compile(r"\*+\??\**|\?\*+")
# What may mean an owner/name: one slash between two names, or a wildcard that can stand for the slash.
_GLOB = re.compile(r"[\w.*?-]+/[\w.*?-]+|(?=.*[*?])[\w.*?-]+|.*\[.*", re.ASCII)
_HEADER = re.compile(r"\s*\[\[?\s*([\w-]+)\s*[].]", re.ASCII)
_KEY = re.compile(r"""\s*(["']?)([\w-]+)\1\s*=""", re.ASCII)

type _Problem = tuple[str | None, str]  # the key that it is about, and what is wrong


def parse(text: str) -> Routes:
    """Read the file's text. Raises ConfigurationError naming every problem."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # beyond TOMLDecodeError: a number of 4,301 digits
        raise ConfigurationError([f"routes file: {error}"]) from error
    entries = document.get("route", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigurationError(["routes file: write each route as [[route]]"])
    problems = list(_all_problems(document, entries, _Places.of(text, routes=len(entries))))
    if problems:
        raise ConfigurationError(problems)
    muted = document.get("defaults", {}).get("mute_authors", MUTED)
    return Routes(
        routes=tuple(
            Route(
                name=_name(number, entry),
                channels=tuple(entry["channels"]),
                repositories=tuple(entry.get("repositories", ["*"])),
                labels_any=(),
                labels_all=(),
                labels_none=(),
                events=tuple(entry.get("events", ())),
                private=entry.get("private", "any"),
                mute_authors=tuple(entry.get("mute_authors", muted)),
                format="compact",
                mention=(),
            )
            for number, entry in enumerate(entries, start=1)
        )
    )


@dataclass(slots=True)
class _Places:
    """Where tables and keys stand: {name: line}, a table's own line under the name "".

    A plain scan. It gives no lines at all where it could be wrong: in a file with texts of several lines, or
    when it counts other routes than the parser.
    """

    top: dict[str, int] = field(default_factory=dict)
    defaults: dict[str, int] = field(default_factory=dict)
    routes: list[dict[str, int]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, routes: int) -> "_Places":
        found = cls()
        table = found.top
        for number, line in enumerate(text.split("\n"), start=1):
            if header := _HEADER.match(line):
                found.top.setdefault(header[1], number)
                table = found._table(line, number)
            elif line.lstrip().startswith("["):
                table = {}  # a list within a list, or a quoted name: what follows is not known to belong here
            elif key := _KEY.match(line):
                table.setdefault(key[2], number)
        sure = len(found.routes) == routes and '"""' not in text and "'''" not in text
        return found if sure else cls(routes=[{} for _ in range(routes)])

    def _table(self, line: str, number: int) -> dict[str, int]:
        written = "".join(line.split("#", maxsplit=1)[0].split())
        if written == "[[route]]":
            self.routes.append({"": number})
            return self.routes[-1]
        if written == "[defaults]":
            self.defaults[""] = number
            return self.defaults
        return {}


def _all_problems(document: dict[str, Any], entries: list[dict[str, Any]], places: _Places) -> Iterator[str]:
    for name in [name for name in document if name not in _TABLES]:
        yield _told(places.top, name, f"unknown table {name!r}{_meant(name, _TABLES)}")
    defaults = document.get("defaults", {})
    if isinstance(defaults, dict):
        for key, problem in _default_problems(defaults):
            yield _told(places.defaults, key, f"defaults: {problem}")
    else:
        yield _told(places.top, "defaults", "write the defaults as one table [defaults]")
    if not entries:
        yield "routes file: there is no [[route]]"
    names: dict[str, int] = {}
    for number, (entry, lines) in enumerate(zip(entries, places.routes, strict=True), start=1):
        for key, problem in _problems(entry):
            yield _told(lines, key, f"{_called(number, entry)}: {problem}")
        first = names.setdefault(_name(number, entry), number)
        if first != number:
            yield _told(lines, "name", f"{_called(number, entry)}: route {first} has the same name")


def _told(lines: dict[str, int], key: str | None, problem: str) -> str:
    line = lines.get(key or "", lines.get(""))
    return f"routes file: {f'line {line}: ' if line else ''}{problem}"


def _name(number: int, entry: dict[str, Any]) -> str:
    name = entry.get("name")
    return name if isinstance(name, str) else f"route {number}"


def _called(number: int, entry: dict[str, Any]) -> str:
    name = entry.get("name")
    return f"route {number} ({name!r})" if isinstance(name, str) else f"route {number}"


def _default_problems(defaults: dict[str, Any]) -> Iterator[_Problem]:
    yield from _unknown(defaults, _DEFAULTS)
    yield from _mute_problems(defaults)


def _problems(entry: dict[str, Any]) -> Iterator[_Problem]:
    yield from _unknown(entry, _KEYS)
    name = entry.get("name", "route")
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        yield "name", "name is not a line of text"
    channels = entry.get("channels")
    if not _texts(channels) or not all(map(_CHANNEL.fullmatch, channels)):
        yield "channels", "channels is not a list of channel ids such as C0123456789"
    globs = entry.get("repositories", ["*"])
    if not _texts(globs):
        yield "repositories", 'repositories is not a list of globs such as "acme/*"'
    else:
        for glob in globs:
            if not _GLOB.fullmatch(glob):
                yield "repositories", f"repositories: {glob!r} can never match an owner/name"
    yield from _event_problems(entry.get("events", list(EVENTS)))
    if entry.get("private", "any") not in get_args(Private):
        yield "private", f"private is none of {', '.join(get_args(Private))}"
    yield from _mute_problems(entry)


def _event_problems(events: object) -> Iterator[_Problem]:
    known = f"known: {', '.join(EVENTS)}"
    if events == []:
        yield "events", f"events is empty, so the route can never match ({known})"
    elif not _texts(events):
        yield "events", f"events is not a list of EVENT.ACTION ({known})"
    else:
        for event in events:
            if event not in EVENTS:
                yield "events", f"events: no card is made of {event!r} ({known})"


def _mute_problems(table: dict[str, Any]) -> Iterator[_Problem]:
    muted = table.get("mute_authors", [])
    if muted == []:
        return
    if not _texts(muted) or not all(map(_LOGIN.fullmatch, muted)):
        yield "mute_authors", 'mute_authors is not a list of logins such as "octocat" or "*[bot]"'
    elif everybody := next(filter(_EVERYBODY.fullmatch, muted), None):
        yield "mute_authors", f"mute_authors: {everybody!r} mutes everybody, so the route can never match"


def _unknown(table: dict[str, Any], known: Collection[str]) -> Iterator[_Problem]:
    for key in sorted(table.keys() - set(known)):
        yield key, f"unknown key {key!r}{_meant(key, known)} (known: {', '.join(sorted(known))})"


def _meant(name: str, known: Collection[str]) -> str:
    """Return a question where the name looks misspelt."""
    import difflib  # noqa: PLC0415 - a good file never needs it, and a cold start would wait for it

    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def _texts(value: object) -> TypeIs[list[str]]:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, str) and item.strip() for item in value)
    )
