"""Lines and tables that fit a width without a break inside a word."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

_GAP = 2
_HARD_BLANK = "\u00a0"  # `wrap` does not break at it


def wrap(text: str, width: int, *, hang: int = 4) -> list[str]:
    """Break a text between its words; what follows a break is indented by `hang` more columns.

    Every line break of the text stays, and a word that is wider than the width has a line of its own.
    """
    return [part for line in text.split("\n") for part in _wrap_line(line, width, hang)]


def columns(cells: Sequence[tuple[str, int]], text: str, width: int) -> list[str]:
    """Return the cells, each as (text, its width), and then a text that is wrapped beside them.

    Without room for its words beside the cells, the text starts on the next line.
    """
    start = "  " + "".join(_padded(cell, size) for cell, size in cells)
    room = width - cell_len(start)
    if _widest_word(text) <= room:
        first, *rest = wrap(text, room, hang=0)
        return [start + first, *(" " * cell_len(start) + line for line in rest)]
    return [start.rstrip(), *("    " + line for line in wrap(text, width - 4, hang=2))]


def beside(head: str, text: str, width: int, *, hang: int) -> list[str]:
    """Return the head, its blanks as they are if it fits, and the text, which goes on below it.

    What follows a break is indented by `hang` columns.
    """
    first = text.split(" ", maxsplit=1)[0]
    if cell_len(head + first) > width:
        return wrap(head + text, width, hang=hang)
    lines = wrap(head.replace(" ", _HARD_BLANK) + text, width, hang=hang)
    return [line.replace(_HARD_BLANK, " ") for line in lines]


def table(rows: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """Return the rows under their columns' names, or, if the words do not fit, each row as a block of lines.

    None is a dash; numbers are on the right.
    """
    if not rows:
        return ["(no rows)"]
    names = {name: name.replace("_", " ") for name in rows[0]}
    texts = [{name: "-" if row[name] is None else str(row[name]) for name in names} for row in rows]
    cells = {name: [head, *(text[name] for text in texts)] for name, head in names.items()}
    widths = _fit(cells, width - _GAP * (len(names) - 1))
    if widths is None:
        return _stacked(names, texts, width)
    numbers = {name for name in names if all(isinstance(row[name], int | float | None) for row in rows)}
    lines = []
    for row in [names, *texts]:
        wrapped = {name: wrap(row[name], widths[name], hang=0) for name in names}
        for index in range(max(map(len, wrapped.values()))):
            parts = {name: (part[index] if index < len(part) else "") for name, part in wrapped.items()}
            padded = [_padded(parts[name], widths[name], right=name in numbers) for name in names]
            lines.append((" " * _GAP).join(padded).rstrip())
    return lines


def _fit(cells: Mapping[str, Sequence[str]], width: int) -> dict[str, int] | None:
    """Return the columns' widths, cut between words: long names first, then the widest column.

    None if the words need more than the width.
    """
    widths = {name: max(map(cell_len, texts)) for name, texts in cells.items()}
    least = {name: max(map(_widest_word, texts)) for name, texts in cells.items()}
    values = {name: max(map(cell_len, texts[1:])) for name, texts in cells.items()}
    while sum(widths.values()) > width:
        wide = [name for name in widths if widths[name] > least[name]]
        if not wide:
            return None
        widths[max(wide, key=lambda name: (widths[name] > values[name], widths[name]))] -= 1
    return widths


def _stacked(names: Mapping[str, str], texts: Sequence[Mapping[str, str]], width: int) -> list[str]:
    label = max(map(cell_len, names.values())) + _GAP
    lines: list[str] = []
    for row in texts:
        for name, head in names.items():
            if row[name]:
                lines += columns([(head, label)], row[name], width)
        lines.append("")
    return lines[:-1]


def _wrap_line(line: str, width: int, hang: int) -> list[str]:
    if cell_len(line) <= width:
        return [line.rstrip()]
    indent = len(line) - len(line.lstrip())
    lines = [" " * indent]
    for word in re.split(r"(?<=\S) +", line.strip()):
        filled = lines[-1] + (" " if lines[-1].strip() else "") + word
        if cell_len(filled) <= width or not lines[-1].strip():
            lines[-1] = filled
        else:
            lines.append(" " * (indent + hang) + word)
    return [each.rstrip() for each in lines]


def _widest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _padded(text: str, width: int, *, right: bool = False) -> str:
    blank = " " * (width - cell_len(text))
    return blank + text if right else text + blank
