"""The lines that the reader of parsed Markdown sees, and which of them are quotations."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import phrases

if TYPE_CHECKING:
    from markdown_it.token import Token

_QUOTED = "> "
_BULLETS = "•◦▪"
_TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}
# https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts
_ALERT = re.compile(r"\[!(note|tip|important|warning|caution)\][ \t]*(?:\n|\Z)", re.IGNORECASE)
_TAG = re.compile(r"</?([a-z][a-z0-9]*)", re.IGNORECASE)
_BREAKS = {"br", "p", "div", "tr", "li", "ul", "ol", "table", "details", "summary", "blockquote"}
# GitHub shows these tags as text: https://github.github.com/gfm/#disallowed-raw-html-extension-
TAGS_AS_TEXT = ("title", "textarea", "style", "xmp", "iframe", "noembed", "noframes", "script", "plaintext")
_NO_RESPONSE = "No response"  # what GitHub writes for an empty answer of an issue form


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """One line; as text, a quotation begins with `> `."""

    text: str
    is_quoted: bool = False

    def __str__(self) -> str:
        """Return the line as it is shown."""
        return _QUOTED * self.is_quoted + self.text


def read_lines(tokens: "Sequence[Token]") -> list[TextLine]:
    """Return the lines; if its author wrote nothing but pictures, what the pictures show as well."""
    reader = _Reader()
    for position, token in enumerate(tokens):
        reader.read(token, tokens[position + 1 : position + 3])
    if any(not line.is_quoted for line in reader.lines):
        return reader.lines
    pictures = [picture for picture in reader.pictures if not picture.is_quoted]
    if not reader.lines:
        pictures = pictures or reader.pictures
    shown = dict.fromkeys(picture.text.strip() or phrases.A_PICTURE for picture in pictures)
    return [*reader.lines, TextLine(text=", ".join(shown))] if shown else reader.lines


class _Reader:
    """Reads one token after another."""

    def __init__(self) -> None:
        self.lines: list[TextLine] = []
        self.pictures: list[TextLine] = []
        self._depth = 0  # of lists
        self._bullet = ""
        self._alerts: list[bool] = []  # of the open quotations, whether it is an alert
        self._label = ""  # of an alert, before its first line
        self._row: list[str] | None = None
        self._heading: int | None = None  # the number of lines before the heading that comes just before
        self._in_heading = False

    def read(self, token: "Token", following: "Sequence[Token]") -> None:
        """Add the token's lines; `following` are the two tokens after it."""
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self._depth += 1
            case "bullet_list_close" | "ordered_list_close":
                self._depth -= 1
            case "list_item_open":
                bullets = _BULLETS[min(self._depth, len(_BULLETS)) - 1] + " "
                self._bullet = f"{token.info}. " if token.info else bullets
            case "list_item_close":
                self._bullet = ""
            case "blockquote_open":
                self._open_quotation(following)
            case "blockquote_close":
                self._label = "" if self._alerts.pop() else self._label
            case "heading_open":
                self._heading, self._in_heading = len(self.lines), True
            case "heading_close":
                self._in_heading = False
            case "tr_open":
                self._row = []
            case "tr_close":
                if any(self._row or ()):
                    self._add(" | ".join(self._row or ()))
                self._row = None
            case "inline" | "fence" | "code_block" | "html_block":
                self._read_text(token)

    def _open_quotation(self, following: "Sequence[Token]") -> None:
        """Note whether a quotation is an alert, which is no quotation: its author says it.

        Also in a list, where GitHub draws none: nobody is quoted there either.
        """
        first = following[1].content if len(following) > 1 and following[0].type == "paragraph_open" else ""
        alert = None if self._alerts else _ALERT.match(first)
        self._alerts.append(alert is not None)
        if alert:
            self._label = phrases.ALERT.format(kind=alert[1].capitalize())

    def _read_text(self, token: "Token") -> None:
        if token.type == "html_block":
            from . import html_text  # noqa: PLC0415 - few bodies have HTML, and every cold start would wait

            read = html_text.read(token.content)
            self._see(read.pictures)
            for text, is_quoted in read.lines:
                self._add(text, is_quoted=is_quoted)
            return
        text = self._inline_text(token) if token.type == "inline" else token.content
        if self._row is not None:
            self._row.append(" ".join(text.split()))
            return
        if self._heading is not None and not self._in_heading and _is_no_response(token):
            del self.lines[self._heading :]
            self._heading = None
            return
        self._heading = self._heading if self._in_heading else None
        text = _ALERT.sub("", text, count=1) if self._label else text
        # GitHub keeps the line breaks of the source.
        for line in filter(str.strip, text.split("\n")):
            self._add(line)

    def _add(self, text: str, *, is_quoted: bool = False) -> None:
        is_quoted = is_quoted or not all(self._alerts)
        label = "" if is_quoted else self._label
        self.lines.append(TextLine(text=label + _with_bullet(self._bullet, text), is_quoted=is_quoted))
        self._bullet = ""
        self._label = self._label if is_quoted else ""

    def _see(self, pictures: Sequence[str]) -> None:
        is_quoted = not all(self._alerts)
        self.pictures += [TextLine(text=picture, is_quoted=is_quoted) for picture in pictures]

    def _inline_text(self, token: "Token") -> str:
        return "".join(map(self._piece, token.children or ()))

    def _piece(self, token: "Token") -> str:
        match token.type:
            case "text" | "code_inline":
                return token.content
            case "softbreak" | "hardbreak":
                return "\n"
            case "image":
                self._see([token.content])
            case "html_inline":
                return self._tag(token.content)
        return ""

    def _tag(self, html: str) -> str:
        found = _TAG.match(html)
        name = found[1].lower() if found else ""
        if name == "img":
            from . import html_text  # noqa: PLC0415 - as above

            self._see(html_text.read(html).pictures)
        if name in {"td", "th"}:
            return " "
        if name in TAGS_AS_TEXT:
            return html
        return "\n" if name in _BREAKS else ""


def _with_bullet(bullet: str, line: str) -> str:
    """Return the line after its bullet; the box of a task replaces the bullet."""
    box = _TASKS.get(line[:4]) if bullet else None
    return box + line[4:] if box else bullet + line


def _is_no_response(token: "Token") -> bool:
    """Return whether it is the empty answer of an issue form, which may be code: an empty fence."""
    if token.type != "inline":
        return token.content.strip().strip("_") in {"", _NO_RESPONSE}
    kinds = [child.type for child in token.children or () if child.type != "text" or child.content]
    return kinds == ["em_open", "text", "em_close"] and token.content.strip("_*") == _NO_RESPONSE
