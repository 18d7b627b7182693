"""The mark on a card past its target, beside everything else that happens to the card."""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from clients.slack import client as slack_client
from clients.slack.errors import SlackRefused
from functions.digest import marks
from functions.digest.marks import Mark, Marks, Overdue
from functions.notify_slack.cards import card
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from local.slack.message import Message as StoredMessage
from pipeline.errors import Unavailable
from tests.functions.notify_slack.store.support import apply
from tests.support.interleaving import Interleaving
from tests.support.workspace import MONA, Channel, Workspace, running_workspace

SHOWN = {
    "color": "#b34700",
    "text": ":hourglass_flowing_sand: waiting for 2 days",
    "fallback": "waiting for 2 days, 2026-12-01",
}
SEEDS = range(int(os.environ.get("SEEDS", "10")))  # more of them for docs/guarantees.md


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    """Return a workspace that the tests of this module share."""
    with running_workspace() as running:
        yield running


@pytest.fixture(scope="module")
def bare() -> Iterator[Workspace]:
    """Return a workspace in which an update may take off the attachments and give nothing else."""
    with running_workspace(bare_updates=True) as running:
        yield running


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    """Return an empty channel."""
    return workspace.channel()


def a_card(channel: Channel, **changes: Any) -> CardEvent:
    """Post the card of an issue that was opened two days ago, and return its event."""
    event = channel.receive(channel.issue(**changes).opened())
    channel.handle(event)
    channel.clock.sleep(2 * 24 * 3600)
    return event


def the_marks(
    channel: Channel, *overdue: CardEvent, text: str = "waiting for 2 days", day: date = date(2026, 12, 1)
) -> Marks:
    """Return a run of the digest, in which these issues are past their target."""
    return Marks(
        slack=channel.slack,
        overdue={
            event.key: Overdue(
                opened_at=event.issue.created_at or channel.clock.now, mark=lambda: Mark(text=text, day=day)
            )
            for event in overdue
        },
        now=channel.clock.now,
        sleep=channel.clock.sleep,
    )


def attachments(message: StoredMessage) -> list[dict[str, str]]:
    """Return the message's attachments."""
    return [dict(attachment) for attachment in message.attachments]


def test_a_card_past_its_target_is_marked_and_otherwise_untouched(channel: Channel) -> None:
    """The mark is all that changes on the card of an overdue issue; another issue's card is left alone."""
    overdue, other = a_card(channel), a_card(channel, number=8)
    before, untouched = channel.cards
    assert the_marks(channel, overdue).update(channel.id) == 1
    after, still = channel.cards
    assert attachments(after) == [SHOWN]
    assert (after.text, after.blocks, after.metadata, after.edited) == (
        before.text,
        before.blocks,
        before.metadata,
        None,
    )
    assert still == untouched
    assert other.key != overdue.key


def test_the_mark_of_a_day_is_set_once_and_replaced_the_next_day(channel: Channel) -> None:
    """A second run of the day only reads the history, also hours later; the next day replaces the mark."""
    event = a_card(channel)
    the_marks(channel, event).update(channel.id)
    again = the_marks(channel, event, text="waiting for 3 days")
    assert channel.calls(lambda: again.update(channel.id)) == ["conversations.history"]
    assert attachments(channel.card) == [SHOWN]
    later = the_marks(channel, event, text="waiting for 3 days", day=date(2026, 12, 2))
    assert later.update(channel.id) == 1
    assert [each["fallback"] for each in attachments(channel.card)] == ["waiting for 3 days, 2026-12-02"]


@pytest.mark.parametrize("late", [False, True])
def test_the_next_event_removes_the_mark(channel: Channel, *, late: bool) -> None:
    """Any event that reaches the card removes the mark, also one that is older than what the card shows."""
    issue = channel.issue()
    opened, labeled = channel.receive(issue.opened()), None
    if late:
        labeled = channel.receive(issue.labeled(MONA, channel.clock.now, "late"))
        channel.clock.sleep(1)
        channel.handle(channel.receive(issue.commented(MONA, channel.clock.now, "me too")))
    else:
        channel.handle(opened)
    channel.clock.sleep(2 * 24 * 3600)
    the_marks(channel, opened).update(channel.id)
    assert attachments(channel.card) == [SHOWN]
    event = labeled or channel.receive(issue.commented(MONA, channel.clock.now, "here is the answer"))
    assert channel.handle(event).outcome == ("recorded" if late else "updated")
    assert attachments(channel.card) == []


