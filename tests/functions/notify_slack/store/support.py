"""The content of a message, and the events that lead to it."""

import json
import re
import threading
from datetime import datetime
from typing import Any

from clients.slack.blocks import Message
from clients.slack.metadata import CARD
from functions.notify_slack.cards import burst_message, card, metadata
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from local.slack.message import Message as StoredMessage
from ops.send import accounts, payloads
from tests.support.workspace import MONA, Channel

ELSEWHERE = accounts.Repository(full_name="acme/elsewhere")
COMPACT = Destination(channel="C1")


def content(message: Message | StoredMessage) -> tuple[str, str]:
    """Return a message's text and blocks in a form that can be compared."""
    blocks = list(message.blocks)
    return message.text, json.dumps(blocks, sort_keys=True)


def card_content(
    event: CardEvent, destination: Destination = COMPACT, close: CardEvent | None = None
) -> tuple[str, str]:
    """Return the content of the event's card; `close` is the event whose card it replaces."""
    before = posted_card(close, destination) if close else None
    return content(card.build(event, destination, before))


def posted_card(event: CardEvent, destination: Destination) -> metadata.PostedCard:
    """Return the card of the event as Slack returns it."""
    made = card.build(event, destination)
    message = {"ts": "1", "blocks": made.blocks, "metadata": made.metadata}
    found = metadata.read_card(message, event.key)
    assert found is not None
    return found


def payload(message: StoredMessage) -> dict[str, Any]:
    """Return the payload of a message's metadata."""
    assert message.metadata is not None
    return dict(message.metadata["event_payload"])


def apply(issue: payloads.Issue, step: str, at: datetime) -> payloads.Event:  # noqa: PLR0911 - a table
    """Return the event of one step in the issue's history."""
    match step:
        case "labeled":
            return issue.labeled(MONA, at, f"label {len(issue.labels)}")
        case "commented":
            return issue.commented(MONA, at, f"comment {issue.comments} <!here> & more")
        case "closed":
            return issue.closed(MONA, at, "not_planned")
        case "reopened":
            return issue.reopened(MONA, at)
        case "edited":
            return issue.edited(MONA, at, f"{issue.title}!")
        case "assigned":
            return issue.assigned(MONA, at, accounts.Account(login=f"worker-{len(issue.assignees)}"))
        case "deleted":
            return issue.deleted(MONA, at)
        case _:
            return issue.transferred(MONA, at, ELSEWHERE, 3)[0]


def opened_and_labeled(channel: Channel) -> list[CardEvent]:
    """Return the events of an issue that is opened with five labels, all of one second."""
    issue, at = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    return [opened, *(channel.receive(issue.labeled(MONA, at, f"l{number}"), at=at) for number in range(5))]


def meet_at(barrier: threading.Barrier) -> None:
    """Wait at the barrier for the other instances, as long as they may still arrive."""
    try:
        barrier.wait(0.5)
    except threading.BrokenBarrierError:
        return


def bursts(channel: Channel) -> list[StoredMessage]:
    """Return the burst messages in the channel."""
    return [
        message
        for message in channel.cards
        if message.metadata and message.metadata["event_type"] == burst_message.BURST
    ]


def cards(channel: Channel) -> list[StoredMessage]:
    """Return the cards in the channel."""
    return [
        message for message in channel.cards if message.metadata and message.metadata["event_type"] == CARD
    ]


def linked(*messages: StoredMessage) -> list[int]:
    """Return the numbers of the issues that the messages link to."""
    texts = [block["text"]["text"] for message in messages for block in message.blocks if "text" in block]
    return [int(number) for text in texts for number in re.findall(r"<https://[^|>]*/issues/(\d+)\|", text)]
