"""Replies are posted once, into the card's thread, and mention people once."""

from datetime import timedelta

import pytest

from clients.slack.client import Slack
from ops.send.payloads import time_text
from pipeline.errors import Unavailable
from tests.functions.notify_slack.store.support import card_content, content
from tests.support.workspace import MONA, TOKEN, Channel, Workspace


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
    outcomes = [
        channel.handle(event, mention=("U0AAAAAAA",) if event is opened else ())
        for event in (labeled, opened, opened, labeled)
    ]
    assert [outcome.replied for outcome in outcomes] == [False, True, False, False]
    assert [reply.text.count("<@U0AAAAAAA>") for reply in channel.replies] == [1]
    assert "<@U0AAAAAAA>" not in str(channel.card.blocks)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_label_mentions_people_once_for_a_card(channel: Channel, order: tuple[int, int]) -> None:
    """A label that calls people mentions them on the card that it makes, or else in a reply, and only once.

    `opened` and `labeled` come together, in any order, and the label may be taken off and put on again.
    """
    issue, at, mention = channel.issue(labels=["urgent"]), channel.clock.now, ("U0AAAAAAA", "S0AAAAAAA")
    both = [channel.receive(issue.opened()), channel.receive(issue.labeled(MONA, at, "urgent"))]
    again = channel.receive(issue.labeled(MONA, at + timedelta(hours=1), "urgent"))
    for event in (both[order[0]], both[order[1]], again, again):
        channel.handle(event, mention=mention)
    assert channel.replies == []
    assert channel.handle(again, mention=("U0BBBBBBB", "U0AAAAAAA")).replied
    assert [reply.text for reply in channel.replies] == ["mona added `urgent` · cc <@U0BBBBBBB>"]


def test_a_late_label_mentions_people_in_a_reply(channel: Channel) -> None:
    """If the channel has the card already, the people whom a label calls hear of it in a reply, once."""
    issue, at, mention = channel.issue(labels=["wontfix"]), channel.clock.now, ("U0AAAAAAA",)
    channel.handle(channel.receive(issue.opened()))
    labeled = channel.receive(issue.labeled(MONA, at, "urgent"), at=at + timedelta(hours=1))
    freed = channel.receive(issue.unlabeled(MONA, at, "wontfix"), at=at + timedelta(hours=2))
    outcomes = [channel.handle(event, mention=mention).replied for event in (labeled, labeled, freed)]
    assert outcomes == [True, False, False]
    assert [reply.text for reply in channel.replies] == ["mona added `urgent` · cc <@U0AAAAAAA>"]
    assert channel.handle(freed, mention=("U0BBBBBBB",)).replied
    assert channel.replies[-1].text == "mona removed `wontfix` · cc <@U0BBBBBBB>"


def test_a_label_that_calls_people_makes_a_card_after_a_burst(workspace: Workspace) -> None:
    """An issue in a burst message has a card of its own from the label that calls people after the burst."""
    channel = workspace.channel(fold_over=1)
    for number in (1, 2):
        issue = channel.issue(number=number)
        opened = channel.receive(issue.opened())
        channel.handle(opened)
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=2))
    assert channel.handle(opened, mention=("U0AAAAAAA",)).outcome == "already_folded"
    labeled = channel.receive(issue.labeled(MONA, channel.clock.now, "urgent"))
    assert channel.handle(labeled, mention=("U0AAAAAAA",)).outcome == "posted"
    assert "cc <@U0AAAAAAA>" in str(channel.cards[-1].blocks)


# Closes


@pytest.mark.parametrize("seconds", [0, 1, 2])
def test_a_close_with_two_deliveries_is_told_once(channel: Channel, seconds: int) -> None:
    """A pull request and its commit both close an issue; of the two deliveries one has a reply."""
    issue, at = channel.issue(), channel.clock.now
    channel.handle(channel.receive(issue.opened()))
    first = channel.receive(issue.closed(MONA, at))
    second = channel.receive(issue.closed(MONA, at + timedelta(seconds=seconds)))
    outcomes = [channel.handle(event).replied for event in (first, second, second, first)]
    assert outcomes == [True, False, False, False]


def test_a_close_after_a_reopening_is_told(channel: Channel) -> None:
    """A second close has its reply, and a changed reason is not called a close."""
    issue, at = channel.issue(), channel.clock.now
    minute = timedelta(minutes=1)
    events = [
        issue.opened(),
        issue.closed(MONA, at + minute),
        issue.reopened(MONA, at + 2 * minute),
        issue.closed(MONA, at + 3 * minute),
        issue.closed(MONA, at + 4 * minute, "not_planned"),
    ]
    for event in events:
        channel.handle(channel.receive(event))
    assert [reply.text for reply in channel.replies] == [
        "mona closed this as completed · 1 minute after opening",
        "mona reopened this",
        "mona closed this as completed · 3 minutes after opening",
        "mona changed this to closed as not planned",
    ]


@pytest.mark.parametrize("first", [None, "completed"])
def test_each_change_of_a_reason_is_told(channel: Channel, first: str | None) -> None:
    """A reason that is changed and changed back is told each time; GitHub may leave out `completed`."""
    issue, at = channel.issue(), channel.clock.now + timedelta(hours=1)
    channel.handle(channel.receive(issue.opened()))
    for minutes, reason in enumerate((first, "completed", "not_planned", "not_planned", first)):
        closed = issue.closed(MONA, at, reason)
        closed.payload["issue"]["updated_at"] = time_text(at + timedelta(minutes=minutes))
        channel.handle(channel.receive(closed))
        channel.handle(channel.receive(closed))
    ended = f"mona closed this{' as completed' if first else ''} · 60 minutes after opening"
    again = "mona changed this to closed as completed" if first else ended
    assert [reply.text for reply in channel.replies] == [
        ended,
        "mona changed this to closed as not planned",
        again,
    ]


# Cards that dropped deliveries


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
