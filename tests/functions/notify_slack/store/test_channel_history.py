"""What is made of a channel's messages, told apart by their metadata and by when they were posted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from clients.slack.blocks import Message, section
from functions.notify_slack.cards import burst_message as fold
from functions.notify_slack.cards import metadata as index
from functions.notify_slack.cards.metadata import CARD
from functions.notify_slack.store import channel_history as search
from pipeline.events import Issue
from tests.support.messages import NOON
from tests.support.workspace import MONA, Channel, issue_of, running_workspace

KINDS = (CARD, index.REPLY, fold.FOLD)


def message(minutes: float, kind: str, **payload: Any) -> dict[str, Any]:
    """Return a message of so many minutes before noon, as the history shows it."""
    at = NOON - timedelta(minutes=minutes)
    metadata = {"event_type": kind, "event_payload": payload}
    return {"ts": f"{at.timestamp():.6f}", "text": "x", "blocks": [], "metadata": metadata}


@pytest.mark.parametrize(
    "metadata",
    [
        *(None, "x", ["x"], 7, {}, {"event_type": "theirs", "event_payload": {"issue": "1#7"}}),
        *(
            {"event_type": kind, "event_payload": content}
            for kind in KINDS
            for content in (None, "x", ["x"], 7)
        ),
    ],
)
def test_a_message_without_metadata_of_ours_is_passed_over(metadata: Any) -> None:
    """Any app may post any: what cannot be read is no card, no reply and no fold."""
    theirs = {**message(1, CARD), "metadata": metadata}
    assert index.read_card(theirs, "1#7") is None
    assert not index.card_of(theirs)
    assert not index.is_reply(theirs, "d-1")
    assert fold.read(theirs) is None


@pytest.fixture
def channel() -> Iterator[Channel]:
    """Return an empty channel."""
    with running_workspace() as workspace:
        yield workspace.channel()


def post(channel: Channel, kind: str, **payload: Any) -> str:
    """Post a message with this metadata, and return its ts."""
    metadata = {"event_type": kind, "event_payload": payload}
    return channel.slack.post(channel.id, Message(text="x", blocks=(section("x"),), metadata=metadata))


def opened(channel: Channel) -> Issue:
    """Return an issue that is opened now."""
    return issue_of(channel.receive(channel.issue().opened()))


def test_of_several_cards_the_oldest_stays() -> None:
    """Whatever the order in which the history shows them; those of other issues do not count."""
    cards = [message(minutes, CARD, issue="1#7") for minutes in (2, 9, 5)]
    found = search.oldest_card([message(20, CARD, issue="1#8"), *cards], "1#7")
    assert found is not None
    assert found.ts == cards[1]["ts"]
    assert search.oldest_card(cards, "1#9") is None


def test_of_several_folds_the_oldest_that_takes_more_stays() -> None:
    """One that is older than ten minutes takes no more issues."""
    folds = [message(minutes, fold.FOLD, issues="1#7", moments="1") for minutes in (2, 11, 9, 5)]
    found = search.oldest_fold(folds, NOON)
    assert found is not None
    assert found.ts == folds[2]["ts"]
    assert search.oldest_fold(folds[1:2], NOON) is None


def test_an_issue_goes_into_the_newest_fold(channel: Channel) -> None:
    """However many take more."""
    kept = [post(channel, fold.FOLD, issues=f"1#{number}", moments="1") for number in (1, 2, 3)]
    seen = search.look(channel.slack, channel.id, "1#99", opened(channel), channel.clock.now)
    assert [each.ts for each in seen.folds] == kept[::-1]
    newest = seen.open_fold(channel.clock.now)
    assert newest is not None
    assert newest.ts == kept[-1]


def test_a_card_of_minutes_ago_is_seen_beside_the_one_just_posted(channel: Channel) -> None:
    """Another instance may have been slow; what came after the post is not asked for."""
    first = post(channel, CARD, issue="1#7")
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=9))
    second = post(channel, CARD, issue="1#7")
    channel.clock.pass_until(channel.clock.now + timedelta(seconds=1))
    post(channel, CARD, issue="1#7")
    before = search.just_before(channel.slack, channel.id, second, channel.clock.sleep)
    assert [each["ts"] for each in before] == [first]


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_five_minutes_off_hides_nothing_that_was_just_posted(channel: Channel, minutes: int) -> None:
    """Neither the card, nor the reply in its thread: else each event would post both again."""
    issue = channel.issue()
    event = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    channel.handle(event)
    now = channel.clock.now + timedelta(minutes=minutes)
    [found] = search.look(
        channel.slack, channel.id, index.key(event, issue_of(event)), issue_of(event), now
    ).cards
    assert search.has_reply(channel.slack, channel.id, found.ts, event, now)
