"""A clock that advances only when a caller sleeps on it, so that no test has to wait."""

import math
import threading


class FakeClock:
    """Returns the time when called; `sleep` advances it at once, and `sleeps` records the seconds."""

    def __init__(self, now: float = 1_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        """Return the time in seconds."""
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Advance the time by `seconds`, and always by a little."""
        with self._lock:
            self.sleeps.append(seconds)
            self._now = max(self._now + seconds, math.nextafter(self._now, math.inf))
