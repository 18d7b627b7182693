"""An issue has one card in each channel, by the strict stand-in for Slack and its official client."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from clients.slack.blocks import Message
from clients.slack.rate_limit import POST
from functions.notify_slack.cards import metadata
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.store.outcome import UpsertResult
from pipeline.errors import Unavailable
from tests.functions.notify_slack.store.support import card_content, content, opened_and_labeled, payload
from tests.support.messages import NOON
from tests.support.workspace import MONA, Channel, Workspace


def test_each_event_has_one_outcome_and_one_reply(channel: Channel) -> None:
    """A card is posted, updated or recorded; a repetition changes nothing."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    labeled = channel.receive(issue.labeled(MONA, start + timedelta(seconds=5), "bug"))
    closed = channel.receive(
        issue.closed(MONA, start + timedelta(seconds=9)), at=start + timedelta(seconds=9)
    )
    order = [opened, closed, labeled, opened, closed, labeled]
    outcomes = [channel.handle(event) for event in order]
    assert [outcome.outcome for outcome in outcomes] == [
        "posted",
        "updated",
        "recorded",
        *["already_handled"] * 3,
    ]
    assert [outcome.replied for outcome in outcomes] == [False, True, False, False, False, False]
    assert content(channel.card) == card_content(closed)


def test_opened_and_five_labeled_in_turn_make_one_card(channel: Channel) -> None:
    """An opened and five labeled events take one post and five updates, and one call for each look-up."""
    events = opened_and_labeled(channel)
    calls = channel.calls(lambda: [channel.handle(event) for event in events])
    assert content(channel.card) == card_content(events[-1])
    assert payload(channel.card)["deliveries"] == [event.delivery_id for event in events]
    assert Counter(calls) == {"conversations.history": 7, "chat.postMessage": 1, "chat.update": 5}


def test_no_call_is_made_without_need(channel: Channel) -> None:
    """An empty thread is not read; for a known delivery only the thread is read."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    comments = [
        channel.receive(issue.commented(MONA, channel.clock.now, text)) for text in ("first", "second")
    ]
    post, update, read = "chat.postMessage", "chat.update", "conversations.replies"
    calls = [channel.calls(lambda event=event: channel.handle(event)) for event in [*comments, comments[-1]]]
    assert calls == [
        ["conversations.history", *more] for more in ([update, post], [update, read, post], [read])
    ]


def test_a_delivery_that_must_wait_for_its_post_makes_no_call(channel: Channel) -> None:
    """While the channel accepts no post, a comment or a new issue reads nothing; a label is shown at once."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    channel.slack._rate_limit.pause(POST, channel.id, 60)
    comment = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    new = channel.receive(channel.issue(number=8).opened())

    def refuse(event: CardEvent) -> None:
        with pytest.raises(Unavailable) as caught:
            channel.handle(event)
        assert caught.value.reason == "slack_ratelimited"

    assert channel.calls(lambda: [refuse(event) for event in (comment, new)]) == []
    muted = channel.calls(lambda: channel.handle(comment, replies=False))
    assert muted == ["conversations.history", "chat.update"]
    label = channel.receive(issue.labeled(MONA, channel.clock.now + timedelta(seconds=1), "bug"))
    assert channel.handle(label).outcome == "updated"
    channel.slack.clock.sleep(60)
    assert channel.handle(comment).replied


def test_a_delivery_that_must_wait_for_its_post_waits_for_no_lock(channel: Channel) -> None:
    """A delivery that could not post after its issue's lock is free takes no place among those that wait."""
    comment = channel.receive(channel.issue().commented(MONA, channel.clock.now, "me too"))
    channel.slack._rate_limit.pause(POST, channel.id, 60)
    with (
        channel.card_store._locks.hold((channel.id, comment.key)),
        pytest.raises(Unavailable) as caught,
    ):
        channel.handle(comment)
    assert caught.value.reason == "slack_ratelimited"


def test_a_delivery_asks_again_for_its_post_after_the_wait_for_a_lock(channel: Channel) -> None:
    """What other threads have posted during the wait for the lock counts before the look-up, too."""
    comment = channel.receive(channel.issue().commented(MONA, channel.clock.now, "me too"))
    hold = channel.card_store._locks.hold

    @contextmanager
    def held(key: Hashable) -> Iterator[None]:
        with hold(key):
            channel.slack._rate_limit.pause(POST, channel.id, 60)
            yield

    channel.card_store._locks.hold = held
    before = len(channel.server.requests)
    with pytest.raises(Unavailable):
        channel.handle(comment)
    assert len(channel.server.requests) == before


def test_an_unknown_issue_is_posted_in_its_current_state(channel: Channel) -> None:
    """A comment on an issue without a card makes a card that is not called new, and a reply in its thread."""
    issue = channel.issue(created_at=NOON - timedelta(days=900))
    issue.closed(MONA, NOON - timedelta(days=800))
    event = channel.receive(issue.commented(MONA, channel.clock.now, "still there?"))
    calls = channel.calls(lambda: channel.handle(event))
    assert calls == [
        "conversations.history",
        "conversations.history",
        "chat.postMessage",
        "conversations.history",
        "chat.postMessage",
    ]
    assert channel.card.text.startswith("Closed as completed: acme/app#7")
    assert [reply.text for reply in channel.replies] == ["mona commented: still there?"]
    assert channel.handle(event).outcome == "already_handled"


