"""A card says that the delivery which posted it was late, and never forgets it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.notify_slack.cards import card, lateness, metadata
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from ops.send import payloads
from pipeline.delivery import Delivery, Source
from pipeline.events import IssueEvent
from tests.functions.notify_slack.cards.support import LAYOUTS, MONA, posted
from tests.support.hostile_text import texts as texts_of
from tests.support.hostile_text import wire
from tests.support.messages import NOON, an_issue

LATER = timedelta(hours=3, minutes=20)
TEXT = "delivered 3 hours late"


def received(
    event: payloads.Event, after: timedelta, source: Source = "webhook", delivery_id: str = "d-1"
) -> CardEvent:
    """Return the event as it is received this long after noon."""
    body = json.dumps(event.payload).encode()
    delivery = Delivery(
        delivery_id=delivery_id, event=event.name, body=body, received_at=NOON + after, source=source
    )
    shown = CardEvent.of(IssueEvent.from_delivery(delivery))
    assert isinstance(shown, CardEvent)
    return shown


def card_of(
    event: CardEvent, format_: str = "compact", before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the card as Slack receives it."""
    destination = Destination(channel="C1", format=format_)
    return wire(card.build(event, destination, posted(before) if before else None))


def texts(message: dict[str, Any]) -> list[str]:
    """Return every text of the message."""
    return list(texts_of(message))


@pytest.mark.parametrize("format_", LAYOUTS)
@pytest.mark.parametrize(
    ("source", "text"),
    [("webhook", TEXT), ("replay", TEXT), ("reconcile", "recovered 3 hours late")],
)
def test_a_late_card_says_so(source: Source, text: str, format_: str) -> None:
    """The small text of a card says how late its first delivery was, and whether reconcile brought it."""
    made = card_of(received(an_issue().opened(), LATER, source), format_)
    assert made["blocks"][-1]["elements"][0]["text"] == text


@pytest.mark.parametrize(
    "after", [timedelta(minutes=-5), timedelta(0), timedelta(minutes=10), timedelta(days=30)]
)
def test_a_delivery_within_ten_minutes_is_not_late(after: timedelta) -> None:
    """Up to ten minutes are not late; a receipt before the event or a month after it is a wrong clock."""
    assert lateness.of(received(an_issue().opened(), after)) == ""


@pytest.mark.parametrize("format_", LAYOUTS)
def test_later_events_keep_it(format_: str) -> None:
    """Every later state of the card says it once, and an update that is late itself changes nothing."""
    issue = an_issue()
    message = card_of(received(issue.opened(), LATER), format_)
    opening = received(issue.labeled(MONA, NOON, "bug"), LATER, delivery_id="d-0")
    later = (
        received(issue.closed(MONA, NOON + LATER), LATER, delivery_id="d-2"),
        received(issue.reopened(MONA, NOON + LATER), timedelta(days=2), delivery_id="d-3"),
    )
    for event in later:
        message = card_of(event, format_, message)
        assert texts(message).count(TEXT) == 1
    recorded = wire(card.record(opening, posted(message)))
    assert texts(recorded).count(TEXT) == 1
    deleted = payloads.Event(name="issues", payload={**issue.opened().payload, "action": "deleted"})
    assert TEXT in texts(card_of(received(deleted, LATER, delivery_id="d-4"), format_, message))


@pytest.mark.parametrize("late_again", [False, True])
def test_a_card_that_was_on_time_stays_so(*, late_again: bool) -> None:
    """A late event of an issue that has a card does not make that card late, whichever state is newer."""
    issue = an_issue()
    opened = issue.opened()
    labeled = issue.labeled(MONA, NOON + timedelta(minutes=1), "bug")
    first, second = (labeled, opened) if late_again else (opened, labeled)
    message = card_of(received(first, timedelta(minutes=1)))
    event = received(second, LATER, delivery_id="d-2")
    updated = wire(card.record(event, posted(message))) if late_again else card_of(event, before=message)
    assert not any("late" in text for text in texts(updated))


def test_of_two_cards_the_older_one_says_it() -> None:
    """If a card is merged into an older one, the older one's delivery counts, whichever state is newer."""
    issue = an_issue()
    opened, labeled = issue.opened(), issue.labeled(MONA, NOON + timedelta(minutes=1), "bug")
    closed = received(issue.closed(MONA, NOON + LATER), LATER, delivery_id="d-3")
    for first, second in ((opened, labeled), (labeled, opened)):
        late = posted(card_of(received(first, LATER)))
        on_time = posted(card_of(received(second, timedelta(minutes=2), delivery_id="d-2")))
        for oldest, younger, expected in ((late, on_time, 1), (on_time, late, 0)):
            kept = metadata.merge_duplicates(oldest, [younger])
            for message in (
                card.build(closed, Destination(channel="C1"), kept),
                card.record(received(labeled, LATER, delivery_id="d-4"), kept),
            ):
                assert texts(wire(message)).count(TEXT) == expected


def test_an_old_issue_is_not_late() -> None:
    """A transfer, a later label or comment, a changed reason, and an event without a time are not late."""
    issue = an_issue(created_at=NOON - timedelta(days=2))
    arrived = issue.opened(old_issue=issue.as_json(), old_repository=issue.repository.as_json())
    closed = issue.closed(MONA, NOON - timedelta(days=1)).payload
    changed = {**closed, "issue": {**closed["issue"], "updated_at": payloads.time_text(NOON)}}
    pinned = payloads.Event(name="issues", payload={**closed, "action": "pinned"})
    for event in (
        arrived,
        payloads.Event(name="issues", payload=changed),
        pinned,
        issue.commented(MONA, NOON, "Me too."),
        issue.labeled(MONA, NOON, "bug"),
    ):
        assert lateness.of(received(event, timedelta(seconds=2))) == ""


@pytest.mark.parametrize("moment", [None, 5, "soon", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "", []])
def test_a_missing_or_wrong_time_shows_nothing(moment: Any) -> None:
    """Without a time, or with one that cannot be, a card says nothing of its delivery."""
    payload = an_issue().opened().payload
    payload["issue"] |= {"created_at": moment, "updated_at": moment}
    assert lateness.of(received(payloads.Event(name="issues", payload=payload), LATER)) == ""


@pytest.mark.parametrize(
    "blocks",
    [None, "late", [None], ["late"], [{}], [{"block_id": "late"}], [{"block_id": "late", "elements": []}],
     [{"block_id": "late", "elements": [{"text": 5}]}], [{"block_id": 5, "elements": [{"text": "x"}]}]],
)  # fmt: skip
def test_blocks_of_another_shape_say_nothing(blocks: object) -> None:
    """What Slack returns may have any shape; only our own block is read."""
    assert lateness.read(blocks) == ""
