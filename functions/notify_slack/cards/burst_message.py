"""The burst message: one message with a count and links, instead of many new cards within a minute."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.slack.blocks import Message, section
from clients.slack.metadata import payload
from clients.slack.mrkdwn import link

from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from . import phrases

BURST = "issuewire_fold"
OPEN_FOR = timedelta(minutes=10)  # after its post a burst message accepts issues for this long
BURST_SPAN = timedelta(minutes=1)
_TITLE_LIMIT = 60
_SECTION_LIMIT = 2_000  # characters; Slack may return longer text than it was sent, and accepts 3,000
_LISTS_LIMIT = 9_000  # characters of all lines; Slack accepts about 12,000 in all blocks
_MAX_TIMES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstMessage:
    """A burst message as Slack returns it.

    `issues` are keys, `lists` the texts of its lines, `added_at` when the last issues were added (Unix
    seconds), `replies` the number of replies in its thread.
    """

    ts: str
    issues: tuple[str, ...]
    lists: tuple[str, ...]
    added_at: tuple[int, ...]
    replies: int

    def age(self, now: datetime) -> timedelta:
        """Return how long ago the message was posted."""
        return now - datetime.fromtimestamp(float(self.ts), UTC)

    def accepts_more(self, now: datetime) -> bool:
        """Return whether another issue may be added."""
        return self.age(now) < OPEN_FOR and sum(map(len, self.lists)) < _LISTS_LIMIT

    def recent_count(self, now: datetime) -> int:
        """Return how many issues were added within the last minute."""
        start = (now - BURST_SPAN).timestamp()
        return sum(moment > start for moment in self.added_at)


def read(message: Mapping[str, Any]) -> BurstMessage | None:
    """Return the message as a burst message, None unless it is one in our format.

    Any app may post such metadata: one unreadable message must not stop a channel.
    """
    content = payload(message, BURST)
    if not content:
        return None
    try:
        return _read(message, content)
    except (LookupError, TypeError, ValueError):
        return None


def start(event: CardEvent, destination: Destination, now: datetime) -> Message:
    """Return a new burst message; it mentions only those whom its first issue mentions."""
    mentions = phrases.mentions(destination.mention)
    return _message((event.key,), (_line(event),), (int(now.timestamp()),), mentions)


def as_posted(ts: str, message: Message) -> BurstMessage:
    """Return the burst message that has just been posted at `ts`."""
    return _read({"ts": ts, "blocks": message.blocks}, message.metadata["event_payload"])


def add(event: CardEvent, burst: BurstMessage, now: datetime) -> BurstMessage:
    """Return the burst message with one issue more."""
    line, lists = _line(event), burst.lists
    if lists and len(lists[-1]) + len(line) < _SECTION_LIMIT:
        lists = (*lists[:-1], f"{lists[-1]}\n{line}")
    else:
        lists = (*lists, line)
    added_at = (*burst.added_at, int(now.timestamp()))[-_MAX_TIMES:]
    return replace(burst, issues=(*burst.issues, event.key), lists=lists, added_at=added_at)


def with_current_title(event: CardEvent, burst: BurstMessage) -> BurstMessage:
    """Return the burst message with the event's title of its issue.

    A line without a title is that of a deleted issue, to which no title comes back.
    """
    lines = [text.split("\n") for text in burst.lists]
    position = burst.issues.index(event.key)
    for section_lines in lines:
        if position < len(section_lines):
            break
        position -= len(section_lines)
    else:
        return burst
    deleted = phrases.BURST_LINE.format(issue=phrases.this_issue(event), title="").rstrip()
    if section_lines[position] != deleted:
        section_lines[position] = _line(event)
    return replace(burst, lists=tuple(map("\n".join, lines)))


def build(burst: BurstMessage) -> Message:
    """Return the burst message as an update sends it, without mentions: an update notifies no one."""
    return _message(burst.issues, burst.lists, burst.added_at)


def _read(message: Mapping[str, Any], payload: Mapping[str, Any]) -> BurstMessage:
    blocks = message.get("blocks") or ()
    return BurstMessage(
        ts=str(message["ts"]),
        issues=tuple(str(payload["issues"]).split()),
        lists=tuple(str(block["text"]["text"]) for block in blocks[1:]),
        added_at=tuple(int(moment) for moment in str(payload["moments"]).split()),
        replies=int(message.get("reply_count") or 0),
    )


def _message(
    issues: tuple[str, ...], lists: tuple[str, ...], added_at: tuple[int, ...], mentions: str = ""
) -> Message:
    count = len(issues)
    text = phrases.ONE_IN_BURST if count == 1 else phrases.IN_BURST.format(count=count)
    head = phrases.BURST_HEAD.format(text=text, mentions=mentions).rstrip()
    payload = {"issues": " ".join(issues), "moments": " ".join(map(str, added_at)), "schema": 1}
    return Message(
        text=text,
        blocks=(section(head), *map(section, lists)),
        metadata={"event_type": BURST, "event_payload": payload},
    )


def _line(event: CardEvent) -> str:
    name, url = phrases.this_issue(event), phrases.issue_url(event)
    title = phrases.title(event, _TITLE_LIMIT)
    shown = link(url, name) if url and not event.is_deletion else name
    return phrases.BURST_LINE.format(issue=shown, title=title).rstrip()
