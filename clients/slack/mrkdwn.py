"""Text from a payload, made safe for Slack: https://docs.slack.dev/messaging/formatting-message-text#escaping."""

import re

# C0 and C1 controls, lone surrogates, marks that reorder the text after them, and letters without a shape.
# The two joiners stay: emoji, Persian and the scripts of India are written with them.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_MAX_READ = 10_000  # characters; no text is shown at that length, so reading more would only take time
_JOINERS = re.compile("[\u200c\u200d\ufe00-\ufe0f\\s]*")
_ACCENTS = re.compile("([\u0300-\u036f]{3})[\u0300-\u036f]+")  # no language stacks more on one letter
_SPACES = re.compile(r"\s+")
_PARTIAL_ENTITY = re.compile(r"&[a-z]*\Z")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

# Slack has no escape for these. Between two letters, as in max_results and __init__.user__name, they format
# nothing and stay, however many.
_FORMATTING = re.compile(r"(?<![*_~])(?:(?<![^\W_])[*_~]++|[*_~]++(?![^\W_]))|`")
_LOOK_ALIKES = str.maketrans({"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"})


def escape(text: str | None, limit: int, *, empty: str = "") -> str:
    """Return `text` on one line, escaped, and then cut to `limit` characters, never inside an entity.

    A text without a visible character becomes `empty`.
    """
    line = _ACCENTS.sub(r"\1", _SPACES.sub(" ", _INVISIBLE.sub(" ", (text or "")[:_MAX_READ])).strip())
    escaped = (empty if _JOINERS.fullmatch(line) else line).translate(_ESCAPES)
    if len(escaped) <= limit:
        return escaped
    return _PARTIAL_ENTITY.sub("", escaped[: limit - 1]).rstrip() + "…"


def escape_literal(text: str | None, limit: int, *, empty: str = "") -> str:
    """Return `text` as `escape` does, with look-alikes in place of what Slack would read as formatting."""
    return _FORMATTING.sub(lambda run: run[0].translate(_LOOK_ALIKES), escape(text, limit, empty=empty))


def code(text: str | None, limit: int, *, empty: str = "") -> str:
    """Return `text` as `escape` does, as code: Slack reads neither formatting nor emoji in it."""
    return f"`{escape(text, limit, empty=empty).replace('`', "'")}`"


def link(url: str, label: str) -> str:
    """Return a link. `label` is escaped already; a bar in it, which would end it early, is replaced."""
    return f"<{url}|{label.replace('|', '¦')}>"
