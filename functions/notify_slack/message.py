"""What Slack is given to show: one message, ready to be sent, and its texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import Block, MarkdownTextObject
from slack_sdk.models.metadata import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What chat.postMessage and chat.update take; `text` is also the notice when Slack refuses the blocks."""

    text: str
    blocks: tuple[Block | Mapping[str, Any], ...]
    metadata: Metadata


def markdown(text: str) -> MarkdownTextObject:
    """Verbatim: an address in a title must not become a link."""
    return MarkdownTextObject(text=text, verbatim=True)
