"""A Markdown body as the lines that its reader sees: no formatting, HTML, images or URLs."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from clients.slack.mrkdwn import escape

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MAX_READ = 4_000  # characters; in the worst case the parser takes about 100 ms for them
_MAX_NESTING = 20
_MAX_LINES = 5
_LIMIT = 500  # characters, escaped
_MIN_LINE = 20  # characters; with fewer left, no further line is shown
_MORE = " …"
_QUOTED = "> "
_BULLETS = "•◦▪"
_TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def excerpt(markdown: str | None) -> str:
    """Return the first five lines, escaped, at most 500 characters; empty if there is no text."""
    read = [line for line in lines(markdown) if escape(line, _LIMIT)]
    shown: list[str] = []
    left = _LIMIT - len(_MORE)
    for line in read[:_MAX_LINES]:
        if left < _MIN_LINE:
            break
        shown.append(escape(line, left))
        left -= len(shown[-1]) + 1
    return "\n".join(shown) + (_MORE if len(shown) < len(read) else "")


def comment_excerpt(markdown: str | None) -> str:
    """Return the text on one line, not escaped yet; quotes are left out unless there is nothing else."""
    read = lines(markdown)
    return " ".join([line for line in read if not line.startswith(_QUOTED)] or read)


def lines(markdown: str | None) -> list[str]:
    """Return the lines of the text, not escaped yet."""
    text = (markdown or "")[:_MAX_READ].encode(errors="replace").decode()
    return list(_lines(_parser().parse(text))) if text.strip() else []


@cache
def _parser() -> "MarkdownIt":
    """Return a parser that recognises HTML, so that it can be left out."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - takes 80 ms, which only the first body needs

    return MarkdownIt("commonmark", {"html": True, "maxNesting": _MAX_NESTING}).enable(
        ["table", "strikethrough"]
    )


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
                # GitHub keeps the line breaks of the source.
                inline = token.type == "inline"
                text = "".join(map(_piece, token.children or ())) if inline else token.content
                if row is not None:
                    row.append(" ".join(text.split()))
                    continue
                for line in filter(str.strip, text.split("\n")):
                    yield _QUOTED * bool(quotes) + _with_bullet(bullet, line)
                    bullet = ""


def _with_bullet(bullet: str, line: str) -> str:
    """Return the line after its bullet; the box of a task replaces the bullet."""
    box = _TASKS.get(line[:4]) if bullet else None
    return box + line[4:] if box else bullet + line


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