def test_a_mark_of_an_earlier_day_goes_once_nobody_waits(channel: Channel) -> None:
    """An answer that no route of the channel hears of removes the mark with the next run, and only that."""
    event = a_card(channel)
    before = channel.card
    the_marks(channel, event).update(channel.id)
    assert the_marks(channel).update(channel.id) == 1
    assert channel.card == before


def test_an_issue_that_is_found_answered_gets_no_mark(channel: Channel) -> None:
    """If the issue does not wait any more when it is asked for again, its card keeps no mark."""
    event = a_card(channel)
    the_marks(channel, event).update(channel.id)
    run = the_marks(channel, event)
    run.overdue = {event.key: Overdue(opened_at=channel.clock.now, mark=lambda: None)}
    run.update(channel.id)
    assert attachments(channel.card) == []


def test_a_card_that_has_just_changed_is_left_alone(channel: Channel) -> None:
    """A card that shows an event of the last 15 minutes is not marked: BigQuery may not have it yet."""
    issue = channel.issue()
    opened = channel.receive(issue.opened())
    channel.handle(opened)
    channel.clock.sleep(2 * 24 * 3600)
    channel.handle(channel.receive(issue.commented(MONA, channel.clock.now, "here is the answer")))
    channel.clock.sleep(14 * 60)
    assert the_marks(channel, opened).update(channel.id) == 0
    assert attachments(channel.card) == []
    channel.clock.sleep(2 * 60)
    assert the_marks(channel, opened).update(channel.id) == 1


def test_an_issue_in_a_burst_message_is_not_marked(workspace: Workspace) -> None:
    """Burst messages and other messages are left alone; the issue without a card has no mark."""
    channel = workspace.channel(fold_over=1)
    events = [channel.receive(channel.issue(number=number).opened()) for number in (1, 2, 3)]
    for event in events:
        channel.handle(event)
    channel.clock.sleep(2 * 24 * 3600)
    before = channel.messages
    assert the_marks(channel, *events[1:]).update(channel.id) == 0
    assert channel.messages == before


@pytest.mark.parametrize("call", [2, 3, 4])
def test_a_card_that_is_removed_meanwhile_stops_nothing(channel: Channel, call: int) -> None:
    """If a card is deleted between two calls, the other cards are marked."""
    first, second = a_card(channel), a_card(channel, number=8)
    other, gone = channel.another(), channel.cards[-1].ts
    channel.slack.calls = 0
    channel.slack.before = {call: lambda: other.slack.delete(channel.id, gone)}
    the_marks(channel, first, second).update(channel.id)
    assert attachments(channel.card) == [SHOWN]


@pytest.mark.parametrize("code", ["cant_update_message", "edit_window_closed"])
def test_a_card_that_slack_does_not_let_change_stops_no_other(channel: Channel, code: str) -> None:
    """The other cards are marked; then the run fails with the reason."""
    first, second = a_card(channel), a_card(channel, number=8)

    def refuse() -> None:
        raise SlackRefused(code)

    channel.slack.calls = 0
    channel.slack.before = {3: refuse}
    with pytest.raises(SlackRefused, match=code):
        the_marks(channel, first, second).update(channel.id)
    assert sorted(map(len, map(attachments, channel.cards))) == [0, 1]


@pytest.mark.parametrize("call", [3, 4])
def test_an_event_between_look_and_mark_ends_with_the_event_and_no_mark(channel: Channel, call: int) -> None:
    """An event that comes after the look at the card, before or after its mark, is shown whole, unmarked."""
    issue = channel.issue()
    opened = channel.receive(issue.opened())
    channel.handle(opened)
    channel.clock.sleep(2 * 24 * 3600)
    closed = channel.receive(issue.closed(MONA, channel.clock.now))
    other = channel.another()
    channel.slack.calls = 0

    def meanwhile() -> None:
        other.handle(closed)

    channel.slack.before = {call: meanwhile}
    the_marks(channel, opened).update(channel.id)
    made = card.build(closed, Destination(channel=channel.id))
    assert channel.card.text == made.text
    assert attachments(channel.card) == []
    assert channel.card.metadata
    assert channel.card.metadata["event_payload"]["deliveries"] == [opened.delivery_id, closed.delivery_id]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_order_of_calls_loses_an_event(channel: Channel, seed: int) -> None:
    """However the calls of the digest and of notify_slack alternate, the card shows the event, unmarked."""
    assert alternate(channel, seed, "closed") == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_no_order_of_calls_loses_one_of_two_events(bare: Workspace, seed: int) -> None:
    """If Slack takes off attachments alone, two events right after one another are shown as well."""
    assert alternate(bare.channel(), seed, "commented", "closed") == 2


