"""Replies are posted once, into the card's thread, and mention people once."""

from datetime import timedelta

import pytest

from clients.slack.client import Slack
from pipeline.errors import Unavailable
from tests.functions.notify_slack.store.support import card_content, content
from tests.support.workspace import MONA, TOKEN, Channel


def test_a_card_is_updated_even_if_its_thread_is_locked(channel: Channel) -> None:
    """The card of a locked thread is updated at once, and the reply follows after the unlocking."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    closed = channel.receive(issue.closed(MONA, channel.clock.now))
    channel.server.fail_next(1, error="restricted_action_thread_locked", method="chat.postMessage")
    with pytest.raises(Unavailable):
        channel.handle(closed)
    assert content(channel.card) == card_content(closed)
    assert channel.handle(closed).replied
    assert not channel.handle(closed).replied


def test_a_card_that_is_removed_before_its_reply_leaves_no_reply_in_the_channel(channel: Channel) -> None:
    """If a card is removed before its reply, the redelivery posts both, the reply in the new thread."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    ts = channel.card.ts
    event = channel.receive(issue.commented(MONA, channel.clock.now, "x"))
    channel.slack.calls = 0
    channel.slack.before = {3: lambda: Slack(lambda: TOKEN, channel.server.url).delete(channel.id, ts)}
    with pytest.raises(Unavailable) as refusal:
        channel.handle(event)
    assert refusal.value.reason == "slack_thread_not_found"
    assert channel.messages == []
    channel.handle(event)
    assert [reply.thread_ts for reply in channel.replies] == [channel.card.ts]


def test_a_redelivery_hours_later_gets_no_second_reply(channel: Channel) -> None:
    """A redelivery gets no second reply, even if the card has dropped the id: the thread still has it."""
    issue, start = channel.issue(), channel.clock.now
    comment = issue.commented(MONA, start, "first")
    channel.handle(channel.receive(issue.opened()))
    channel.handle(channel.receive(comment, "once", at=start))
    for number in range(25):
        channel.handle(
            channel.receive(issue.labeled(MONA, start + timedelta(seconds=2 + number), f"l{number}"))
        )
    channel.handle(channel.receive(comment, "once", at=start + timedelta(hours=5)))
    assert len(channel.replies) == 1


def test_a_muted_sender_updates_the_card_without_a_reply(channel: Channel) -> None:
    """A close by a muted sender updates the card and notifies no one."""
    issue = channel.issue()
    closed = channel.receive(issue.closed(MONA, channel.clock.now))
    channel.handle(channel.receive(issue.opened()))
    channel.handle(closed, replies=False)
    assert channel.card.text.startswith("Closed")
    assert not channel.replies


# Mentions


def test_opened_mentions_people_on_its_card(channel: Channel) -> None:
    """A new issue mentions people on its card alone, even if opened is delivered again."""
    opened = channel.receive(channel.issue().opened())
    for _ in range(2):
        channel.handle(opened, mention=("U0AAAAAAA",))
    assert str(channel.card.blocks).count("<@U0AAAAAAA>") == 1
    assert not channel.replies


def test_opened_after_another_event_mentions_people_in_a_reply(channel: Channel) -> None:
    """If labeled arrives before opened, a reply mentions the route's people once."""
    issue = channel.issue()
    opened, labeled = (
        channel.receive(issue.opened()),
        channel.receive(issue.labeled(MONA, channel.clock.now, "bug")),
    )
    mention = ("U0AAAAAAA",)
    outcomes = [channel.handle(event, mention=mention) for event in (labeled, opened, opened, labeled)]
    assert [outcome.replied for outcome in outcomes] == [False, True, False, False]
    assert [reply.text.count("<@U0AAAAAAA>") for reply in channel.replies] == [1]
    assert "<@U0AAAAAAA>" not in str(channel.card.blocks)


def test_a_card_that_dropped_its_first_delivery_mentions_no_one_again(channel: Channel) -> None:
    """A repeated opened mentions no one if the card has dropped its first delivery."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    channel.handle(opened, mention=("U0AAAAAAA",))
    for number in range(20):
        channel.handle(
            channel.receive(issue.labeled(MONA, start + timedelta(seconds=2 + number), f"l{number}"))
        )
    channel.handle(opened, mention=("U0AAAAAAA",))
    assert not channel.replies
