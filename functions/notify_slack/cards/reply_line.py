"""The one line of a reply, and what a posted reply says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.slack.blocks import Message, section

from ..routing.eligibility import CardEvent
from . import metadata, phrases

type Posted = Mapping[str, Any]  # a message as Slack returns it


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The text of the notification and, if it has a link, of the reply itself.

    `block_id` names what later events need to know of the reply, `mentioned` the Slack ids that it mentions.
    """

    text: str
    linked: str = ""
    block_id: str = ""
    mentioned: tuple[str, ...] = ()


def message(line: Line, reply_metadata: Mapping[str, Any]) -> Message:
    """Return the line as a message."""
    blocks = (section(line.linked or line.text, line.block_id),)
    return Message(
        text=line.text,
        blocks=metadata.with_mentioned(blocks, line.mentioned),
        metadata=reply_metadata,
    )


def for_burst(reply: Message, event: CardEvent) -> Message:
    """Return the reply for the thread of a burst message, where it has to name its issue."""
    issue = phrases.this_issue(event)
    [block] = reply.blocks
    return Message(
        text=phrases.BURST_NOTICE.format(issue=issue, text=reply.text),
        blocks=({**block, **section(phrases.BURST_REPLY.format(issue=issue, text=block["text"]["text"]))},),
        metadata=reply.metadata,
    )


def block_id(posted: Posted) -> str:
    """Return the id of a posted reply's block. Blocks from Slack may have any shape."""
    match posted.get("blocks"):
        case [{"block_id": str(found)}, *_]:
            return found
        case _:
            return ""
