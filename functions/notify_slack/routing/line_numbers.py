"""The line of each table and key in the routes file, so that a problem can name its line."""

import re
from dataclasses import dataclass, field

_HEADER = re.compile(r"\s*\[\[?\s*([\w-]+)\s*[].]", re.ASCII)
_KEY = re.compile(r"""\s*(["']?)([\w-]+)\1\s*=""", re.ASCII)

type Lines = dict[str, int]  # {key: line}; the table's own line has the key ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNumbers:
    """The lines of the tables and of their keys; `top` has the first line of every table's name.

    It comes from a plain scan and is empty wherever that could be wrong: in a file with multi-line strings,
    and if the scan counts other routes than the parser.
    """

    routes: list[Lines]
    top: Lines = field(default_factory=dict)
    defaults: Lines = field(default_factory=dict)
    people: Lines = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, routes: int) -> "LineNumbers":
        """Scan the text, in which the parser has found so many routes."""
        top: Lines = {}
        tables: dict[str, list[Lines]] = {"[[route]]": [], "[defaults]": [{}], "[people]": [{}]}
        table = top
        for number, line in enumerate(text.split("\n"), start=1):
            if header := _HEADER.match(line):
                top.setdefault(header[1], number)
                table = {"": number}
                tables.setdefault("".join(line.split("#", maxsplit=1)[0].split()), []).append(table)
            elif line.lstrip().startswith("["):
                table = {}  # a nested list or a quoted name: the keys after it may belong to another table
            elif key := _KEY.match(line):
                table.setdefault(key[2], number)
        found = tables["[[route]]"]
        if len(found) != routes or '"""' in text or "'''" in text:
            return cls(routes=[{} for _ in range(routes)])
        return cls(routes=found, top=top, defaults=tables["[defaults]"][-1], people=tables["[people]"][-1])


def with_line(lines: Lines, key: str | None, problem: str) -> str:
    """Return the problem with the line of its key, else of its table, if one is known."""
    line = lines.get(key or "", lines.get(""))
    return f"routes file: {f'line {line}: ' if line else ''}{problem}"
