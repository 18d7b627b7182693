"""One event and one channel: the card is found or posted, brought up to date, and its thread is told.

Slack knows no transactions, so the order of the calls is what keeps a crash harmless: each call leaves a
state from which the next delivery of the same event goes on. The card is changed right after it was looked
up, so that another instance has little time to change it in between; its reply, which may have to wait for
its turn, comes last. So an id on the card says that the card shows its event; of the reply, the thread tells.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Literal

from clients.slack.blocks import Message
from clients.slack.client import Slack
from pipeline.events import Issue, IssueEvent

from ..cards import burst_message as fold
from ..cards import card
from ..cards import metadata as index
from ..cards import thread_reply as reply
from ..cards.burst_message import Fold
from ..cards.metadata import Found
from ..routing.routes import Hearing
from . import channel_history as search
from .bursts import Folding
from .channel_history import Seen, Sleep
from .locks import Turns

_SETTLED = timedelta(minutes=1)  # whoever posted a card has looked for an older one by then
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


# As a log says it.
Done = Literal[
    "Posted", "Updated", "Recorded", "Handled before", "Folded", "Folded before", "No card to change"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done, and where the card or the fold is."""

    done: Done
    ts: str
    replied: bool


class _BurstError(Exception):
    """The channel has too many new issues for one more card; its fold is changed by one thread at a time."""


def _now() -> datetime:
    return datetime.now(UTC)


