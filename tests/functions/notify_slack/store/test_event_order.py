"""A late event, or one of the same second, does not restore an older state of the card."""

import itertools
from datetime import timedelta

import pytest

from ops.send import payloads
from tests.functions.notify_slack.store.support import apply, card_content, content
from tests.support.workspace import MONA, Channel


def test_a_late_event_does_not_make_the_card_older(channel: Channel) -> None:
    """A late event changes nothing on the card."""
    issue, start = channel.issue(), channel.clock.now
    opened, *late, closed = [
        channel.receive(issue.opened()),
        channel.receive(issue.labeled(MONA, start + timedelta(seconds=2), "a")),
        channel.receive(issue.labeled(MONA, start + timedelta(seconds=4), "b")),
        channel.receive(issue.closed(MONA, start + timedelta(seconds=9))),
    ]
    outcomes = [channel.handle(event).outcome for event in (opened, closed, *late)]
    assert outcomes == ["posted", "updated", "recorded", "recorded"]
    assert content(channel.card) == card_content(closed)


def test_a_late_event_calls_no_one_to_a_closed_issue(channel: Channel) -> None:
    """`opened` and a label that come after the close mention no one; a reopened issue's label does."""
    issue, start, mention = channel.issue(), channel.clock.now, ("U0AAAAAAA",)
    opened = channel.receive(issue.opened())
    labeled = channel.receive(issue.labeled(MONA, start + timedelta(seconds=2), "urgent"))
    closed = channel.receive(issue.closed(MONA, start + timedelta(seconds=4)))
    channel.handle(closed)
    assert not any(channel.handle(event, mention=mention).replied for event in (opened, labeled, opened))
    reopened = issue.reopened(MONA, start + timedelta(seconds=6))
    channel.handle(channel.receive(reopened))
    again = channel.receive(issue.labeled(MONA, start + timedelta(seconds=8), "urgent"))
    assert channel.handle(again, mention=mention).replied


@pytest.mark.parametrize("end", ["deleted", "transferred"])
def test_deleted_and_transferred_are_final(channel: Channel, end: str) -> None:
    """A deletion or a transfer is final; a late comment gets its reply unless the issue was deleted."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    labeled = channel.receive(issue.labeled(MONA, start + timedelta(seconds=4), "late"), at=start)
    comment = channel.receive(issue.commented(MONA, start + timedelta(seconds=4), "late"), at=start)
    event = channel.receive(apply(issue, end, start + timedelta(seconds=4)), at=start + timedelta(seconds=4))
    for arrived in (opened, event, labeled, comment):
        channel.handle(arrived)
    assert content(channel.card) == card_content(event)
    assert ("mona commented: late" in [reply.text for reply in channel.replies]) is (end == "transferred")


def test_a_late_deleted_comment_changes_no_card(channel: Channel) -> None:
    """A deleted comment is as old as the issue that it shows, and changes no newer card."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    comment = issue.commented(MONA, start + timedelta(seconds=1), "x")
    gone = channel.receive(
        payloads.Event(name=comment.name, payload={**comment.payload, "action": "deleted"})
    )
    closed = channel.receive(issue.closed(MONA, start + timedelta(seconds=9)))
    assert [channel.handle(event).outcome for event in (opened, closed, gone)] == [
        "posted",
        "updated",
        "recorded",
    ]
    assert content(channel.card) == card_content(closed)


def test_a_comment_of_the_same_second_does_not_reopen_the_card(channel: Channel) -> None:
    """A comment in the second of the close, which may show the issue open, does not reopen the card."""
    issue, start = channel.issue(), channel.clock.now
    at = start + timedelta(seconds=30)
    opened = channel.receive(issue.opened())
    comment = channel.receive(issue.commented(MONA, at, "done"))
    closed = channel.receive(issue.closed(MONA, at))
    for event in (opened, closed, comment):
        channel.handle(event)
    assert content(channel.card) == card_content(closed)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_label_of_the_same_second_does_not_reopen_the_card(
    channel: Channel, order: tuple[int, ...]
) -> None:
    """A label in the second of the close does not reopen the card, in any order of arrival."""
    issue, start = channel.issue(), channel.clock.now
    at = start + timedelta(seconds=30)
    opened, labeled = channel.receive(issue.opened()), channel.receive(issue.labeled(MONA, at, "stale"))
    closed = channel.receive(issue.closed(MONA, at))
    events = [opened, labeled, closed]
    for place in order:
        channel.handle(events[place])
    assert content(channel.card) == card_content(closed)


@pytest.mark.parametrize("steps", [("closed", "reopened"), ("closed", "reopened", "closed")])
def test_of_closes_and_reopenings_in_one_second_the_last_arrival_wins(
    channel: Channel, steps: tuple[str, ...]
) -> None:
    """Of a close and a reopening in one second, the later arrival wins."""
    issue, start = channel.issue(), channel.clock.now
    at = start + timedelta(seconds=30)
    events = [channel.receive(issue.opened()), *(channel.receive(apply(issue, step, at)) for step in steps)]
    for event in events:
        channel.handle(event)
    assert content(channel.card) == card_content(events[-1])


def test_a_deleted_comment_is_counted_no_more(channel: Channel) -> None:
    """The card counts a comment at once, and not after its deletion, which leaves all times as they were."""
    issue, at = channel.issue(), channel.clock.now
    created = issue.commented(MONA, at, "first")
    deleted = payloads.Event(name=created.name, payload={**created.payload, "action": "deleted"})
    deleted.payload["issue"] = issue.as_json()
    channel.handle(channel.receive(issue.opened()))
    events = [channel.receive(created), channel.receive(deleted)]
    for event, counted in ((events[0], True), (events[1], False), (events[0], False)):
        channel.handle(event)
        assert ("1 comment" in str(channel.card.blocks)) is counted
