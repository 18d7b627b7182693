"""config/triage.toml, checked as a whole: the rules, or every problem at once with its line."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.file_rules import did_you_mean
from pipeline.line_numbers import LineNumbers, with_line
from pipeline.settings import read_file

from . import validation
from .rules import Rule

_TABLES = ("rule",)


def read(environment: Mapping[str, str], folder: Path) -> tuple[Rule, ...]:
    """Read TRIAGE_FILE, or `folder`/triage.toml. Raises ConfigurationError naming every problem."""
    return parse(read_file(environment, "TRIAGE_FILE", folder / "triage.toml"))


def parse(text: str) -> tuple[Rule, ...]:
    """Read the file's text; it may have no rule. Raises ConfigurationError naming every problem."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # beyond TOMLDecodeError: a number of 4,301 digits
        raise ConfigurationError([f"triage file: {error}"]) from error
    entries = document.get("rule", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigurationError(["triage file: write each rule as [[rule]]"])
    lines = LineNumbers.of(text, "rule", len(entries))
    if problems := list(_problems(document, entries, lines)):
        raise ConfigurationError([f"triage file: {problem}" for problem in problems])
    return tuple(map(_rule, entries))


def _rule(entry: dict[str, Any]) -> Rule:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return Rule(**values)


def _problems(document: dict[str, Any], entries: list[dict[str, Any]], lines: LineNumbers) -> Iterator[str]:
    for table in (table for table in document if table not in _TABLES):
        yield with_line(lines.top, table, f"unknown table {table!r}{did_you_mean(table, _TABLES)}")
    first_with_name: dict[str, int] = {}
    for number, (entry, of_entry) in enumerate(zip(entries, lines.entries, strict=True), start=1):
        name = entry.get("name")
        label = f"rule {number} ({name!r})" if isinstance(name, str) else f"rule {number}"
        for key, problem in validation.of_rule(entry):
            yield with_line(of_entry, key, f"{label}: {problem}")
        if isinstance(name, str) and (first := first_with_name.setdefault(name, number)) != number:
            yield with_line(of_entry, "name", f"{label}: rule {first} has the same name")
