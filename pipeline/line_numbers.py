"""The line of each table and key in a configuration file, so that a problem can name its line."""

import re
from dataclasses import dataclass, field

_HEADER = re.compile(r"\s*\[\[?\s*([\w-]+)\s*[].]", re.ASCII)
_KEY = re.compile(r"""\s*(["']?)([\w-]+)\1\s*=""", re.ASCII)
# A comment, a multi-line string (in the group), or a string on one line, as they begin in a valid file.
_TEXT = re.compile(
    r"""#[^\n]*|("{3}(?:\\.|[^\\])*?"{3,5}|'{3}.*?'{3,5})|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""", re.DOTALL
)

type Lines = dict[str, int]  # {key: line}; the table's own line has the key ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNumbers:
    """The lines of the tables and of their keys; `top` has the first line of every table's name.

    `entries` are the tables of the one name that is written [[name]], `tables` are the others by name. They
    come from a plain scan, and the lines of the entries are empty if it counts others than the parser.
    """

    entries: list[Lines]
    top: Lines = field(default_factory=dict)
    tables: dict[str, Lines] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, name: str, count: int) -> "LineNumbers":
        """Scan the text, in which the parser has found so many tables [[name]]."""
        top: Lines = {}
        tables: dict[str, list[Lines]] = {}
        table = top
        for number, line in enumerate(_TEXT.sub(_without_lines, text).split("\n"), start=1):
            if header := _HEADER.match(line):
                top.setdefault(header[1], number)
                table = {"": number}
                tables.setdefault("".join(line.split("#", maxsplit=1)[0].split()), []).append(table)
            elif line.lstrip().startswith("["):
                table = {}  # a nested list or a quoted name: the keys after it may belong to another table
            elif key := _KEY.match(line):
                table.setdefault(key[2], number)
        entries = tables.pop(f"[[{name}]]", [])
        if len(entries) != count:
            return cls(entries=[{} for _ in range(count)])
        return cls(entries=entries, top=top, tables={head[1:-1]: found[-1] for head, found in tables.items()})

    def of_table(self, name: str) -> Lines:
        """Return the lines of the table [name]."""
        return self.tables.get(name, {})


def with_line(lines: Lines, key: str | None, problem: str) -> str:
    """Return the problem with the line of its key, else of its table, if one is known."""
    line = lines.get(key or "", lines.get(""))
    return f"line {line}: {problem}" if line else problem


def _without_lines(found: re.Match[str]) -> str:
    """Return the text with a multi-line string reduced to its line ends: its lines may look like keys."""
    return "\n" * found[1].count("\n") if found[1] else found[0]
