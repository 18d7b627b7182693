"""Locks by key for the threads of one instance, and the ids that it has processed."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock

from clients.slack.deadline import remaining
from pipeline.errors import Unavailable


class KeyedLock:
    """One lock per key; `patience` is the longest wait in seconds."""

    def __init__(self, patience: float = 30.0) -> None:
        self._patience = patience
        self._changed = Condition()
        self._busy: set[Hashable] = set()

    @contextmanager
    def hold(self, key: Hashable) -> Iterator[None]:
        """Hold the lock of `key`. Raises Unavailable after `patience` or the deadline."""
        with self._changed:
            timeout = min(self._patience, remaining())
            if not self._changed.wait_for(lambda: key not in self._busy, timeout):
                raise Unavailable("in_flight", "Another delivery of the same issue is still being handled.")
            self._busy.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(key)
                self._changed.notify_all()


class ProcessedIds:
    """The last `limit` ids whose work has succeeded, for a webhook that cannot return what it has posted."""

    def __init__(self, limit: int = 10_000, patience: float = 30.0) -> None:
        self._limit = limit
        self._locks = KeyedLock(patience)
        self._lock = Lock()
        self._done: OrderedDict[Hashable, None] = OrderedDict()

    @contextmanager
    def claim(self, key: Hashable) -> Iterator[bool]:
        """Yield whether the work on `key` is still to be done; leaving without an error records it as done.

        While another thread has claimed the key, wait for its result: acknowledging earlier could lose the
        message. Raises Unavailable if that takes longer than `patience` seconds.
        """
        with self._locks.hold(key):
            with self._lock:
                todo = key not in self._done
            yield todo
            with self._lock:
                self._done.setdefault(key)
                if len(self._done) > self._limit:
                    self._done.popitem(last=False)
