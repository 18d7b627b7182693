"""A block of HTML as the text that its reader sees: without its comments, and without most tags."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from .markdown_lines import TAGS_AS_TEXT

_HIDDEN = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))|<[!?][^>]*(?:>|\Z)", re.DOTALL)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "picture",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_TAG_AS_TEXT = re.compile(rf"<(?=/?(?:{'|'.join(TAGS_AS_TEXT)})(?:[\s/>]|\Z))", re.IGNORECASE)
_CELLS = {"td", "th"}
_BULLET = "• "


class HtmlText(HTMLParser):
    """`lines` are the texts and whether they are quotations, `pictures` the alternative texts of images."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[tuple[str, bool]] = []
        self.pictures: list[str] = []
        self._text = ""
        self._quotes = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """End the line before a block, and note a picture."""
        if tag == "img":
            self.pictures.append(dict(attrs).get("alt") or "")
        self._break(tag)
        if tag == "li":
            self._text = _BULLET
        elif tag in _CELLS and self._text.strip():
            self._text += " | "
        self._quotes += tag == "blockquote"

    def handle_endtag(self, tag: str) -> None:
        """End the line after a block."""
        self._break(tag)
        self._quotes = max(self._quotes - (tag == "blockquote"), 0)

    def handle_data(self, data: str) -> None:
        """Add text to the line."""
        self._text += data

    def close(self) -> None:
        """End the last line."""
        super().close()
        self._break("p")

    def _break(self, tag: str) -> None:
        if tag != "br" and tag not in _BLOCKS:
            return
        line = " ".join(self._text.split())
        if line.strip(_BULLET + "|"):
            self.lines.append((line, self._quotes > 0))
        self._text = ""


def read(html: str) -> HtmlText:
    """Return what the reader of the HTML sees."""
    reader = HtmlText()
    reader.feed(_TAG_AS_TEXT.sub("&lt;", _HIDDEN.sub("", html)))
    reader.close()
    return reader
