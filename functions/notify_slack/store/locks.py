"""One at a time: threads of this instance that are at the same thing take turns."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Condition

from clients.slack.deadline import remaining
from pipeline.errors import Unavailable


class Turns:
    """Keeps who is at which key."""

    def __init__(self, patience: float = 30.0) -> None:
        self._patience = patience
        self._changed = Condition()
        self._busy: set[Hashable] = set()

    @contextmanager
    def turn(self, key: Hashable) -> Iterator[None]:
        """Wait until no other thread is at `key`. Raises Unavailable after `patience` or the deadline."""
        with self._changed:
            if not self._changed.wait_for(lambda: key not in self._busy, min(self._patience, remaining())):
                raise Unavailable("in_flight", "Another delivery of the same issue is still being handled.")
            self._busy.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(key)
                self._changed.notify_all()
