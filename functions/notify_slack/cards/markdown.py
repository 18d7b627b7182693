"""A Markdown body as the lines that its reader sees: no formatting, no HTML, no pictures, no addresses."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from clients.slack.mrkdwn import escape

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_READ = 4_000  # characters; the worst that they can hold takes the parser some 100 ms
_NESTING = 20
_LINES = 5
_ROOM = 500  # characters, escaped
_LITTLE = 20  # less room than this is not worth another line
_MORE = " …"
_QUOTED = "> "
_BULLETS = "•◦▪"
_TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def beginning(markdown: str | None) -> str:
    """Return the first five lines, escaped, of 500 characters at most; empty when nothing is to be read."""
    read = [line for line in lines(markdown) if escape(line, _ROOM)]
    shown: list[str] = []
    room = _ROOM - len(_MORE)
    for line in read[:_LINES]:
        if room < _LITTLE:
            break
        shown.append(escape(line, room))
        room -= len(shown[-1]) + 1
    return "\n".join(shown) + (_MORE if len(shown) < len(read) else "")


def answer(markdown: str | None) -> str:
    """Return everything on one line, not escaped yet; what is quoted only where nothing else is said."""
    read = lines(markdown)
    return " ".join([line for line in read if not line.startswith(_QUOTED)] or read)


def lines(markdown: str | None) -> list[str]:
    """Return the lines as they were written: not escaped yet."""
    text = (markdown or "")[:_READ].encode(errors="replace").decode()
    return list(_lines(_parser().parse(text))) if text.strip() else []


@cache
def _parser() -> "MarkdownIt":
    """HTML is parsed, so that it can be left out."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - 80 ms, for the first body alone

    return MarkdownIt("commonmark", {"html": True, "maxNesting": _NESTING}).enable(["table", "strikethrough"])


def _lines(tokens: "Sequence[Token]") -> Iterator[str]:
    depth, quotes, bullet = 0, 0, ""
    row: list[str] | None = None
    for token in tokens:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                depth += 1
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
            case "list_item_open":
                bullet = f"{token.info}. " if token.info else _BULLETS[min(depth, len(_BULLETS)) - 1] + " "
            case "list_item_close":
                bullet = ""
            case "blockquote_open":
                quotes += 1
            case "blockquote_close":
                quotes -= 1
            case "tr_open":
                row = []
            case "tr_close":
                yield _QUOTED * bool(quotes) + " | ".join(row or ())
                row = None
            case "inline" | "fence" | "code_block":
                text = _inline(token) if token.type == "inline" else token.content
                if row is not None:
                    row.append(" ".join(text.split()))
                    continue
                for line in filter(str.strip, text.split("\n")):
                    yield _QUOTED * bool(quotes) + _begun(bullet, line)
                    bullet = ""


def _begun(bullet: str, line: str) -> str:
    """Return the line behind its bullet; the box of a task takes that place."""
    box = _TASKS.get(line[:4]) if bullet else None
    return box + line[4:] if box else bullet + line


def _inline(token: "Token") -> str:
    """GitHub breaks a line where its writer did."""
    return "".join(map(_piece, token.children or ()))


def _piece(token: "Token") -> str:
    match token.type:
        case "text" | "code_inline":
            return token.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "html_inline" if _BREAK.fullmatch(token.content):
            return "\n"
        case _:
            return ""
