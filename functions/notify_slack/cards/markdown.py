"""A Markdown body as the lines that its reader sees: no formatting, tags, images or URLs."""

from functools import cache
from typing import TYPE_CHECKING

from clients.slack.mrkdwn import escape

from .markdown_lines import TextLine, read_lines

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_MAX_READ = 4_000  # characters; in the worst case the parser takes about 100 ms for them
_MAX_NESTING = 20
_MAX_LINES = 5
_LIMIT = 500  # characters, escaped
_MIN_LINE = 20  # characters; with fewer left, no further line is shown
_MORE = " …"


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
    read = _read(markdown)
    return " ".join(map(str, [line for line in read if not line.is_quoted] or read))


def lines(markdown: str | None) -> list[str]:
    """Return the lines of the text, not escaped yet; a quotation begins with `> `."""
    return list(map(str, _read(markdown)))


def _read(markdown: str | None) -> list[TextLine]:
    text = (markdown or "")[:_MAX_READ].encode(errors="replace").decode()
    return read_lines(_parser().parse(text)) if text.strip() else []


@cache
def _parser() -> "MarkdownIt":
    """Return a parser that recognises HTML, so that its tags can be left out."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - takes 80 ms, which only the first body needs

    return MarkdownIt("commonmark", {"html": True, "maxNesting": _MAX_NESTING}).enable(
        ["table", "strikethrough"]
    )
