"""Until when a run may go on."""

from collections.abc import Callable
from datetime import datetime, timedelta

from pipeline.errors import Unavailable


class TimeLimit:
    """A limit by a clock; `sleep` waits."""

    def __init__(
        self, ends_at: datetime, now: Callable[[], datetime], sleep: Callable[[float], None]
    ) -> None:
        self._ends_at = ends_at
        self._now = now
        self._sleep = sleep

    def extended(self, span: timedelta) -> "TimeLimit":
        """Return a later limit."""
        return TimeLimit(self._ends_at + span, self._now, self._sleep)

    def check(self, why: str = "The run's time is up", until: datetime | None = None) -> None:
        """Raise Unavailable if the time is up, or a wait until then, and why, would outlast it."""
        if (until or self._now()) >= self._ends_at:
            raise Unavailable(
                "out_of_time", f"{why}; the next run continues. If this repeats, list fewer GITHUB_SOURCES."
            )

    def pause(self, seconds: float) -> bool:
        """Wait, and return true; return false at once if there is no time for that."""
        if self._now() + timedelta(seconds=seconds) >= self._ends_at:
            return False
        self._sleep(seconds)
        return True
