"""Where in the routes file tables and keys stand, so that a problem can name its line."""

import re
from dataclasses import dataclass, field

_HEADER = re.compile(r"\s*\[\[?\s*([\w-]+)\s*[].]", re.ASCII)
_KEY = re.compile(r"""\s*(["']?)([\w-]+)\1\s*=""", re.ASCII)

type Lines = dict[str, int]  # {key: line}; a table's own line stands under the name ""


@dataclass(slots=True)
class Places:
    """The lines of the tables and of their keys; `top` has the first line of every table's name.

    A plain scan. It gives no lines at all where it could be wrong: in a file with texts of several lines, or
    when it counts other routes than the parser.
    """

    top: Lines = field(default_factory=dict)
    defaults: Lines = field(default_factory=dict)
    people: Lines = field(default_factory=dict)
    routes: list[Lines] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, routes: int) -> "Places":
        """Scan the text, in which the parser has found so many routes."""
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

    def _table(self, line: str, number: int) -> Lines:
        written = "".join(line.split("#", maxsplit=1)[0].split())
        table: Lines = {}
        if written == "[[route]]":
            self.routes.append(table)
        elif written == "[defaults]":
            self.defaults = table
        elif written == "[people]":
            self.people = table
        table[""] = number
        return table


def told(lines: Lines, key: str | None, problem: str) -> str:
    """Return the problem with the line of its key, or of its table, if that is known."""
    line = lines.get(key or "", lines.get(""))
    return f"routes file: {f'line {line}: ' if line else ''}{problem}"
