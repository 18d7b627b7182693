"""A subscription's messages: each is due at a time, leased for a while, and gone once acknowledged."""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from google.pubsub_v1 import types


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One delivery of one message; attempt counts from 1."""

    ack_id: str
    message: types.PubsubMessage
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    message: types.PubsubMessage
    attempts: int
    due: float


class Backlog:
    """The messages of one subscription, safe for many threads. All durations are seconds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._messages: dict[int, _Message] = {}
        # A heap of (due, key); an entry is skipped when its message is gone or due at another moment.
        self._due: list[tuple[float, int]] = []
        self._keys = itertools.count(1)
        self._paused = False

    def __len__(self) -> int:
        """Return how many messages are not acknowledged."""
        with self._changed:
            return len(self._messages)

    def add(self, message: types.PubsubMessage) -> None:
        """Add a message, due at once."""
        with self._changed:
            self._schedule(next(self._keys), _Message(message=message, attempts=0, due=time.monotonic()))

    def lease(
        self, limit: int, *, lease_seconds: float, wait: float, stopped: threading.Event
    ) -> list[Lease]:
        """Return up to `limit` due messages; none after `wait`, or once stopped (see `wake`).

        A leased message is due again after `lease_seconds` unless it is acknowledged.
        """
        end = time.monotonic() + wait
        with self._changed:
            leases: list[Lease] = []
            while not stopped.is_set():
                now = time.monotonic()
                leases = self._take(limit, lease_seconds, now)
                if leases or now >= end:
                    break
                wake = min(end, self._due[0][0]) if self._due and not self._paused else end
                self._changed.wait(min(wake - now, threading.TIMEOUT_MAX))
            if self._due:
                # The thread that leaves may be the only one that waits for the next due message.
                self._changed.notify()
            return leases

    def acknowledge(self, ack_id: str) -> None:
        """Remove the message unless it was leased again. ValueError: the id is not of this backlog."""
        with self._changed:
            key = self._leased(ack_id)
            if key is not None:
                del self._messages[key]

    def postpone(self, ack_id: str, seconds: float) -> None:
        """Make the message due in `seconds`. ValueError: the id is not of this backlog."""
        with self._changed:
            key = self._leased(ack_id)
            if key is not None:
                self._schedule(key, replace(self._messages[key], due=time.monotonic() + seconds))

    def reset(self, messages: Iterable[types.PubsubMessage]) -> None:
        """Forget all messages, and add these."""
        with self._changed:
            self._messages.clear()
            self._due.clear()
        for message in messages:
            self.add(message)

    def pause(self, *, paused: bool) -> None:
        """Lease nothing until this is called with False."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    def wake(self) -> None:
        """Make every waiting `lease` check again whether it is stopped."""
        with self._changed:
            self._changed.notify_all()

    def _take(self, limit: int, lease_seconds: float, now: float) -> list[Lease]:
        leases: list[Lease] = []
        while self._due and self._due[0][0] <= now and len(leases) < limit and not self._paused:
            due, key = heapq.heappop(self._due)
            kept = self._messages.get(key)
            if kept is None or kept.due != due:
                continue
            attempt = kept.attempts + 1
            self._schedule(key, replace(kept, attempts=attempt, due=now + lease_seconds))
            ack_id = f"{self._name}:{key}:{attempt}"
            leases.append(Lease(ack_id=ack_id, message=kept.message, attempt=attempt))
        return leases

    def _schedule(self, key: int, kept: _Message) -> None:
        self._messages[key] = kept
        if kept.due < math.inf:
            heapq.heappush(self._due, (kept.due, key))
            self._changed.notify()

    def _leased(self, ack_id: str) -> int | None:
        name, key, attempt = [*ack_id.rsplit(":", 2), "", ""][:3]
        if name != self._name or not key.isdecimal() or not attempt.isdecimal():
            raise ValueError(f"Invalid ack id (ack_id={ack_id})")
        kept = self._messages.get(int(key))
        return int(key) if kept is not None and kept.attempts == int(attempt) else None
