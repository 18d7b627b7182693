"""When GitHub takes the next write: one a second, and of those that create content 80 a minute, 500 an hour.

Rules: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api and
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from collections import deque
from datetime import datetime, timedelta

SECOND = timedelta(seconds=1)
CREATING = ((80, timedelta(minutes=1)), (500, timedelta(hours=1)))


class WritePace:
    """Remembers the writes of one process."""

    def __init__(self) -> None:
        self._last: datetime | None = None
        self._created = deque[datetime](maxlen=max(count for count, _ in CREATING))

    def pause(self, now: datetime, *, creates: bool) -> timedelta:
        """Return how long the next write has to wait, no time if it need not."""
        pauses = [timedelta()]
        if self._last is not None:
            pauses.append(_left(self._last, SECOND, now))
        for count, period in CREATING if creates else ():
            if len(self._created) >= count:
                pauses.append(_left(self._created[-count], period, now))
        return max(pauses)

    def wrote(self, now: datetime, *, creates: bool) -> None:
        """Count a write, also one that failed or whose answer was lost."""
        self._last = now
        if creates:
            self._created.append(now)


def _left(start: datetime, period: timedelta, now: datetime) -> timedelta:
    """Return what is left of a period; all of it if the clock was set back meanwhile."""
    return min(start + period - now, period)
