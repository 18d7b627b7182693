"""How the Web API shows a message, and who the app is in this workspace."""

from collections.abc import Sequence
from typing import Any, Final

from local.slack.page import Message

TEAM: Final = "T0LOCAL00"
BOT: Final = "B0LOCAL00"
USER: Final = "U0LOCAL00"
APP: Final = "A0LOCAL00"


def as_slack(message: Message, replies: Sequence[Message] = (), *, metadata: bool = True) -> dict[str, Any]:
    """Give a message as the API shows it; replies are those of its thread, oldest first."""
    shown: dict[str, Any] = {"type": "message", "user": USER, "bot_id": BOT, "app_id": APP, "team": TEAM}
    shown |= {"ts": message.ts, "text": message.text, "blocks": list(message.blocks)}
    if message.metadata is not None:  # docs.slack.dev/messaging/message-metadata: unasked, its type alone
        shown["metadata"] = message.metadata if metadata else {"event_type": message.metadata["event_type"]}
    if message.edited is not None:
        shown["edited"] = {"user": BOT, "ts": message.edited}
    if message.thread_ts is not None:
        shown["thread_ts"] = message.thread_ts
    return shown | _thread(message, replies)


def as_tombstone(message: Message, replies: Sequence[Message]) -> dict[str, Any]:
    """Give what stands in place of a deleted message whose replies are still there."""
    return {
        "type": "message",
        "subtype": "tombstone",
        "hidden": True,
        "user": "USLACKBOT",
        "ts": message.ts,
        "text": "This message was deleted.",
        **_thread(message, replies),
    }


def _thread(message: Message, replies: Sequence[Message]) -> dict[str, Any]:
    if not replies:
        return {}
    return {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
