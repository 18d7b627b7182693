"""Bursts of new issues: when one is under way, and how an issue is added to its burst message."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from clients.slack.client import Slack
from pipeline.errors import Unavailable

from ..cards import burst_message
from ..cards.burst_message import BURST_SPAN, BurstMessage
from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from . import channel_history
from .channel_history import ChannelSnapshot, Sleep

_TRIES = 3
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
class BurstWriter:
    """Writes burst messages, also while another instance writes to the same one; `now` is in UTC."""

    slack: Slack
    now: Callable[[], datetime]
    sleep: Sleep

    def add(self, event: CardEvent, destination: Destination, snapshot: ChannelSnapshot) -> BurstMessage:
        """Add the issue to the newest burst message and read it back: another instance may overwrite it.

        Raises Unavailable after three tries; the issue may be in no burst message then.
        """
        target = snapshot.open_burst(self.now())
        for _ in range(_TRIES):
            if target is None:
                target = self._start(event, destination)
            else:
                message = burst_message.add(event, target, self.now())
                self.slack.update(destination.channel, target.ts, message)
            written = channel_history.message_at(self.slack, destination.channel, target.ts)
            target = burst_message.read(written)
            if target and event.key in target.issues:
                return target
        raise Unavailable("slack_fold_contended", "Another instance keeps overwriting the burst message.")

    def correct(self, event: CardEvent, channel: str, burst: BurstMessage) -> None:
        """Show the issue's present title in the burst message, and none of a deleted issue."""
        if message := burst_message.with_current_title(event, burst):
            self.slack.update(channel, burst.ts, message)

    def _start(self, event: CardEvent, destination: Destination) -> BurstMessage:
        """Post a burst message and return it, or the one that another instance posted before it."""
        channel, now = destination.channel, self.now()
        message = burst_message.start(event, destination, now)
        ts = self.slack.post(channel, message)
        earlier = channel_history.messages_before(self.slack, channel, ts, self.sleep)
        older = channel_history.oldest_burst(earlier, now)
        if older:
            self.slack.delete(channel, ts)
        return older or burst_message.as_posted(ts, message)
