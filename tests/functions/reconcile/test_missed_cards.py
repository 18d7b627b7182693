"""What reconcile publishes makes and corrects cards, through notify_slack's own code and the stand-in."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from clients.slack.metadata import card_key
from functions.notify_slack.cards import metadata
from functions.notify_slack.cards.metadata import PostedCard
from ops.send import accounts, payloads
from pipeline.delivery import Delivery, parse_time
from pipeline.events import IssueEvent
from tests.functions.reconcile.rig import Rig
from tests.support.messages import an_issue
from tests.support.workspace import Channel, card_event, running_workspace

MONA = accounts.Account(login="mona")
KNOWN, NEW = 80, 120


@pytest.fixture
def channel() -> Iterator[Channel]:
    """Return a channel that shows every issue as a card."""
    with running_workspace() as workspace:
        yield workspace.channel()


class Pipeline(Rig):
    """GitHub and, behind its webhook, the warehouse and a channel of Slack."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        super().__init__()
        self.channel.clock.pass_until(self.clock.now)

    def _store(self, delivery: Delivery) -> None:
        super()._store(delivery)
        self.channel.clock.pass_until(max(self.clock.now, self.channel.clock.now + timedelta(seconds=2)))
        self.channel.handle(card_event(IssueEvent.from_delivery(delivery)))

    def cards(self) -> dict[int, PostedCard]:
        """Return the cards by the number of their issue; each issue has one."""
        found: dict[int, PostedCard] = {}
        for message in self.channel.cards:
            shown = {"ts": message.ts, "text": message.text, "blocks": message.blocks}
            shown["metadata"] = message.metadata
            key = card_key(shown)
            card = metadata.read_card(shown, key)
            number = int(key.partition("#")[2])
            assert card is not None
            assert number not in found
            found[number] = card
        return found

    def issue(self, number: int) -> payloads.Issue:
        """Open an issue, an hour after the last one while the webhook is on."""
        self.clock.advance(3600 if number <= KNOWN else 36)
        made = an_issue(number=number, title=f"Issue {number}", created_at=self.clock.now)
        self.github.emit("acme/app", made.opened())
        return made

    def change(self, place: int, issue: payloads.Issue) -> None:
        """Change an issue now, each in another way than the one before."""
        now = self.clock.now
        changes: list[Any] = [
            lambda: issue.closed(MONA, now),
            lambda: issue.labeled(MONA, now, "bug"),
            lambda: issue.assigned(MONA, now, MONA),
            lambda: issue.commented(MONA, now, "Same here"),
            lambda: issue.edited(MONA, now, title=f"New title {place}"),
        ]
        self.github.emit("acme/app", changes[place % len(changes)]())


def test_the_cards_of_a_webhook_that_was_off_for_two_hours_are_corrected(channel: Channel) -> None:
    """200 changes while the webhook was off: each issue has one card, as the issue is; nothing doubles."""
    rig = Pipeline(channel)
    hook = rig.hook()
    known = [rig.issue(number) for number in range(1, KNOWN + 1)]
    hook["active"] = False
    for place, issue in enumerate(known):
        rig.clock.advance(36)
        rig.change(place, issue)
    for number in range(KNOWN + 1, KNOWN + NEW + 1):
        rig.issue(number)
    assert len(rig.cards()) == KNOWN
    rig.clock.advance(1200)
    hook["active"] = True
    for missed in (KNOWN + NEW, 0):
        assert rig.run().counts["missed"] == missed
        rig.clock.advance(3600)
    cards = rig.cards()
    assert cards.keys() == set(range(1, KNOWN + NEW + 1))
    for number, card in cards.items():
        issue = rig.host.issues[number]
        assert card.updated_at == parse_time(issue["updated_at"])
        assert card.shows_closed is (issue["state"] == "closed")
        assert issue["title"] in str(card.blocks)
        assert all(label["name"] in str(card.blocks) for label in issue["labels"])
        assert ("recovered" in card.late) is (number > KNOWN)
    rig.github.emit("acme/app", known[0].reopened(MONA, rig.clock.now))
    assert not rig.cards()[1].shows_closed
