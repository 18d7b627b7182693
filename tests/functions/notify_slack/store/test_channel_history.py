"""The history of a channel is searched by metadata and by the time of each post."""

from datetime import timedelta
from typing import Any

import pytest

from clients.slack.blocks import Message, section
from clients.slack.metadata import CARD
from functions.notify_slack.cards import metadata
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.store import channel_history
from functions.notify_slack.store.threads import Threads
from ops.send.accounts import Repository
from tests.support.messages import NOON
from tests.support.workspace import MONA, Channel


def message(minutes: float, kind: str, **payload: Any) -> dict[str, Any]:
    """Return a message that was posted `minutes` before noon, as the history shows it."""
    at = NOON - timedelta(minutes=minutes)
    written = {"event_type": kind, "event_payload": payload}
    return {"ts": f"{at.timestamp():.6f}", "text": "x", "blocks": [], "metadata": written}


def post(channel: Channel, kind: str, **payload: Any) -> str:
    """Post a message with this metadata and return its timestamp."""
    written = {"event_type": kind, "event_payload": payload}
    return channel.slack.post(channel.id, Message(text="x", blocks=(section("x"),), metadata=written))


def opened(channel: Channel) -> CardEvent:
    """Return the event of an issue that is opened now."""
    return channel.receive(channel.issue().opened())


def test_the_oldest_card_of_the_issue_is_found() -> None:
    """The oldest card of the issue is found in any order of the history, among cards of other issues."""
    cards = [message(minutes, CARD, issue="1#7") for minutes in (2, 9, 5)]
    found = channel_history.oldest_card([message(20, CARD, issue="1#8"), *cards], "1#7")
    assert found is not None
    assert found.ts == cards[1]["ts"]
    assert channel_history.oldest_card(cards, "1#9") is None


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_that_is_five_minutes_off_hides_no_recent_message(channel: Channel, minutes: int) -> None:
    """A clock that is five minutes off does not hide a recent card or reply."""
    issue = channel.issue()
    event = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    channel.handle(event)
    now = channel.clock.now + timedelta(minutes=minutes)
    [found] = channel_history.scan(channel.slack, channel.id, event, now).cards
    threads = Threads(slack=channel.slack, now=lambda: now)
    [reply] = threads.around(event, channel.id, [found], whole=False)[1:]
    assert metadata.is_reply(reply, event.delivery_id)


def test_the_reply_about_a_transfer_that_is_received_again_is_found(channel: Channel) -> None:
    """GitHub dates no transfer, so one that is received again hours later still finds its reply."""
    leaves, _ = channel.issue().transferred(MONA, channel.clock.now, Repository(full_name="acme/other"), 3)
    channel.handle(channel.receive(leaves, "d-moved"))
    channel.clock.pass_until(channel.clock.now + timedelta(hours=9))
    again = channel.receive(leaves, "d-moved")
    assert not channel.handle(again).replied
