"""How long a thread may wait, and how many threads may: the others stay free for other channels.

A delivery that would have to wait for longer fails at once, and Pub/Sub delivers it again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

SECONDS = 2.5
THREADS = 4  # half of those that a function has: THREADS in deploy/functions


class WaitLimit:
    """At most `threads` threads wait at any moment, for whatever it is."""

    def __init__(self, threads: int = THREADS) -> None:
        self._places = BoundedSemaphore(threads)

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Yield whether this thread may wait; other threads may once it has left."""
        taken = self._places.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._places.release()


PROCESS = WaitLimit()
