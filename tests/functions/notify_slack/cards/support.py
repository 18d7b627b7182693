"""Cards as Slack receives them, and what they show."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clients.slack.client import Slack
from functions.notify_slack.cards import card, metadata
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from local.slack.server import SlackServer
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.clock import FakeClock
from tests.support.hostile_text import assert_inert, wire
from tests.support.messages import NOON

GITHUB = "https://github.com"
MONA = accounts.Account(login="mona")
ANN = accounts.Account(login="ann")
LAYOUTS = ("compact", "full")
PEOPLE = {"mona": "U1MONA", "w1": "W1"}
LINK = "<https://github.com/acme/app/issues/7|Export fails>"
DAY = "<!date^1767614400^{date_short_pretty}|2026-01-05>"


def event_of(payload: dict[str, Any], event: str = "issues", github_url: str = GITHUB) -> CardEvent:
    """Return the event as the function reads it: from JSON bytes."""
    body = json.dumps(payload).encode()
    delivery = Delivery(delivery_id="d-1", event=event, body=body, received_at=NOON)
    shown = CardEvent.of(IssueEvent.from_delivery(delivery), github_url)
    assert isinstance(shown, CardEvent)
    return shown


def card_of(
    payload: dict[str, Any],
    event: str = "issues",
    *,
    github_url: str = GITHUB,
    before: dict[str, Any] | None = None,
    **destination: Any,
) -> dict[str, Any]:
    """Return the card as Slack receives it; `before` is the previous card in the same form."""
    shown_in = Destination(channel="C1", **destination)
    made = card.build(event_of(payload, event, github_url), shown_in, posted(before) if before else None)
    assert_inert(made, github_url, shown_in)
    return wire(made)


def posted(message: dict[str, Any]) -> metadata.PostedCard:
    """Return the card as Slack returns it."""
    key = message["metadata"]["event_payload"]["issue"]
    card_found = metadata.read_card({"ts": "1767614400.000001", **message}, key)
    assert card_found is not None
    return card_found


def with_late_event(message: dict[str, Any], event: payloads.Event) -> dict[str, Any]:
    """Return the card after an event that is older than the card."""
    recorded = card.record(event_of(event.payload, event.name), posted(message))
    assert recorded.text == message["text"]
    return {**message, "blocks": list(recorded.blocks)}


@contextmanager
def accepting_server() -> Iterator[tuple[SlackServer, Slack]]:
    """Run the strict stand-in and yield a client for it that never waits; each message has its own second."""
    clock = FakeClock()
    with SlackServer(clock=iter(range(1_767_614_400, 1_867_614_400)).__next__) as server:
        yield server, Slack(lambda: server.token, server.url, clock, clock.sleep)


def lines(message: dict[str, Any]) -> tuple[str, ...]:
    """Return the text of the first block and those of the context below it, if there is one."""
    section, *contexts = message["blocks"]
    elements = [element for context in contexts for element in context["elements"]]
    return section["text"]["text"], *(element["text"] for element in elements)


def context_texts(message: dict[str, Any]) -> list[str]:
    """Return the texts of the context block."""
    [block] = [block for block in message["blocks"] if block["type"] == "context"]
    return [element["text"] for element in block["elements"]]
