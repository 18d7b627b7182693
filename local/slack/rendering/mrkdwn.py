"""Writes Slack's mrkdwn in a medium, HTML or a terminal; its input has passed the rules."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from typing import Protocol

from local.slack.rules.mrkdwn import CONTROL

_CODE = re.compile(r"```(?P<fence>.+?)```|`(?P<code>[^`\n]+)`", re.DOTALL)
_MARKS = (
    ("b", re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")),
    ("i", re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])")),
    ("s", re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])")),
)
_DATE_TOKEN = re.compile(r"\{(\w+?)(?:_pretty)?\}")
_DATE_FORMATS = {
    "time": "%H:%M",
    "time_secs": "%H:%M:%S",
    "date_num": "%Y-%m-%d",
    "date": "%B %-d, %Y",
    "date_short": "%b %-d, %Y",
    "date_long": "%A, %B %-d, %Y",
}
_EMOJI_NAME = re.compile(r":([a-z0-9_+-]+):")
_EMOJI = {  # those of our cards and digests, and a few that people write
    "bug": "🐛", "card_index_dividers": "🗂️", "eyes": "👀", "fire": "🔥",
    "hourglass_flowing_sand": "⏳", "large_green_circle": "🟢", "large_yellow_circle": "🟡",
    "no_entry_sign": "🚫", "red_circle": "🔴", "rocket": "🚀", "tada": "🎉", "warning": "⚠️",
    "wastebasket": "🗑️", "white_check_mark": "✅", "white_circle": "⚪", "x": "❌",
}  # fmt: skip
# A placeholder is its number between two private characters, which the input therefore must not contain.
_PRIVATE = re.compile("[\ue000\ue001]")
_PLACEHOLDER = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a reader sees in place of ids, and the time zone of the reader; users are user groups too."""

    channels: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC

    def time(self, ts: str) -> datetime:
        """Return the time of a ts in the reader's zone."""
        return datetime.fromtimestamp(float(ts), self.zone)


class Medium(Protocol):
    """How a medium writes the parts of a text. They come with entities, and plain decodes them."""

    def plain(self, text: str, *, emoji: bool = True) -> str:
        """Write a text without marks."""

    def wrap(self, tag: str, inner: str) -> str:
        """Write a part that is written already as b, i, s, code, pre or blockquote."""

    def refer(self, kind: str, label: str, address: str) -> str:
        """Write a link, user, here (a group or the whole channel) or date; only a link has an address."""


def decode(text: str) -> str:
    """Replace the entities, which are the only ones that Slack knows."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def with_emoji(text: str) -> str:
    """Replace each known name between colons by its emoji."""
    return _EMOJI_NAME.sub(lambda match: _EMOJI.get(match[1], match[0]), text)


def write(text: str, medium: Medium, names: Names) -> str:
    """Write mrkdwn; placeholders keep code and <...> from being searched for marks."""
    written: list[str] = []

    def placeholder(part: str) -> str:
        written.append(part)
        return f"\ue000{len(written) - 1}\ue001"

    def code(match: re.Match[str]) -> str:
        tag = "pre" if match["fence"] else "code"
        inner = CONTROL.sub(lambda found: _reference(found, names)[1], match["fence"] or match["code"])
        return placeholder(medium.wrap(tag, medium.plain(inner.strip("\n"), emoji=False)))

    def marked(part: str) -> str:
        for tag, pattern in _MARKS:  # what one encloses gets a placeholder: marks nest, but never cross
            part = pattern.sub(lambda match, tag=tag: placeholder(medium.wrap(tag, marked(match[1]))), part)
        return part

    def lines(unquoted: str) -> Iterator[str]:
        for quoted, group in groupby(unquoted.split("\n"), key=lambda line: line.startswith("&gt;")):
            part = "\n".join(line.removeprefix("&gt;").lstrip() if quoted else line for line in group)
            drawn = marked(medium.plain(part))
            yield medium.wrap("blockquote", drawn) if quoted else drawn

    text = _CODE.sub(code, _PRIVATE.sub("\ufffd", text))
    text = CONTROL.sub(lambda match: placeholder(medium.refer(*_reference(match, names))), text)
    text = "\n".join(lines(text))
    while "\ue000" in text:
        text = _PLACEHOLDER.sub(lambda match: written[int(match[1])], text)
    return text


def _reference(match: re.Match[str], names: Names) -> tuple[str, str, str]:
    """Return kind, label and address of a <...> construct, with their entities."""
    label = match["label"]
    if match["url"]:
        return "link", label or match["url"].removeprefix("mailto:"), match["url"]
    if match["user"]:
        return "user", "@" + names.users.get(match["user"], label or match["user"]), ""
    if match["channel"]:
        return "user", "#" + names.channels.get(match["channel"], label or match["channel"]), ""
    if match["stamp"]:
        return ("link" if match["date_url"] else "date"), _date(match, names), match["date_url"] or ""
    if match["group"]:
        return "here", "@" + names.users.get(match["group"], label or match["group"]).removeprefix("@"), ""
    return "here", "@" + match["special"], ""


def _date(match: re.Match[str], names: Names) -> str:
    """Fill the tokens of <!date^...>; an unknown one gives the fallback, as in an old client."""
    if not _DATE_FORMATS.keys() >= set(_DATE_TOKEN.findall(match["format"])):
        return str(match["label"])
    time = names.time(match["stamp"])
    return _DATE_TOKEN.sub(lambda token: time.strftime(_DATE_FORMATS[token[1]]), match["format"])
