"""The messages a subscription holds: each due at a moment, leased for a while, gone once acknowledged."""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from google.pubsub_v1 import types


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One delivery of one message; attempt counts from 1."""

    ack_id: str
    message: types.PubsubMessage
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    message: types.PubsubMessage
    attempts: int
    due: float


class Backlog:
    """Held messages of one subscription, safe for many threads. All durations are seconds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._held: dict[int, _Held] = {}
        # A heap of (due, key); an entry is skipped when its message is gone or due at another moment.
        self._due: list[tuple[float, int]] = []
        self._keys = itertools.count(1)

    def add(self, message: types.PubsubMessage) -> None:
        """Hold a message, due at once."""
        with self._changed:
            self._schedule(next(self._keys), _Held(message=message, attempts=0, due=time.monotonic()))

    def lease(
        self, limit: int, *, hold: Callable[[int], float], wait: float, stopped: threading.Event
    ) -> list[Lease]:
        """Return 1 to limit due messages, or none after `wait` or once stopped (see `wake`).

        hold: attempt -> how long the message stays away from others unless acknowledged.
        """
        end = time.monotonic() + wait
        with self._changed:
            leases: list[Lease] = []
            while not stopped.is_set():
                now = time.monotonic()
                leases = self._take(limit, hold, now)
                if leases or now >= end:
                    break
                wake = min(end, self._due[0][0]) if self._due else end
                self._changed.wait(min(wake - now, threading.TIMEOUT_MAX))
            if self._due:
                # Whoever leaves may have been the only one waiting for the next due message.
                self._changed.notify()
            return leases

    def acknowledge(self, ack_id: str) -> None:
        """Forget the message, unless another lease followed. ValueError: no id of this backlog."""
        with self._changed:
            key = self._leased(ack_id)
            if key is not None:
                del self._held[key]

    def postpone(self, ack_id: str, seconds: float) -> None:
        """Make the message due that long from now. ValueError: no id of this backlog."""
        with self._changed:
            key = self._leased(ack_id)
            if key is not None:
                self._schedule(key, replace(self._held[key], due=time.monotonic() + seconds))

    def attempt(self, ack_id: str) -> int:
        """Return which attempt an id belongs to. ValueError: no id of this backlog."""
        return self._parse(ack_id)[1]

    def wake(self) -> None:
        """Let every waiting `lease` look again whether it is stopped."""
        with self._changed:
            self._changed.notify_all()

    def _take(self, limit: int, hold: Callable[[int], float], now: float) -> list[Lease]:
        leases: list[Lease] = []
        while self._due and self._due[0][0] <= now and len(leases) < limit:
            due, key = heapq.heappop(self._due)
            held = self._held.get(key)
            if held is None or held.due != due:
                continue
            attempt = held.attempts + 1
            self._schedule(key, replace(held, attempts=attempt, due=now + hold(attempt)))
            ack_id = f"{self._name}:{key}:{attempt}"
            leases.append(Lease(ack_id=ack_id, message=held.message, attempt=attempt))
        return leases

    def _schedule(self, key: int, held: _Held) -> None:
        self._held[key] = held
        if held.due < math.inf:
            heapq.heappush(self._due, (held.due, key))
            self._changed.notify()

    def _leased(self, ack_id: str) -> int | None:
        key, attempt = self._parse(ack_id)
        held = self._held.get(key)
        return key if held is not None and held.attempts == attempt else None

    def _parse(self, ack_id: str) -> tuple[int, int]:
        name, _, rest = ack_id.partition(":")
        key, _, attempt = rest.partition(":")
        if name != self._name or not key.isdecimal() or not attempt.isdecimal():
            raise ValueError(f"Invalid ack id (ack_id={ack_id})")
        return int(key), int(attempt)
