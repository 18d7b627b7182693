"""How long one delivery may take in all: its channels, their calls and every wait share one end.

It belongs to the thread that handles the delivery, like the fields of its log lines, so that no call on the
way has to hand it on.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_end: ContextVar[float] = ContextVar("issuewire_deadline", default=math.inf)


@contextmanager
def limit(seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Give the block `seconds` from now on."""
    before = _end.set(clock() + seconds)
    try:
        yield
    finally:
        _end.reset(before)


def remaining(clock: Callable[[], float] = time.monotonic) -> float:
    """Return the seconds until the end, none or less once it has passed; infinite outside of `limit`."""
    return _end.get() - clock()