def alternate(channel: Channel, seed: int, *steps: str) -> int:
    """Mark a card while events come, in an order of calls that the seed decides; return how many it shows."""
    issue = channel.issue()
    opened = channel.receive(issue.opened())
    channel.handle(opened)
    channel.clock.sleep(2 * 24 * 3600)
    events = []
    for step in steps:
        events.append(channel.receive(apply(issue, step, channel.clock.now)))
        channel.clock.sleep(1)
    other, turns, run = channel.another(), Interleaving(seed, threads=2), the_marks(channel, opened)
    channel.slack.before_each = lambda: turns.step(0)
    other.slack.before_each = lambda: turns.step(1)

    def mark() -> None:
        run.update(channel.id)

    def handle() -> None:
        for event in events:
            other.handle(event)

    turns.run([mark, handle])
    assert attachments(channel.card) == []
    assert channel.card.metadata
    shown = channel.card.metadata["event_payload"]["deliveries"]
    is_current = channel.card.text == card.build(events[-1], Destination(channel=channel.id)).text
    return len([event for event in events if event.delivery_id in shown]) if is_current else 0


def test_a_crash_after_the_mark_changes_nothing_more(channel: Channel) -> None:
    """A run that ends right after it has set a mark leaves the marked card; the next run finds it done."""
    event = a_card(channel)

    def crash() -> None:
        raise KeyboardInterrupt

    channel.slack.calls = 0
    channel.slack.before = {4: crash}
    with pytest.raises(KeyboardInterrupt):
        the_marks(channel, event).update(channel.id)
    assert attachments(channel.card) == [SHOWN]
    assert the_marks(channel, event).update(channel.id) == 0


@pytest.mark.parametrize("lost", [{"blocks": []}, {"metadata": {}}])
def test_content_that_slack_does_not_keep_is_written_again(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, lost: dict[str, Any]
) -> None:
    """If the mark costs a card its blocks or its metadata, the card is restored and no other is marked."""
    events = [a_card(channel), a_card(channel, number=8)]
    before = channel.cards
    updates = [method for method, _ in channel.server.requests].count("chat.update")

    def attach_alone(_: object, channel_id: str, ts: str, *attachments: dict[str, str]) -> None:
        arguments = {"channel": channel_id, "ts": ts, "attachments": list(attachments), **lost}
        channel.slack._call("chat.update", arguments)

    monkeypatch.setattr(slack_client.Slack, "attach", attach_alone)
    run = the_marks(channel, *events)
    for _ in ("this channel", "the next one"):
        with pytest.raises(Unavailable, match="has not kept the content"):
            run.update(channel.id)
    assert channel.cards == before
    assert [method for method, _ in channel.server.requests].count("chat.update") == updates + 2


def test_many_cards_are_marked_at_a_pace_that_slack_allows(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After twenty reads, here four, each further one waits for a moment: two for each card."""
    monkeypatch.setattr(marks, "_AT_ONCE", 4)
    events = [a_card(channel, number=number) for number in range(1, 5)]
    before = channel.clock.now
    assert the_marks(channel, *events).update(channel.id) == 4
    assert channel.clock.now - before == timedelta(seconds=3 * 2 * 1.25)


def test_a_card_behind_too_long_a_history_is_found_by_its_first_hour(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the history is longer than what is read, the hour after the issue was opened is read too."""
    monkeypatch.setattr(slack_client, "PAGE", 2)
    monkeypatch.setattr(marks, "PAGE", 2)
    old = a_card(channel)
    for number in range(10, 20):
        channel.slack.clock.sleep(60)
        channel.handle(channel.receive(channel.issue(number=number).opened()))
    channel.clock.sleep(3600)
    assert the_marks(channel, old).update(channel.id) == 1
    assert attachments(channel.cards[0]) == [SHOWN]