def test_the_look_up_reads_five_pages_at_most(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up reads five pages at most; in a busier channel the issue gets a second card."""
    monkeypatch.setattr("clients.slack.client.PAGE", 1)
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    for number in range(100, 107):
        channel.handle(channel.receive(channel.issue(number=number).opened()))
    channel.clock.pass_until(channel.clock.now + timedelta(hours=2))
    event = channel.receive(issue.labeled(MONA, channel.clock.now, "bug"))
    calls = channel.calls(lambda: channel.handle(event))
    assert calls.count("conversations.history") == 5 + 1
    assert len(channel.cards) == 9


def test_the_last_twenty_deliveries_are_kept(channel: Channel) -> None:
    """A card keeps its last twenty deliveries; a repetition of an older one adds no second reply."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    first = channel.receive(issue.commented(MONA, start + timedelta(seconds=1), "first"))
    others = [
        channel.receive(issue.labeled(MONA, start + timedelta(seconds=2 + number), f"l{number}"))
        for number in range(25)
    ]
    for event in [opened, first, *others]:
        channel.handle(event)
    assert payload(channel.card)["deliveries"] == [event.delivery_id for event in others[-20:]]
    assert channel.handle(first) == UpsertResult(outcome="recorded", ts=channel.card.ts, replied=False)
    assert content(channel.card) == card_content(others[-1])
    assert len(channel.replies) == 1


def test_a_removed_card_is_posted_again(channel: Channel) -> None:
    """A removed card is posted again by the next event, in the current state."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    channel.slack.delete(channel.id, channel.card.ts)
    channel.handle(channel.receive(issue.labeled(MONA, channel.clock.now, "bug")))
    assert channel.card.text.startswith("Open issue")


def test_each_issue_has_one_card_in_each_channel(workspace: Workspace) -> None:
    """A card belongs to one issue and one channel."""
    channels = [workspace.channel(), workspace.channel()]
    issues = [channels[0].issue(number=7), channels[0].issue(number=77)]
    for channel in channels:
        for issue in issues:
            channel.handle(channel.receive(issue.opened()))
            channel.handle(channel.receive(issue.labeled(MONA, channel.clock.now, "bug")))
    assert [len(channel.cards) for channel in channels] == [2, 2]


def test_an_issue_that_leaves_the_route_updates_its_card_a_last_time(channel: Channel) -> None:
    """An issue that leaves the route updates its card a last time; without a card nothing is posted."""
    issue = channel.issue()
    left = channel.receive(issue.labeled(MONA, channel.clock.now, "wontfix"))
    assert channel.handle(left, final_update=True).outcome == "no_card"
    assert not channel.cards
    channel.handle(channel.receive(issue.opened()))
    channel.handle(
        channel.receive(issue.labeled(MONA, channel.clock.now + timedelta(seconds=1), "x")), final_update=True
    )
    assert content(channel.card) != card_content(left)
    assert "not follow" in str(channel.card.blocks)


# Malformed values

EXTREMES = ["0001-01-01T00:00:00Z", "0001-01-01T00:05:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]


@pytest.mark.parametrize("moment", [*EXTREMES, "yesterday", None])
def test_an_absurd_time_stops_no_event(channel: Channel, moment: str | None) -> None:
    """An event with an absurd time in any field has one card, and each reply once."""
    issue = channel.issue()
    happened = [issue.opened(), issue.closed(MONA, NOON), issue.commented(MONA, NOON, "x")]
    for event in happened:
        for name in ("created_at", "updated_at", "closed_at"):
            event.payload["issue"][name] = moment
    happened[2].payload["comment"]["created_at"] = moment
    for event in map(channel.receive, happened):
        for _ in range(2):
            channel.handle(event)
    assert len(channel.cards) == 1
    assert len(channel.replies) == 2


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"deliveries": "d-1", "updated_at": "rubbish"},
        {"deliveries": [], "updated_at": 7},
        {"deliveries": [None, 7, {}], "updated_at": {}},
    ],
)
def test_a_card_with_unreadable_metadata_is_updated(channel: Channel, written: dict[str, Any]) -> None:
    """A card with unreadable metadata has its content and metadata replaced by the next event."""
    closed = channel.receive(channel.issue().closed(MONA, channel.clock.now))
    written_payload = {"issue": closed.key, **written}
    posted = {"event_type": metadata.CARD, "event_payload": written_payload}
    channel.slack.post(channel.id, Message(text="An old card", blocks=(), metadata=posted))
    outcomes = [channel.handle(closed) for _ in range(2)]
    assert [outcome.outcome for outcome in outcomes] == ["updated", "already_handled"]
    assert content(channel.card) == card_content(closed)
    assert payload(channel.card)["deliveries"][-1] == closed.delivery_id
    assert len(channel.replies) == 1
