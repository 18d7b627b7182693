"""The metadata by which a card is found again, and what it says about the order of events.

Every message carries the issue's key, so that Slack itself is the index and no database is needed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from clients.slack.blocks import Block
from clients.slack.metadata import CARD, payload
from pipeline.delivery import format_time, parse_time

from ..routing.eligibility import CardEvent
from . import lateness

REPLY = "issuewire_reply"
MAX_DELIVERIES = 20
_MAX_BLOCK_ID = 255
CLOSED_BLOCK = "closed:"  # the first part of the id of the block that says who closed the issue
MENTIONED_BLOCK = "mentioned:"  # the first part of the id of the block that says whom the card has mentioned
DELETED_BLOCK = "deleted"  # the id of the block that says who deleted the issue
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_STATE_CHANGES = {("issues", "closed"), ("issues", "reopened")}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedCard:
    """A card as Slack returns it. The first of `deliveries` posted the card, unless 20 others came since.

    `updated_at` is None if the metadata has no valid time; `mentioned` are the Slack ids that the card has
    called; `late` says how late the delivery was that posted it, empty if it was not; `replies` is the number
    of replies in its thread.
    """

    ts: str
    text: str
    blocks: tuple[Block, ...]
    updated_at: datetime | None
    deliveries: tuple[str, ...]
    mentioned: tuple[str, ...]
    late: str
    replies: int

    @property
    def shows_closed(self) -> bool:
        """Return whether the card shows a closed issue."""
        return any(str(block.get("block_id", "")).startswith(CLOSED_BLOCK) for block in self.blocks)

    @property
    def shows_deleted(self) -> bool:
        """Return whether the card shows a deleted issue."""
        return any(block.get("block_id") == DELETED_BLOCK for block in self.blocks)


def is_newer_than(event: CardEvent, card: PostedCard) -> bool:
    """Return whether the event shows a later state of the issue than the card.

    GitHub's times are whole seconds. If both times are equal, a close and a reopening count as newer;
    `opened` and a comment do not, unless a comment was deleted, which changes no time. Any other event counts
    as newer if it agrees with the card about open or closed: if it disagrees, it happened before the close or
    the reopening that the card shows. No later event brings a deleted issue back.
    """
    if card.shows_deleted:
        return event.is_deletion
    if card.updated_at is None or event.is_final:
        return True
    if event.shown_at == card.updated_at:
        if event.is_opening or (event.received.event != "issues" and not event.is_comment_deletion):
            return False
        return event.name in _STATE_CHANGES or (event.issue.state == "closed") is card.shows_closed
    return event.shown_at > card.updated_at


def merge_duplicates(oldest: PostedCard, younger: Sequence[PostedCard]) -> PostedCard:
    """Return the oldest card with the newest state of all, and the deliveries of all.

    It leaves out the deliveries that posted the younger cards: of two states of one second it is unknown
    which is newer, so such an event counts as new if it is delivered again.
    """
    latest = max((oldest, *younger), key=lambda card: card.updated_at or _LONG_AGO)
    others = (delivery for card in younger for delivery in card.deliveries[1:])
    deliveries = dict.fromkeys((*oldest.deliveries, *others))
    mentioned = dict.fromkeys(user for card in (oldest, *younger) for user in card.mentioned)
    return replace(
        latest,
        ts=oldest.ts,
        deliveries=tuple(deliveries),
        mentioned=tuple(mentioned),
        late=oldest.late,
        replies=oldest.replies,
    )


def of_card(event: CardEvent, before: PostedCard | None = None) -> Mapping[str, Any]:
    """Return the metadata of the card after the event; `before` is the card that it replaces."""
    latest = max(event.shown_at, before.updated_at or _LONG_AGO) if before else event.shown_at
    deliveries = dict.fromkeys((*(before.deliveries if before else ()), event.delivery_id))
    content = {
        "issue": event.key,
        "updated_at": format_time(latest),
        "deliveries": list(deliveries)[-MAX_DELIVERIES:],
        "schema": 1,
    }
    return {"event_type": CARD, "event_payload": content}


def with_mentioned(blocks: Sequence[Block], mentioned: Iterable[str]) -> tuple[Block, ...]:
    """Return the blocks, whose first one names whom the message or an earlier state of it has mentioned.

    An update of a card notifies no one and does not show the mentions again, but who has heard of the issue
    must not be called twice. A block's id has room for about twenty Slack ids.
    """
    ids, room = [], _MAX_BLOCK_ID - len(MENTIONED_BLOCK)
    for user in dict.fromkeys(mentioned):
        room -= len(user) + 1
        if room < 0:
            break
        ids.append(user)
    if not ids or not blocks:
        return tuple(blocks)
    return ({**blocks[0], "block_id": MENTIONED_BLOCK + ",".join(ids)}, *blocks[1:])


def read_mentioned(blocks: object) -> tuple[str, ...]:
    """Return the Slack ids in the first block's id. Blocks from Slack may have any shape."""
    match blocks:
        case [{"block_id": str(found)}, *_] if found.startswith(MENTIONED_BLOCK):
            return tuple(found.removeprefix(MENTIONED_BLOCK).split(","))
        case _:
            return ()


def of_reply(event: CardEvent) -> Mapping[str, Any]:
    """Return the metadata of the event's reply in the thread."""
    comment = event.received.comment
    about = {"comment_id": comment.id} if comment and comment.id is not None else {}
    content = {"issue": event.key, "delivery_id": event.delivery_id, **about, "schema": 1}
    return {"event_type": REPLY, "event_payload": content}


def read_card(message: Mapping[str, Any], key: str) -> PostedCard | None:
    """Return the message as the card of the issue with this key, None if it is another message."""
    content = payload(message, CARD)
    if content.get("issue") != key:
        return None
    deliveries = content.get("deliveries")
    blocks = tuple(message.get("blocks") or ())
    return PostedCard(
        ts=str(message["ts"]),
        text=str(message.get("text", "")),
        blocks=blocks,
        mentioned=read_mentioned(blocks),
        late=lateness.read(blocks),
        updated_at=parse_time(content.get("updated_at")),
        deliveries=tuple(map(str, deliveries)) if isinstance(deliveries, list) else (),
        replies=int(message.get("reply_count") or 0),
    )


def is_reply_about(message: Mapping[str, Any], event: CardEvent) -> bool:
    """Return whether the message is a reply about the event's issue: a burst message has several issues."""
    return payload(message, REPLY).get("issue") == event.key


def is_reply(message: Mapping[str, Any], delivery_id: str) -> bool:
    """Return whether the message is the reply of this delivery."""
    return payload(message, REPLY).get("delivery_id") == delivery_id
