"""How long one delivery may take in all: its channels, their calls and every wait share one deadline.

The deadline belongs to the thread that handles the delivery, like the fields of its log lines, so no call
has to pass it on.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline: ContextVar[float] = ContextVar("issuewire_deadline", default=math.inf)


@contextmanager
def limit(seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Limit what runs inside the block to `seconds` from now."""
    previous = _deadline.set(clock() + seconds)
    try:
        yield
    finally:
        _deadline.reset(previous)


def remaining(clock: Callable[[], float] = time.monotonic) -> float:
    """Return the seconds until the deadline, negative once it has passed; infinite outside of `limit`."""
    return _deadline.get() - clock()
