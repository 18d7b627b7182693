"""Bursts of new issues: when one is under way, and how an issue is added to its burst message."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from clients.slack.client import Slack
from clients.slack.errors import SlackRefused
from clients.slack.history import message_at
from pipeline.errors import Busy

from ..cards import burst_message
from ..cards.burst_message import BURST_SPAN, OPEN_FOR, BurstMessage
from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from .channel_history import ChannelSnapshot

_LONGEST_LAG = timedelta(minutes=1)  # of a channel's history
_CLOSED_FOR_ALL = OPEN_FOR + timedelta(minutes=2)  # a delivery and the difference of two clocks are shorter
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class BurstDetector:
    """Detects more than `fold_over` new issues within a minute in one channel; 0 turns it off."""

    def __init__(self, fold_over: int, now: Callable[[], datetime]) -> None:
        self._fold_over = fold_over
        self._now = now
        self._seen_at: dict[str, datetime] = {}  # by channel
        self._pending: set[tuple[str, str]] = set()  # channels, and issues whose card is about to be posted
        self._lock = Lock()

    def remember(self, channel: str) -> None:
        """Record that the channel has a burst now."""
        self._seen_at[channel] = self._now()

    def is_recent(self, channel: str) -> bool:
        """Return whether the channel had a burst within the last minute."""
        return self._now() - self._seen_at.get(channel, _LONG_AGO) <= BURST_SPAN

    def is_burst(self, snapshot: ChannelSnapshot, pending: list[str]) -> bool:
        """Return whether one issue more is too many for a card of its own."""
        return 0 < self._fold_over <= snapshot.recent_count(self._now(), pending)

    @contextmanager
    def about_to_post(self, channel: str, key: str) -> Iterator[list[str]]:
        """Yield the issues that other threads are about to post; this one counts for later threads."""
        with self._lock:
            others = [issue for place, issue in self._pending if place == channel]
            self._pending.add((channel, key))
        try:
            yield others
        finally:
            with self._lock:
                self._pending.discard((channel, key))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """A burst message of this instance: as Slack has confirmed it, and as its next update writes it.

    An update whose answer is lost may have succeeded, so the issue that it added is in every later one.
    """

    shown: BurstMessage
    planned: BurstMessage


class BurstWriter:
    """Writes burst messages: only the instance that posted one adds issues to it, and knows its content.

    So no instance overwrites what another one has added. Only the holder of the channel's lock may write.
    """

    def __init__(self, slack: Slack, now: Callable[[], datetime]) -> None:
        self._slack = slack
        self._now = now
        self._own: dict[str, dict[str, _Own]] = {}  # by channel and ts; replaced, not changed

    def complete(self, channel: str, snapshot: ChannelSnapshot) -> ChannelSnapshot:
        """Return the snapshot with this instance's burst messages as Slack has confirmed them.

        A history that lags does not show them yet. One that it does not show after a minute was deleted.
        """
        bursts = {burst.ts: burst for burst in snapshot.bursts}
        for ts, own in self._own.get(channel, {}).items():
            if ts in bursts and len(own.shown.issues) > len(bursts[ts].issues):
                bursts[ts] = replace(own.shown, replies=bursts[ts].replies)
            elif ts not in bursts and own.shown.age(self._now()) < _LONGEST_LAG:
                bursts[ts] = replace(own.shown, replies=1)  # unknown, so the thread is read
        newest_first = sorted(bursts.values(), key=lambda burst: float(burst.ts), reverse=True)
        return replace(snapshot, bursts=tuple(newest_first))

    def add(self, event: CardEvent, destination: Destination, snapshot: ChannelSnapshot) -> BurstMessage:
        """Add the issue to this instance's newest burst message, or start one, also if that was deleted.

        Return the message that lists the issue: an older one of another instance may do so by now.
        """
        channel, now = destination.channel, self._now()
        own = next(reversed(self._own.get(channel, {}).values()), None)
        if own and own.planned.accepts_more(now):
            known = event.key in own.planned.issues
            planned = own.planned if known else burst_message.add(event, own.planned, now)
            try:
                added = self._update(channel, planned)
                older = None if known else self._older_with(event.key, channel, added, snapshot)
                if older:
                    self._update(channel, own.planned)
            except SlackRefused as error:
                if error.code != "message_not_found":
                    raise
                self._forget(channel, lambda burst: burst.ts == planned.ts)
            else:
                return older or added
        return self._start(event, destination)

    def _start(self, event: CardEvent, destination: Destination) -> BurstMessage:
        channel, now = destination.channel, self._now()
        message = burst_message.start(event, destination, now)
        started = burst_message.as_posted(self._slack.post(channel, message), message)
        self._forget(channel, lambda burst: burst.age(now) > _CLOSED_FOR_ALL)
        self._remember(channel, _Own(shown=started, planned=started))
        return started

    def _older_with(
        self, key: str, channel: str, added: BurstMessage, snapshot: ChannelSnapshot
    ) -> BurstMessage | None:
        """Return an older burst message that has got the issue since the snapshot, from another delivery.

        Only the younger of two gives way, so one of them keeps the issue.
        """
        for burst in snapshot.bursts:
            if float(burst.ts) < float(added.ts) and burst.accepts_more(self._now()):
                written = burst_message.read(message_at(self._slack, channel, burst.ts))
                if written and key in written.issues:
                    return written
        return None

    def correct(self, event: CardEvent, channel: str, burst: BurstMessage) -> None:
        """Show the issue's present title in the burst message, and none of a deleted issue.

        Raises Busy while another instance may be adding issues to it.
        """
        own = self._own.get(channel, {}).get(burst.ts)
        if burst.age(self._now()) > _CLOSED_FOR_ALL:
            written = message_at(self._slack, channel, burst.ts)
            latest = burst_message.read(written)
            if latest and (corrected := burst_message.with_current_title(event, latest)) != latest:
                self._slack.update(channel, burst.ts, burst_message.build(corrected))
        elif own:
            if (corrected := burst_message.with_current_title(event, own.planned)) != own.shown:
                self._update(channel, corrected)
        elif burst_message.with_current_title(event, burst) != burst:
            text = "Another instance may be adding to the burst message; it is corrected after that."
            raise Busy("slack_fold_contended", text)

    def _update(self, channel: str, planned: BurstMessage) -> BurstMessage:
        own = self._own[channel][planned.ts]
        self._remember(channel, replace(own, planned=planned))
        self._slack.update(channel, planned.ts, burst_message.build(planned))
        self._remember(channel, _Own(shown=planned, planned=planned))
        return planned

    def _remember(self, channel: str, own: _Own) -> None:
        self._own[channel] = {**self._own.get(channel, {}), own.planned.ts: own}

    def _forget(self, channel: str, matches: Callable[[BurstMessage], bool]) -> None:
        kept = {ts: own for ts, own in self._own.get(channel, {}).items() if not matches(own.planned)}
        self._own[channel] = kept
