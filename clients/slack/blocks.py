"""A message as Slack takes it, and the blocks that it is made of.

Blocks are plain objects, as in https://docs.slack.dev/reference/block-kit/blocks. The SDK's classes for them
would load the whole SDK, which a process needs only once there is something to post.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

type Block = Mapping[str, Any]
type Attachment = Mapping[str, str]

NO_UNFURLING = {"unfurl_links": False, "unfurl_media": False}  # arguments of a post: links show no preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What chat.postMessage and chat.update take; `text` is also the message if Slack refuses the blocks."""

    text: str
    blocks: tuple[Block, ...]
    metadata: Mapping[str, Any]


def header(text: str) -> Block:
    """Return one large line."""
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}}


def section(text: str, block_id: str = "") -> Block:
    """Return one paragraph. A `block_id` lets the block be found in a message."""
    return {"type": "section", "text": _markdown(text), **_named(block_id)}


def plain_section(text: str) -> Block:
    """Return one paragraph in which Slack reads neither formatting nor the names of emoji."""
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def fields(*texts: str) -> Block:
    """Return at most ten short texts, in two columns."""
    return {"type": "section", "fields": [_markdown(text) for text in texts]}


def context(*texts: str, block_id: str = "") -> Block:
    """Return small grey texts, side by side. A `block_id` lets the block be found in a message."""
    return {"type": "context", "elements": [_markdown(text) for text in texts], **_named(block_id)}


def picture(file_id: str, alt_text: str) -> Block:
    """Return a picture that was uploaded."""
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": alt_text}


def attachment(text: str, color: str, fallback: str) -> Attachment:
    """Return a line below the blocks, with a bar of this color, such as #b34700, beside it.

    https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments
    """
    return {"text": text, "color": color, "fallback": fallback}


def without_pictures(message: Message) -> Message:
    """Return the message without its uploaded pictures; the same message if it has none."""
    return replace(message, blocks=tuple(block for block in message.blocks if "slack_file" not in block))


def _named(block_id: str) -> Block:
    return {"block_id": block_id} if block_id else {}


def _markdown(text: str) -> Block:
    """Return verbatim mrkdwn, so that a URL in a title does not become a link."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}
