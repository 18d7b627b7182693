"""One card remains despite two instances, crashes and a history that lags."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from clients.slack import history
from tests.functions.notify_slack.store.support import (
    card_content,
    content,
    meet_at,
    opened_and_labeled,
    payload,
)
from tests.support.workspace import MONA, Crash, Fault, Workspace, running_workspace


@pytest.mark.parametrize("at", [2, 3, 4])
def test_two_instances_with_the_same_opened_end_with_one_card(workspace: Workspace, at: int) -> None:
    """If two instances post a card for one event, the younger card is removed."""
    channel = workspace.channel()
    other = channel.another()
    event = channel.receive(channel.issue().opened())
    channel.clock.pass_until(event.received.received_at)
    barrier = threading.Barrier(2)
    for instance in (channel, other):
        instance.slack.before = {at: lambda: meet_at(barrier)}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda instance: instance.handle(event), [channel, other]))
    assert content(channel.card) == card_content(event)
    assert payload(channel.card)["deliveries"] == [event.delivery_id]
    assert not channel.replies


@pytest.mark.parametrize("at", [2, 3])
def test_opened_and_five_labeled_at_once_end_with_one_card(workspace: Workspace, at: int) -> None:
    """If six instances find no card at first, one card remains."""
    channel = workspace.channel()
    channels = [channel.another() for _ in range(6)]
    events = opened_and_labeled(channel)
    channel.clock.pass_until(events[-1].received.received_at)
    barrier = threading.Barrier(6)
    for instance in channels:
        instance.slack.before = {at: lambda: meet_at(barrier)}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda pair: pair[0].handle(pair[1]), zip(channels, events, strict=True)))
    assert len(channel.cards) == 1


def test_a_crash_before_the_second_look_up_leaves_no_second_card(workspace: Workspace) -> None:
    """If an instance crashes after it posted a second card, the redelivery removes that card."""
    channel = workspace.channel()
    issue = channel.issue()
    opened, commented = (
        channel.receive(issue.opened()),
        channel.receive(issue.commented(MONA, channel.clock.now, "me too")),
    )
    other = channel.another()

    def meanwhile() -> None:
        other.handle(opened)

    def crash() -> None:
        raise Crash

    channel.slack.before = {2: meanwhile, 3: crash}
    with pytest.raises(Crash):
        channel.handle(commented)
    assert len(channel.cards) == 2
    assert channel.handle(commented).replied
    assert channel.card.text.startswith("New issue")
    assert [reply.thread_ts for reply in channel.replies] == [channel.card.ts]


# A history that lags


@pytest.fixture(scope="module")
def slow() -> Iterator[Workspace]:
    """Return a workspace whose history lags for longer than the function waits."""
    with running_workspace(history_lag=30.0) as running:
        yield running


def test_a_post_ends_once_the_history_shows_it(lagging: Workspace) -> None:
    """A post ends once the history shows it, so that the next event finds the card."""
    channel = lagging.channel()
    for event in opened_and_labeled(channel):
        channel.handle(event)
    assert len(payload(channel.card)["deliveries"]) == 6


def test_two_instances_wait_for_a_history_that_lags(lagging: Workspace) -> None:
    """Two instances that post at once remove the younger card once the history shows both."""
    channel = lagging.channel()
    event = channel.receive(channel.issue().opened())
    channel.clock.pass_until(event.received.received_at)
    barrier = threading.Barrier(2)
    instances = [channel, channel.another()]
    for instance in instances:
        instance.slack.before = {2: lambda: meet_at(barrier), 3: lambda: meet_at(barrier)}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda instance: instance.handle(event), instances))
    assert content(channel.card) == card_content(event)


def test_a_crash_while_the_history_lags_leaves_no_second_card(lagging: Workspace) -> None:
    """After a crash the next attempt posts again, sees the first card beside its own, and removes its own."""
    channel = lagging.channel()
    event = channel.receive(channel.issue().opened())
    Fault(kind="crash", call=4).inject(channel)
    with pytest.raises(Crash):
        channel.handle(event)
    channel.restart()
    channel.handle(event)
    assert payload(channel.card)["deliveries"] == [event.delivery_id]


def test_the_wait_for_the_history_ends(slow: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for the history ends after five reads, and after the first if the deadline is near."""
    channel = slow.channel()
    start = channel.clock.now
    event = channel.receive(channel.issue().opened(), at=start - timedelta(seconds=1))
    assert channel.calls(lambda: channel.handle(event)).count("conversations.history") == 1 + 5
    assert channel.clock.now - start == timedelta(seconds=3.75)
    event = channel.receive(channel.issue(number=8).opened())
    monkeypatch.setattr(history, "remaining", lambda: 9.0)
    assert channel.calls(lambda: channel.handle(event)).count("conversations.history") == 1 + 1


def test_two_cards_become_one_with_the_next_event(slow: Workspace) -> None:
    """The next event gives the newest state and all deliveries of two cards to the older one."""
    channel = slow.channel()
    other, issue = channel.another(), channel.issue()
    opened = channel.receive(issue.opened())
    closed = channel.receive(issue.closed(MONA, channel.clock.now + timedelta(seconds=1)))
    labeled = channel.receive(issue.labeled(MONA, channel.clock.now, "late"))
    channel.handle(opened)
    other.handle(closed)
    assert len(channel.cards) == 2
    oldest = channel.cards[0].ts
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=5))
    assert channel.handle(labeled).outcome == "recorded"
    assert channel.card.ts == oldest
    assert content(channel.card) == card_content(closed)
    assert payload(channel.card)["deliveries"] == [opened.delivery_id, labeled.delivery_id]


def test_a_redelivery_that_finds_two_cards_keeps_the_newest_state(slow: Workspace) -> None:
    """The older of two cards takes over the younger one's state before that is removed."""
    channel = slow.channel()
    other, issue = channel.another(), channel.issue()
    opened = channel.receive(issue.opened())
    closed = channel.receive(issue.closed(MONA, channel.clock.now + timedelta(seconds=1)))
    channel.handle(opened)
    other.handle(closed)
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=5))
    assert channel.handle(opened).outcome == "already_handled"
    assert content(channel.card) == card_content(closed)
    assert payload(channel.card)["deliveries"] == [opened.delivery_id]


def test_a_second_card_is_not_removed_within_a_minute(slow: Workspace) -> None:
    """A second card is not removed within a minute, because another instance may be about to remove it."""
    channel = slow.channel()
    other, issue = channel.another(), channel.issue()
    events = [channel.receive(issue.opened()), channel.receive(issue.labeled(MONA, channel.clock.now, "a"))]
    channel.handle(events[0])
    other.handle(events[1])
    channel.clock.pass_until(channel.clock.now + timedelta(seconds=35))
    channel.handle(channel.receive(issue.labeled(MONA, channel.clock.now, "b")))
    assert len(channel.cards) == 2
