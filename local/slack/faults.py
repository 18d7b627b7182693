"""The faults that a test asks for: which calls fail, and how."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail a call.

    status, headers, body: the HTTP answer; body defaults to Slack's own for that status.
    error: an answer with ok false and this error; for a webhook its plain text.
    hang: seconds to wait first; without status or error the connection then closes without an answer.
    drop: close the connection without an answer.
    half: close the connection in the middle of the answer.
    after: carry out the call first, so that only its answer is lost; a hang alone then ends in the true
    answer, late, and a half in half of the true answer.
    method: only calls of this method, or "webhook"; None means any.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    error: str | None = None
    hang: float = 0.0
    drop: bool = False
    half: bool = False
    after: bool = False
    method: str | None = None

    def __post_init__(self) -> None:
        answers = self.status or self.error or self.after
        if not (self.status or self.error or self.hang or self.drop or (self.half and answers)):
            raise ValueError("a fault needs a status, an error, a hang, a drop, or half of an answer")

    def applies_to(self, method: str) -> bool:
        """Return whether a call of this method fails in this way."""
        return self.method in {None, method}


class FaultQueue:
    """Faults for one call each, and an outage that lasts. Its owner holds a lock."""

    def __init__(self) -> None:
        self._queue: deque[Fault] = deque()
        self._outage: Fault | None = None

    def add(self, fault: Fault, times: int) -> None:
        """Fail this many matching calls."""
        self._queue.extend([fault] * times)

    def set_outage(self, fault: Fault) -> None:
        """Fail every matching call for which no queued fault is left."""
        self._outage = fault

    def clear(self) -> None:
        """Remove the queued faults and the outage."""
        self._queue.clear()
        self._outage = None

    def take(self, method: str) -> Fault | None:
        """Return the fault for this call, or None; a queued one leaves the queue."""
        for fault in self._queue:
            if fault.applies_to(method):
                self._queue.remove(fault)
                return fault
        return self._outage if self._outage and self._outage.applies_to(method) else None
