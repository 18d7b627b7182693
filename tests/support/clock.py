"""A clock that goes on only when somebody sleeps by it, so that no test has to wait."""

import math
import threading


class FakeClock:
    """Called, it returns the time; `sleep` lets it pass at once and `sleeps` keeps how long."""

    def __init__(self, now: float = 1_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        """Return the seconds."""
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass, and always some."""
        with self._lock:
            self.sleeps.append(seconds)
            self._now = max(self._now + seconds, math.nextafter(self._now, math.inf))
