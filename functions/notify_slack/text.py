"""Text from a payload, made safe for Slack: https://docs.slack.dev/messaging/formatting-message-text#escaping."""

import re

# C0 and C1 controls, lone surrogates, and the marks that reorder what is read after them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_SPACES = re.compile(r"\s+")
_ENTITY_BEGUN = re.compile(r"&[a-z]*\Z")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def plain(text: str | None, limit: int, *, empty: str = "") -> str:
    """Return `text` on one line, escaped, and then cut to `limit` characters, never inside an entity."""
    line = _SPACES.sub(" ", _UNSEEN.sub(" ", text or "")).strip() or empty
    escaped = line.translate(_ESCAPES)
    if len(escaped) <= limit:
        return escaped
    return _ENTITY_BEGUN.sub("", escaped[: limit - 1]).rstrip() + "…"


def link(url: str, label: str) -> str:
    """Return a link; `label` is escaped already, and a bar in it would end it early."""
    return f"<{url}|{label.replace('|', '¦')}>"
