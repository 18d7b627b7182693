"""How long a delivery may take: what has to wait for longer is delivered again by Pub/Sub."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from clients.github.client import TOO_MANY_WRITES, USED_UP
from pipeline.errors import Busy, Unavailable

# Cloud Run ends a request after 60 s, and a call may take a little longer than its timeout.
DELIVERY_SECONDS = 40.0
LONGEST_WAIT = timedelta(seconds=5)


class TimeLimit:
    """The time of the delivery that is being handled; one at a time."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._monotonic = monotonic
        self._clock = clock
        self._ends_at = 0.0

    def start(self) -> None:
        """Begin a delivery."""
        self._ends_at = self._monotonic() + DELIVERY_SECONDS

    def check(self) -> None:
        """Raise Unavailable if the time is up."""
        if self._monotonic() >= self._ends_at:
            raise Unavailable("github_slow", "GitHub took too long for one delivery; it is delivered again.")

    def on_wait(self, reason: str, until: datetime) -> None:
        """Refuse a wait that is long. Raises Busy if GitHub's limits ask for it, else Unavailable."""
        self.check()
        if until - self._clock() <= LONGEST_WAIT:
            return
        if reason in {USED_UP, TOO_MANY_WRITES}:
            raise Busy("rate_limited", f"{reason} until {until:%H:%M:%S} UTC; delivered again until then.")
        raise Unavailable("github_down", f"{reason}.")
