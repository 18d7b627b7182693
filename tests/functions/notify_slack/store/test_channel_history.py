"""What is made of a channel's messages, told apart by their metadata and by when they were posted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from clients.slack.blocks import Message, section
from functions.notify_slack.cards import burst_message, metadata
from functions.notify_slack.cards.metadata import CARD
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.store import channel_history
from tests.support.messages import NOON
from tests.support.workspace import MONA, Channel, running_workspace

KINDS = (CARD, metadata.REPLY, burst_message.BURST)


def message(minutes: float, kind: str, **payload: Any) -> dict[str, Any]:
    """Return a message of so many minutes before noon, as the history shows it."""
    at = NOON - timedelta(minutes=minutes)
    written = {"event_type": kind, "event_payload": payload}
    return {"ts": f"{at.timestamp():.6f}", "text": "x", "blocks": [], "metadata": written}


@pytest.mark.parametrize(
    "written",
    [
        *(None, "x", ["x"], 7, {}, {"event_type": "theirs", "event_payload": {"issue": "1#7"}}),
        *(
            {"event_type": kind, "event_payload": content}
            for kind in KINDS
            for content in (None, "x", ["x"], 7)
        ),
    ],
)
def test_a_message_without_metadata_of_ours_is_passed_over(written: Any) -> None:
    """Any app may post any: what cannot be read is no card, no reply and no fold."""
    theirs = {**message(1, CARD), "metadata": written}
    assert metadata.read_card(theirs, "1#7") is None
    assert not metadata.card_key(theirs)
    assert not metadata.is_reply(theirs, "d-1")
    assert burst_message.read(theirs) is None


@pytest.fixture
def channel() -> Iterator[Channel]:
    """Return an empty channel."""
    with running_workspace() as workspace:
        yield workspace.channel()


def post(channel: Channel, kind: str, **payload: Any) -> str:
    """Post a message with this metadata, and return its ts."""
    written = {"event_type": kind, "event_payload": payload}
    return channel.slack.post(channel.id, Message(text="x", blocks=(section("x"),), metadata=written))


def opened(channel: Channel) -> CardEvent:
    """Return the event of an issue that is opened now."""
    return channel.receive(channel.issue().opened())


def test_of_several_cards_the_oldest_stays() -> None:
    """Whatever the order in which the history shows them; those of other issues do not count."""
    cards = [message(minutes, CARD, issue="1#7") for minutes in (2, 9, 5)]
    found = channel_history.oldest_card([message(20, CARD, issue="1#8"), *cards], "1#7")
    assert found is not None
    assert found.ts == cards[1]["ts"]
    assert channel_history.oldest_card(cards, "1#9") is None


def test_of_several_folds_the_oldest_that_takes_more_stays() -> None:
    """One that is older than ten minutes takes no more issues."""
    folds = [message(minutes, burst_message.BURST, issues="1#7", moments="1") for minutes in (2, 11, 9, 5)]
    found = channel_history.oldest_burst(folds, NOON)
    assert found is not None
    assert found.ts == folds[2]["ts"]
    assert channel_history.oldest_burst(folds[1:2], NOON) is None


def test_an_issue_goes_into_the_newest_fold(channel: Channel) -> None:
    """However many take more."""
    kept = [post(channel, burst_message.BURST, issues=f"1#{number}", moments="1") for number in (1, 2, 3)]
    seen = channel_history.scan(channel.slack, channel.id, opened(channel), channel.clock.now)
    assert [each.ts for each in seen.bursts] == kept[::-1]
    newest = seen.open_burst(channel.clock.now)
    assert newest is not None
    assert newest.ts == kept[-1]


def test_a_card_of_minutes_ago_is_seen_beside_the_one_just_posted(channel: Channel) -> None:
    """Another instance may have been slow; what came after the post is not asked for."""
    first = post(channel, CARD, issue="1#7")
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=9))
    second = post(channel, CARD, issue="1#7")
    channel.clock.pass_until(channel.clock.now + timedelta(seconds=1))
    post(channel, CARD, issue="1#7")
    before = channel_history.messages_before(channel.slack, channel.id, second, channel.clock.sleep)
    assert [each["ts"] for each in before] == [first]


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_five_minutes_off_hides_nothing_that_was_just_posted(channel: Channel, minutes: int) -> None:
    """Neither the card, nor the reply in its thread: else each event would post both again."""
    issue = channel.issue()
    event = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    channel.handle(event)
    now = channel.clock.now + timedelta(minutes=minutes)
    [found] = channel_history.scan(channel.slack, channel.id, event, now).cards
    assert channel_history.has_reply(channel.slack, channel.id, found.ts, event, now)
