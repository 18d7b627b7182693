"""The fold: one message with a count and links, in the place of many new cards within a minute."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.slack.blocks import Message, section
from clients.slack.mrkdwn import link
from pipeline.events import Issue, IssueEvent

from ..routing.routes import Hearing
from . import metadata as index
from . import phrases as words

FOLD = "issuewire_fold"
LIFE = timedelta(minutes=10)  # how long after its post a fold takes more issues
MINUTE = timedelta(minutes=1)
_TITLE = 60
_SECTION = 2_000  # characters; Slack may give back longer text than it was sent, and takes 3,000
_FULL = 9_000  # characters of all lines; of all blocks, Slack takes about 12,000
_KEPT_MOMENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A fold as Slack holds it; `lists` are the texts of its lines, `moments` when the last issues came."""

    ts: str
    issues: tuple[str, ...]
    lists: tuple[str, ...]
    moments: tuple[int, ...]
    replies: int

    def takes_more(self, now: datetime) -> bool:
        """Tell whether another issue goes into it."""
        young = now - datetime.fromtimestamp(float(self.ts), UTC) < LIFE
        return young and sum(map(len, self.lists)) < _FULL

    def lately(self, now: datetime) -> int:
        """Return how many issues came into it within the last minute."""
        start = (now - MINUTE).timestamp()
        return sum(moment > start for moment in self.moments)


def read(message: Mapping[str, Any]) -> Fold | None:
    """Return the message as a fold, None when it is none, or not as it is written here.

    Any app may post such metadata: one message that cannot be read must not stop a channel.
    """
    payload = index.payload(message, FOLD)
    if not payload:
        return None
    try:
        return _read(message, payload)
    except (LookupError, TypeError, ValueError):
        return None


def of_one(event: IssueEvent, issue: Issue, hearing: Hearing, github_url: str, now: datetime) -> Message:
    """Return a new fold; of all that come into it, it mentions whom its first is shown to."""
    mention = words.mentions(hearing.mention) if event.action == "opened" else ""
    return _message((index.key(event, issue),), (_line(event, issue, github_url),), (_seconds(now),), mention)


def as_posted(ts: str, message: Message) -> Fold:
    """Return the fold of a message that has just been posted at `ts`."""
    return _read({"ts": ts, "blocks": message.blocks}, message.metadata["event_payload"])


def with_one_more(fold: Fold, event: IssueEvent, issue: Issue, github_url: str, now: datetime) -> Message:
    """Return the fold with one issue more."""
    line = _line(event, issue, github_url)
    lists = fold.lists
    if lists and len(lists[-1]) + len(line) < _SECTION:
        lists = (*lists[:-1], f"{lists[-1]}\n{line}")
    else:
        lists = (*lists, line)
    moments = (*fold.moments, _seconds(now))[-_KEPT_MOMENTS:]
    return _message((*fold.issues, index.key(event, issue)), lists, moments)


def reply(due: Message, event: IssueEvent, issue: Issue) -> Message:
    """Return the reply for the thread of a fold, where it must say which issue it is about."""
    name = words.name(event.repository, issue.number)
    [block] = due.blocks
    return Message(
        text=f"{name}: {due.text}",
        blocks=(section(f"*{name}* {block['text']['text']}"),),
        metadata=due.metadata,
    )


def _read(message: Mapping[str, Any], payload: Mapping[str, Any]) -> Fold:
    blocks = message.get("blocks") or ()
    return Fold(
        ts=str(message["ts"]),
        issues=tuple(str(payload["issues"]).split()),
        lists=tuple(str(block["text"]["text"]) for block in blocks[1:]),
        moments=tuple(int(moment) for moment in str(payload["moments"]).split()),
        replies=int(message.get("reply_count") or 0),
    )


def _message(
    issues: tuple[str, ...], lists: tuple[str, ...], moments: tuple[int, ...], mention: str = ""
) -> Message:
    text = f"{len(issues)} more issue{'s' if len(issues) > 1 else ''} at once"
    head = f":card_index_dividers: *{text}*, listed here to keep the channel readable"
    payload = {"issues": " ".join(issues), "moments": " ".join(map(str, moments)), "schema": 1}
    return Message(
        text=text,
        blocks=(section(f"{head} {mention}".rstrip()), *map(section, lists)),
        metadata={"event_type": FOLD, "event_payload": payload},
    )


def _line(event: IssueEvent, issue: Issue, github_url: str) -> str:
    name = words.name(event.repository, issue.number)
    url = words.address(github_url, event.repository, issue.number)
    return f"• {link(url, name) if url else name} {words.title(issue, _TITLE)}"


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
