"""config/routes.toml, checked as a whole: the routes, or every problem at once with its line."""

import tomllib
from collections.abc import Iterator
from typing import Any

from pipeline import people
from pipeline.errors import ConfigurationError
from pipeline.file_rules import did_you_mean
from pipeline.line_numbers import LineNumbers, Lines, with_line

from . import validation
from .route import Route
from .routes import FOLD_OVER, Routes

MUTED = ("*[bot]",)  # the default
_TABLES = ("defaults", "people", "route")


def parse(text: str) -> Routes:
    """Read the file's text. Raises ConfigurationError naming every problem."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # beyond TOMLDecodeError: a number of 4,301 digits
        raise ConfigurationError([f"routes file: {error}"]) from error
    entries = document.get("route", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigurationError(["routes file: write each route as [[route]]"])
    problems = list(_problems(document, entries, LineNumbers.of(text, "route", len(entries))))
    if problems:
        raise ConfigurationError([f"routes file: {problem}" for problem in problems])
    defaults = document.get("defaults", {})
    return Routes(
        routes=tuple(_route(number, entry, defaults) for number, entry in enumerate(entries, start=1)),
        people=people.by_login(document.get("people", {})),
        fold_over=defaults.get("fold_over", FOLD_OVER),
    )


def _route(number: int, entry: dict[str, Any], defaults: dict[str, Any]) -> Route:
    return Route(
        name=_name(number, entry),
        channels=tuple(entry["channels"]),
        repositories=tuple(entry.get("repositories", ["*"])),
        labels_any=tuple(entry.get("labels_any", ())),
        labels_all=tuple(entry.get("labels_all", ())),
        labels_none=tuple(entry.get("labels_none", ())),
        events=tuple(entry.get("events", ())),
        private=entry.get("private", "any"),
        mute_authors=tuple(entry.get("mute_authors", defaults.get("mute_authors", MUTED))),
        format=entry.get("format", defaults.get("format", "compact")),
        mention=tuple(entry.get("mention", ())),
    )


def _problems(
    document: dict[str, Any], entries: list[dict[str, Any]], line_numbers: LineNumbers
) -> Iterator[str]:
    for name in [name for name in document if name not in _TABLES]:
        hint = did_you_mean(name, _TABLES)
        yield with_line(line_numbers.top, name, f"unknown table {name!r}{hint}")
    for name, lines, check in (
        ("defaults", line_numbers.of_table("defaults"), validation.of_defaults),
        ("people", line_numbers.of_table("people"), people.problems),
    ):
        table = document.get(name, {})
        if isinstance(table, dict):
            for key, problem in check(table):
                yield with_line(lines, key, f"{name}: {problem}")
        else:
            yield with_line(line_numbers.top, name, f"write the {name} as one table [{name}]")
    if not entries:
        yield "there is no [[route]]"
    yield from _route_problems(entries, line_numbers.entries)


def _route_problems(entries: list[dict[str, Any]], line_numbers: list[Lines]) -> Iterator[str]:
    first_with_name: dict[str, int] = {}
    for number, (entry, lines) in enumerate(zip(entries, line_numbers, strict=True), start=1):
        for key, problem in validation.of_route(entry):
            yield with_line(lines, key, f"{_label(number, entry)}: {problem}")
        first = first_with_name.setdefault(_name(number, entry), number)
        if first != number:
            yield with_line(lines, "name", f"{_label(number, entry)}: route {first} has the same name")


def _name(number: int, entry: dict[str, Any]) -> str:
    name = entry.get("name")
    return name if isinstance(name, str) else f"route {number}"


def _label(number: int, entry: dict[str, Any]) -> str:
    name = entry.get("name")
    return f"route {number} ({name!r})" if isinstance(name, str) else f"route {number}"
