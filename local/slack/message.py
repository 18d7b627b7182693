"""The message that the workspace stores and the page draws, and how the Web API shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

TEAM: Final = "T0LOCAL00"
BOT: Final = "B0LOCAL00"
USER: Final = "U0LOCAL00"
APP: Final = "A0LOCAL00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One stored message in its current state; via is "api" or "webhook".

    ts, thread_ts and edited are Slack's "seconds.microseconds". edited is the time of the newest update, or
    None if that update had blocks: Slack does not mark it as edited.
    """

    channel: str
    ts: str
    text: str
    blocks: Sequence[Mapping[str, Any]] = ()
    metadata: Mapping[str, Any] | None = None
    thread_ts: str | None = None
    via: str = "api"
    edited: str | None = None
    attachments: Sequence[Mapping[str, Any]] = ()


def message_view(
    message: Message, replies: Sequence[Message] = (), *, metadata: bool = True
) -> dict[str, Any]:
    """Return a message as the API shows it; replies are those of its thread, oldest first."""
    view: dict[str, Any] = {"type": "message", "user": USER, "bot_id": BOT, "app_id": APP, "team": TEAM}
    view |= {"ts": message.ts, "text": message.text, "blocks": list(message.blocks)}
    if message.attachments:
        numbered = enumerate(message.attachments, 1)
        view["attachments"] = [{"id": number, **attachment} for number, attachment in numbered]
    if message.metadata is not None:  # docs.slack.dev/messaging/message-metadata: by default only its type
        view["metadata"] = message.metadata if metadata else {"event_type": message.metadata["event_type"]}
    if message.edited is not None:
        view["edited"] = {"user": BOT, "ts": message.edited}
    if message.thread_ts is not None:
        view["thread_ts"] = message.thread_ts
    return view | _thread(message, replies)


def tombstone_view(message: Message, replies: Sequence[Message]) -> dict[str, Any]:
    """Return what the API shows in place of a deleted message whose replies are still there."""
    view = {"type": "message", "subtype": "tombstone", "hidden": True, "user": "USLACKBOT"}
    return view | {"ts": message.ts, "text": "This message was deleted."} | _thread(message, replies)


def archived_view(ts: str) -> dict[str, Any]:
    """Return an archived channel's last message: docs.slack.dev/reference/events/message/channel_archive."""
    return {"type": "message", "subtype": "channel_archive", "ts": ts, "text": "archived", "user": USER}


def _thread(message: Message, replies: Sequence[Message]) -> dict[str, Any]:
    if not replies:
        return {}
    return {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