class Living:
    """Keeps one card per issue and channel. Two instances may meet at one issue; two threads take turns.

    More than `fold_over` new issues within a minute go into a fold instead; 0 is off.
    """

    def __init__(
        self,
        slack: Slack,
        github_url: str,
        fold_over: int = 0,
        now: Callable[[], datetime] = _now,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._slack = slack
        self._github_url = github_url
        self._fold_over = fold_over
        self._now = now
        self._turns = Turns()
        self._sleep = sleep
        self._folding = Folding(slack, github_url, now, sleep)
        self._bursts: dict[str, datetime] = {}  # when a channel was last seen to have one
        self._coming: set[tuple[str, str]] = set()  # channels and the issues that have no card there yet
        self._lock = Lock()

    def handle(self, hearing: Hearing, event: IssueEvent, issue: Issue) -> Outcome:
        """Show the event in the channel. Raises Unavailable; handling it again then does what is missing."""
        place = (hearing.channel, index.key(event, issue))
        if self._now() - self._bursts.get(hearing.channel, _LONG_AGO) > fold.MINUTE:
            try:
                with self._turns.turn(place):
                    return self._handle(hearing, event, issue, alone=False)
            except _BurstError:
                self._bursts[hearing.channel] = self._now()
        with self._turns.turn(hearing.channel), self._turns.turn(place):
            return self._handle(hearing, event, issue, alone=True)

    def _handle(self, hearing: Hearing, event: IssueEvent, issue: Issue, *, alone: bool) -> Outcome:
        key = index.key(event, issue)
        seen = search.look(self._slack, hearing.channel, key, issue, self._now())
        held = seen.fold_of(key)
        if seen.cards:
            return self._refresh(hearing, seen.cards, held, event, issue)
        if hearing.leaving:
            return Outcome(done="No card to change", ts="", replied=False)
        with self._no_card_yet(hearing.channel, key) as others:
            if 0 < self._fold_over <= seen.new_issues(self._now(), others):
                if not alone:
                    raise _BurstError
                return self._fold(hearing, seen, event, issue)
            if held and self._told_in(held, hearing, event, issue):
                return Outcome(done="Folded before", ts=held.ts, replied=False)
            return self._post(hearing, event, issue)

    @contextmanager
    def _no_card_yet(self, channel: str, key: str) -> Iterator[list[str]]:
        """Yield the issues that other threads are about to post; those that come later hear of this one."""
        with self._lock:
            others = [issue for place, issue in self._coming if place == channel]
            self._coming.add((channel, key))
        try:
            yield others
        finally:
            with self._lock:
                self._coming.discard((channel, key))

    def _post(self, hearing: Hearing, event: IssueEvent, issue: Issue) -> Outcome:
        """Post the card; when another instance has posted one before, ours goes again."""
        ts = self._slack.post(hearing.channel, card.build(event, issue, hearing, self._github_url))
        messages = search.just_before(self._slack, hearing.channel, ts, self._sleep)
        if older := search.oldest_card(messages, index.key(event, issue)):
            self._slack.delete(hearing.channel, ts)
            return self._refresh(hearing, (older,), None, event, issue)
        replied = self._reply(hearing.channel, ts, self._due(hearing, event, issue), event)
        return Outcome(done="Posted", ts=ts, replied=replied)

    def _refresh(
        self, hearing: Hearing, cards: tuple[Found, ...], held: Fold | None, event: IssueEvent, issue: Issue
    ) -> Outcome:
        """Bring the oldest card up to date; it takes over what is on younger ones, which are removed.

        The fold that the issue was in before it had a card may have the event's reply.
        """
        surplus = [younger for younger in cards[1:] if self._is_surplus(younger, event)]
        found = index.merged(cards[0], surplus)
        known = event.delivery_id in found.deliveries
        newer = not known and index.supersedes(event, issue, found)
        if surplus or not known:
            shown = card.build(event, issue, hearing, self._github_url, found) if newer else found
            blocks = shown.blocks if newer else card.closed_late(found, event, issue)
            metadata = index.of_update(event, issue, found)
            message = Message(text=shown.text, blocks=blocks, metadata=metadata)
            self._slack.update(hearing.channel, found.ts, message)
        for younger in surplus:
            self._slack.delete(hearing.channel, younger.ts)
        due = self._due(hearing, event, issue, mention=index.was_posted_by_another(event, found))
        replied = self._reply(hearing.channel, found.ts, due, event, found, held)
        done: Done = "Handled before" if known else "Updated" if newer else "Recorded"
        return Outcome(done=done, ts=found.ts, replied=replied)

    def _is_surplus(self, younger: Found, event: IssueEvent) -> bool:
        """Tell whether the card is ours to remove: an earlier attempt at this event left it, or anybody."""
        age = self._now() - datetime.fromtimestamp(float(younger.ts), UTC)
        return younger.deliveries[:1] == (event.delivery_id,) or age > _SETTLED

    def _fold(self, hearing: Hearing, seen: Seen, event: IssueEvent, issue: Issue) -> Outcome:
        """Put the issue into a fold, unless it is in one, and tell its news in that fold's thread."""
        held = seen.fold_of(index.key(event, issue))
        kept = held or self._folding.join(hearing, seen, event, issue)
        due = self._due(hearing, event, issue)
        told = fold.reply(due, event, issue) if due else None
        replied = self._reply(hearing.channel, kept.ts, told, event, kept)
        return Outcome(done="Folded before" if held else "Folded", ts=kept.ts, replied=replied)

    def _told_in(self, held: Fold, hearing: Hearing, event: IssueEvent, issue: Issue) -> bool:
        """Tell whether the event adds nothing to the fold that holds its issue: then no card is made yet."""
        due = self._due(hearing, event, issue)
        return due is None or self._has_reply(hearing.channel, held, event)

    def _due(
        self, hearing: Hearing, event: IssueEvent, issue: Issue, *, mention: bool = False
    ) -> Message | None:
        """Return the event's reply; a mention is one only where no card of its own has shown it."""
        if not hearing.replies:
            return None
        told = hearing if mention else replace(hearing, mention=())
        return reply.due(event, issue, told, self._github_url)

    def _reply(
        self, channel: str, ts: str, due: Message | None, event: IssueEvent, *parents: Found | Fold | None
    ) -> bool:
        """Post the reply, if one is due and in no thread of the parents."""
        if due is None or any(self._has_reply(channel, parent, event) for parent in parents if parent):
            return False
        self._slack.post(channel, due, thread_ts=ts)
        return True

    def _has_reply(self, channel: str, parent: Found | Fold, event: IssueEvent) -> bool:
        """Tell whether the thread holds the event's reply; an empty one need not be read."""
        return parent.replies > 0 and search.has_reply(self._slack, channel, parent.ts, event, self._now())
