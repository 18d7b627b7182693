"""The metadata that cards are found by, and what it says about the order of events.

Every message carries the issue's key, so that Slack itself is the index and no database is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pipeline.delivery import format_time, parse_time
from pipeline.events import Issue, IssueEvent

CARD = "issuewire_card"
REPLY = "issuewire_reply"
KEPT_DELIVERIES = 20
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
CLOSED = "closed:"  # how the name of the block begins that says who closed the issue
_FINAL = {"deleted", "transferred"}
_TURNS = {"closed", "reopened"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A card as Slack holds it; `deliveries` begins with its post's until that is the 21st last.

    `updated_at` is None when the metadata does not say; `replies` is how many its thread has.
    """

    ts: str
    text: str
    blocks: tuple[Mapping[str, Any], ...]
    updated_at: datetime | None
    deliveries: tuple[str, ...]
    replies: int

    @property
    def shows_closed(self) -> bool:
        """Tell whether the card is that of a closed issue."""
        return any(str(block.get("block_id", "")).startswith(CLOSED) for block in self.blocks)


def key(event: IssueEvent, issue: Issue) -> str:
    """Return the name of the issue that outlives a rename of its repository."""
    return f"{event.repository_id}#{issue.number}"


def is_final(event: IssueEvent) -> bool:
    """Tell whether nothing can happen to the issue in this repository any more."""
    return event.event == "issues" and event.action in _FINAL


def as_of(event: IssueEvent, issue: Issue) -> datetime:
    """Return which moment of the issue the event shows.

    A deletion and a transfer leave issue.updated_at as it was; when they were received is later than all
    that came before.
    """
    shown = issue.updated_at or event.event_at
    return max(shown, event.received_at) if is_final(event) else shown


def supersedes(event: IssueEvent, issue: Issue, card: Found) -> bool:
    """Tell whether the event shows the issue later than the card does.

    GitHub's times are whole seconds. Of one second, `opened` is before everything else, and what shows the
    issue open beside a close, or closed beside a reopening, was before that: these do not win, nor does a
    comment. Otherwise the last one does.
    """
    if card.updated_at is None or is_final(event):
        return True
    moment = as_of(event, issue)
    if moment == card.updated_at:
        if event.event != "issues" or event.action == "opened":
            return False
        return event.action in _TURNS or (issue.state == "closed") is card.shows_closed
    return moment > card.updated_at


def was_posted_by_another(event: IssueEvent, card: Found) -> bool:
    """Tell whether another event posted the card; of one that has forgotten its first, it is not known."""
    return len(card.deliveries) < KEPT_DELIVERIES and card.deliveries[:1] != (event.delivery_id,)


def merged(oldest: Found, younger: Sequence[Found]) -> Found:
    """Return the oldest card with the newest state of all, and the deliveries of all.

    Not with those that posted the younger ones: of two states of one second it is not known which is newer,
    so such an event, if it comes again, is shown as one that is not known yet.
    """
    latest = max((oldest, *younger), key=lambda card: card.updated_at or _LONG_AGO)
    others = (delivery for card in younger for delivery in card.deliveries[1:])
    deliveries = dict.fromkeys((*oldest.deliveries, *others))
    return replace(
        oldest,
        text=latest.text,
        blocks=latest.blocks,
        updated_at=latest.updated_at,
        deliveries=tuple(deliveries),
    )


def of_card(event: IssueEvent, issue: Issue) -> Mapping[str, Any]:
    """Return the metadata of a card that the event makes."""
    return _card(key(event, issue), as_of(event, issue), (event.delivery_id,))


def of_update(event: IssueEvent, issue: Issue, card: Found) -> Mapping[str, Any]:
    """Return the metadata of the card once the event has been handled."""
    moment = as_of(event, issue)
    latest = moment if card.updated_at is None else max(moment, card.updated_at)
    deliveries = dict.fromkeys((*card.deliveries, event.delivery_id))
    return _card(key(event, issue), latest, tuple(deliveries))


def of_reply(event: IssueEvent, issue: Issue) -> Mapping[str, Any]:
    """Return the metadata of the event's reply in the thread."""
    content = {"issue": key(event, issue), "delivery_id": event.delivery_id, "schema": 1}
    return {"event_type": REPLY, "event_payload": content}


def read_card(message: Mapping[str, Any], wanted: str) -> Found | None:
    """Return the message as the card of the issue `wanted`, None when it is not that."""
    found = payload(message, CARD)
    if found.get("issue") != wanted:
        return None
    deliveries = found.get("deliveries")
    return Found(
        ts=str(message["ts"]),
        text=str(message.get("text", "")),
        blocks=tuple(message.get("blocks") or ()),
        updated_at=parse_time(found.get("updated_at")),
        deliveries=tuple(map(str, deliveries)) if isinstance(deliveries, list) else (),
        replies=int(message.get("reply_count") or 0),
    )


def card_of(message: Mapping[str, Any]) -> str:
    """Return the issue whose card the message is, empty when it is none."""
    return str(payload(message, CARD).get("issue") or "")


def is_reply(message: Mapping[str, Any], delivery_id: str) -> bool:
    """Tell whether the message is the reply of this delivery."""
    return payload(message, REPLY).get("delivery_id") == delivery_id


def payload(message: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return the payload of a message's metadata of this kind, nothing in it when there is none."""
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != kind:
        return {}
    found = metadata.get("event_payload")
    return found if isinstance(found, dict) else {}


def _card(issue: str, updated_at: datetime, deliveries: tuple[str, ...]) -> Mapping[str, Any]:
    content = {
        "issue": issue,
        "updated_at": format_time(updated_at),
        "deliveries": list(deliveries[-KEPT_DELIVERIES:]),
        "schema": 1,
    }
    return {"event_type": CARD, "event_payload": content}
