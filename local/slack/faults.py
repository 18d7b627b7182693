"""The script of faults: what is to go wrong with which calls."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail a call.

    status, headers, body: the HTTP answer; body defaults to what Slack says with that status.
    error: an answer with ok false and this error; for a webhook its plain text.
    hang: seconds to wait first; without status or error the connection is then closed without an answer.
    drop: close the connection without an answer.
    half: close it in the middle of the answer.
    after: the call is carried out first, so that only its answer is lost; a hang alone then ends in the true
    answer, late, and a half in half of it.
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

    def meets(self, method: str) -> bool:
        """Tell whether a call of this method is to fail so."""
        return self.method in {None, method}


class Script:
    """A queue of faults, each for one call, and an outage that lasts; its owner holds the lock."""

    def __init__(self) -> None:
        self._queue: deque[Fault] = deque()
        self._outage: Fault | None = None

    def queue(self, fault: Fault, times: int) -> None:
        """Fail so many matching calls."""
        self._queue.extend([fault] * times)

    def last(self, fault: Fault) -> None:
        """Fail every matching call that the queue leaves."""
        self._outage = fault

    def clear(self) -> None:
        """Forget everything."""
        self._queue.clear()
        self._outage = None

    def take(self, method: str) -> Fault | None:
        """Give the fault of this call, if there is one, and strike it from the queue."""
        for fault in self._queue:
            if fault.meets(method):
                self._queue.remove(fault)
                return fault
        return self._outage if self._outage and self._outage.meets(method) else None
