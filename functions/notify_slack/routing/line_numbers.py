"""The line of each table and key in the routes file, so that a problem can name its line."""

import re
from dataclasses import dataclass, field

_HEADER = re.compile(r"\s*\[\[?\s*([\w-]+)\s*[].]", re.ASCII)
_KEY = re.compile(r"""\s*(["']?)([\w-]+)\1\s*=""", re.ASCII)

type Lines = dict[str, int]  # {key: line}; the table's own line has the key ""


@dataclass(slots=True)
class LineNumbers:
    """The lines of the tables and of their keys; `top` has the first line of every table's name.

    It comes from a plain scan and is empty wherever that could be wrong: in a file with multi-line strings,
    and if the scan counts other routes than the parser.
    """

    top: Lines = field(default_factory=dict)
    defaults: Lines = field(default_factory=dict)
    people: Lines = field(default_factory=dict)
    routes: list[Lines] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, routes: int) -> "LineNumbers":
        """Scan the text, in which the parser has found so many routes."""
        found = cls()
        table = found.top
        for number, line in enumerate(text.split("\n"), start=1):
            if header := _HEADER.match(line):
                found.top.setdefault(header[1], number)
                table = found._add_table(line, number)
            elif line.lstrip().startswith("["):
                table = {}  # a nested list or a quoted name: the keys after it may belong to another table
            elif key := _KEY.match(line):
                table.setdefault(key[2], number)
        reliable = len(found.routes) == routes and '"""' not in text and "'''" not in text
        return found if reliable else cls(routes=[{} for _ in range(routes)])

    def _add_table(self, line: str, number: int) -> Lines:
        header = "".join(line.split("#", maxsplit=1)[0].split())
        table: Lines = {}
        if header == "[[route]]":
            self.routes.append(table)
        elif header == "[defaults]":
            self.defaults = table
        elif header == "[people]":
            self.people = table
        table[""] = number
        return table


def with_line(lines: Lines, key: str | None, problem: str) -> str:
    """Return the problem with the line of its key, else of its table, if one is known."""
    line = lines.get(key or "", lines.get(""))
    return f"routes file: {f'line {line}: ' if line else ''}{problem}"
