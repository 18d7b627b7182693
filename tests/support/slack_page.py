"""Messages to draw, and a strict parser of the console page."""

from html.parser import HTMLParser
from typing import Any

from local.slack.message import Message
from local.slack.rendering.mrkdwn import Names

NAMES = Names(channels={"C0123456789": "bugs"}, users={"U0123456789": "octocat", "S0123456789": "triage"})
VOID = {"meta", "hr", "path", "rect"}


class Tree(HTMLParser):
    """Reads a page strictly: every element is closed in order; collects tags and links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element that closes itself."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        assert self.open.pop() == tag


def message(text: str = "fallback", *blocks: dict[str, Any], **fields: Any) -> Message:
    """Return a posted message."""
    return Message(
        **{"channel": "C0123456789", "ts": "1764000000.000001", "text": text, "blocks": blocks} | fields
    )


def section(text: str) -> dict[str, Any]:
    """Return a section of one mrkdwn text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


TAB = 'target="_blank" rel="noopener noreferrer"'
CARD = message(
    "acme/app#41 opened",
    {"type": "header", "text": {"type": "plain_text", "text": "Crash &amp; burn :bug:"}},
    {
        **section("<https://github.com/acme/app/issues/41|acme/app#41> opened"),
        "fields": [
            {"type": "mrkdwn", "text": "*Author:*\n<@U0123456789>"},
            {"type": "plain_text", "text": "Labels\nbug"},
        ],
    },
    {"type": "divider"},
    {
        "type": "context",
        "elements": [
            {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a face"},
            {"type": "mrkdwn", "text": "3 *comments*"},
        ],
    },
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "text": {"type": "plain_text", "text": "Open"},
                "url": "https://github.com/acme/app/issues/41",
                "style": "primary",
            }
        ],
    },
    metadata={"event_type": "issuewire_card", "event_payload": {"issue": "1296269#41"}},
)
