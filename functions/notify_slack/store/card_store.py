"""One event in one channel: finds or creates the card, updates it, and posts the reply.

Slack has no transactions, so the order of the calls keeps a crash harmless: after each call the next delivery
of the same event can continue. The card is updated right after the look-up, which leaves another instance
little time to change it in between. The reply comes last because it may have to wait for the rate limit. So a
delivery id on the card means that the card shows the event; only the thread shows whether it has the reply.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clients.slack import history
from clients.slack.client import Slack

from ..cards import card, lateness, metadata, reply_line, thread_reply
from ..cards.burst_message import BurstMessage
from ..cards.metadata import PostedCard
from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from . import channel_history
from .bursts import BurstDetector, BurstWriter
from .channel_history import ChannelSnapshot
from .corrections import Corrections
from .locks import KeyedLock
from .outcome import Outcome, UpsertResult
from .threads import Parent, Threads

_SETTLED = timedelta(minutes=1)  # after this, every instance has looked for a card older than its own


class _BurstError(Exception):
    """The channel has a burst, whose message only the holder of the channel's lock may write."""


def _now() -> datetime:
    return datetime.now(UTC)


class CardStore:
    """Keeps one card per issue and channel, whose index is Slack itself.

    Threads of this instance lock the issue; two instances may work on one issue at the same time. More than
    `fold_over` new issues within a minute share a burst message instead; 0 turns that off.
    """

    def __init__(
        self,
        slack: Slack,
        fold_over: int = 0,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._slack = slack
        self._now = now
        self._sleep = sleep
        self._locks = KeyedLock()
        self._detector = BurstDetector(fold_over, now)
        self._bursts = BurstWriter(slack, now)
        self._threads = Threads(slack=slack, now=now)
        self._corrections = Corrections()

    def upsert(self, event: CardEvent, destination: Destination) -> UpsertResult:
        """Show the event in the channel. Raises Unavailable; a repetition then does what is missing."""
        channel, issue = destination.channel, (destination.channel, event.key)
        self._check_post(event, destination)
        if not self._detector.is_recent(channel):
            try:
                with self._locks.hold(issue):
                    return self._upsert(event, destination, holds_channel=False)
            except _BurstError:
                self._detector.remember(channel)
        with self._locks.hold(channel), self._locks.hold(issue):
            return self._upsert(event, destination, holds_channel=True)

    def _check_post(self, event: CardEvent, destination: Destination) -> None:
        """Raise Unavailable if the event's card or reply would have to wait for longer than a moment.

        Called before the look-up: each repetition would make it in vain.
        """
        channel = destination.channel
        if event.is_opening:
            posts = destination.makes_card and not self._detector.is_recent(channel)
        else:
            posts = thread_reply.build(event, destination) is not None
        if posts:
            self._slack.check_post(channel)

    def _upsert(self, event: CardEvent, destination: Destination, *, holds_channel: bool) -> UpsertResult:
        channel = destination.channel
        self._corrections.note(event)
        event, destination = self._corrections.apply(event, destination)
        self._check_post(event, destination)  # again: other threads have posted during the wait for the lock
        snapshot = channel_history.scan(self._slack, channel, event, self._now())
        snapshot = self._bursts.complete(channel, snapshot)
        bursts = snapshot.bursts_with(event.key) if event.is_correction else ()
        corrected = bursts if event.received.comment is None else ()
        if corrected and not holds_channel:
            raise _BurstError
        for burst in bursts:
            self._threads.correct(event, channel, burst)
        result = self._show(event, destination, snapshot, holds_channel=holds_channel)
        for burst in corrected:
            self._bursts.correct(event, channel, burst)  # last, because it may have to wait
        return result

    def _show(
        self, event: CardEvent, destination: Destination, snapshot: ChannelSnapshot, *, holds_channel: bool
    ) -> UpsertResult:
        burst = next(iter(snapshot.bursts_with(event.key)), None)
        if snapshot.cards:
            return self._update(event, destination, snapshot.cards, burst)
        if event.is_deletion or destination.final_update or not destination.makes_card:
            return UpsertResult(outcome=Outcome.NO_CARD)
        with self._detector.about_to_post(destination.channel, event.key) as pending:
            if self._detector.is_burst(snapshot, pending):
                if not holds_channel:
                    raise _BurstError
                return self._fold(event, destination, snapshot)
            if burst and not self._makes_card_of_listed(event, destination, burst):
                return self._fold(event, destination, snapshot)
            return self._post(event, destination)

    def _post(self, event: CardEvent, destination: Destination) -> UpsertResult:
        """Post the card. If another instance has posted one before, remove ours and update the other."""
        channel = destination.channel
        ts = self._slack.post(channel, card.build(event, destination))
        messages = history.messages_before(self._slack, channel, ts, self._sleep)
        if older := channel_history.oldest_card(messages, event.key):
            self._slack.delete(channel, ts)
            return self._update(event, destination, (older,), None)
        replied = self._reply(event, replace(destination, mention=()), ts)
        return UpsertResult(outcome=Outcome.POSTED, ts=ts, replied=replied)

    def _update(
        self,
        event: CardEvent,
        destination: Destination,
        cards: Sequence[PostedCard],
        burst: BurstMessage | None,
    ) -> UpsertResult:
        """Update the oldest card, merge duplicates into it, remove them, and post the reply.

        The thread of the burst message that the issue was in before it had a card may have the reply.
        """
        duplicates = [younger for younger in cards[1:] if self._is_removable(younger, event)]
        kept = metadata.merge_duplicates(cards[0], duplicates)
        outcome = _outcome(event, kept)
        if duplicates or outcome is not Outcome.ALREADY_HANDLED:
            newer = outcome is Outcome.UPDATED
            shown_in = replace(destination, mention=())  # an update notifies no one
            message = card.build(event, shown_in, kept) if newer else card.record(event, kept)
            self._slack.update(destination.channel, kept.ts, message)
        for duplicate in duplicates:
            self._slack.delete(destination.channel, duplicate.ts)
        if event.is_correction:
            self._threads.correct(event, destination.channel, kept)
        elif kept.shows_deleted:
            destination = replace(destination, replies=False)
        parents = (kept, burst) if burst else (kept,)
        is_over = kept.shows_closed and outcome is not Outcome.UPDATED  # no one is called to a closed issue
        unheard = tuple(user for user in destination.mention if user not in kept.mentioned and not is_over)
        replied = self._reply(event, replace(destination, mention=unheard), kept.ts, *parents)
        return UpsertResult(outcome=outcome, ts=kept.ts, replied=replied)

    def _is_removable(self, younger: PostedCard, event: CardEvent) -> bool:
        """Return whether an earlier attempt at this event left the card, or no other instance uses it now."""
        age = self._now() - datetime.fromtimestamp(float(younger.ts), UTC)
        return younger.deliveries[:1] == (event.delivery_id,) or age > _SETTLED

    def _fold(self, event: CardEvent, destination: Destination, snapshot: ChannelSnapshot) -> UpsertResult:
        """Add the issue to a burst message, unless it is in one, and post the reply in that thread."""
        known = next(iter(snapshot.bursts_with(event.key)), None)
        burst = known or self._bursts.add(event, destination, snapshot)
        replied = self._reply(event, replace(destination, mention=()), burst.ts, burst, in_burst=True)
        outcome = Outcome.ALREADY_FOLDED if known else Outcome.FOLDED
        return UpsertResult(outcome=outcome, ts=burst.ts, replied=replied)

    def _reply(
        self, event: CardEvent, destination: Destination, ts: str, *parents: Parent, in_burst: bool = False
    ) -> bool:
        """Post the reply into the thread at `ts` and return True, unless a parent's thread has it."""
        reply = thread_reply.build(event, destination)
        if reply and any(parent.replies for parent in parents):
            whole = bool(destination.mention)
            thread = self._threads.around(event, destination.channel, parents, whole=whole)
            reply = thread_reply.build(event, destination, thread)
        if reply is None:
            return False
        text = reply_line.for_burst(reply, event) if in_burst else reply
        self._slack.post(destination.channel, text, thread_ts=ts)
        return True

    def _makes_card_of_listed(self, event: CardEvent, destination: Destination, burst: BurstMessage) -> bool:
        """Return whether the event is news of an issue in a burst message, and shows the issue as it is.

        A label that calls people is news: a card mentions them. An event without a reply is none, and neither
        is one whose reply the thread has. The burst message does not say which state of an issue is the
        latest, so an event that is late, or older than another reply, makes no card.
        """
        if destination.mention and not event.is_opening:
            return True
        destination = replace(destination, mention=())
        if thread_reply.build(event, destination) is None or lateness.may_be_outdated(event):
            return False
        thread = self._threads.around(event, destination.channel, (burst,), whole=False)
        is_told = thread_reply.build(event, destination, thread) is None
        return not is_told and not thread_reply.tells_later(thread, event)


def _outcome(event: CardEvent, kept: PostedCard) -> Outcome:
    if event.delivery_id in kept.deliveries:
        return Outcome.ALREADY_HANDLED
    return Outcome.UPDATED if metadata.is_newer_than(event, kept) else Outcome.RECORDED
