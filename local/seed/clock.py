"""The clock of the Slack stand-in and of notify_slack's card code while the past is made."""

import time
from datetime import UTC, datetime


class Clock:
    """The present time, in seconds since 1970, until `set` names a moment; then it only moves forward."""

    def __init__(self) -> None:
        self._at: float | None = None

    def __call__(self) -> float:
        """Return the time in seconds."""
        return time.time() if self._at is None else self._at

    def now(self) -> datetime:
        """Return the time."""
        return datetime.fromtimestamp(self(), UTC)

    def set(self, moment: datetime) -> None:
        """Show this moment, or the time that it is if that is later."""
        self._at = max(self._at or 0.0, moment.timestamp())

    def sleep(self, seconds: float) -> None:
        """Let time pass without waiting."""
        self._at = self() + seconds

    def be_present(self) -> None:
        """Show the present time again."""
        self._at = None
