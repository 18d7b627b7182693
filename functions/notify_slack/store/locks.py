"""Locks by key for the threads of one instance, and the ids that it has processed."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock

from clients.slack import waiting
from clients.slack.deadline import remaining
from pipeline.errors import Busy


class KeyedLock:
    """One lock per key; `patience` is the longest wait in seconds."""

    def __init__(
        self, patience: float = waiting.SECONDS, wait_limit: waiting.WaitLimit = waiting.PROCESS
    ) -> None:
        self._patience = patience
        self._wait_limit = wait_limit
        self._changed = Condition()
        self._busy: set[Hashable] = set()

    @contextmanager
    def hold(self, key: Hashable) -> Iterator[None]:
        """Hold the lock of `key`.

        Raises Busy after `patience` or the deadline, and at once if too many threads wait already.
        """
        with self._changed:
            if key in self._busy:
                self._wait(key)
            self._busy.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(key)
                self._changed.notify_all()

    def _wait(self, key: Hashable) -> None:
        with self._wait_limit.place() as may_wait:
            timeout = min(self._patience, remaining()) if may_wait else 0
            if not self._changed.wait_for(lambda: key not in self._busy, timeout):
                raise Busy("in_flight", "Other deliveries of the issue or channel are being handled.")


class ProcessedIds:
    """The last `limit` ids whose work has succeeded, for a webhook that cannot return what it has posted."""

    def __init__(self, limit: int = 10_000, locks: KeyedLock | None = None) -> None:
        self._limit = limit
        self._locks = locks or KeyedLock()
        self._lock = Lock()
        self._done: OrderedDict[Hashable, None] = OrderedDict()

    @contextmanager
    def claim(self, key: Hashable) -> Iterator[bool]:
        """Yield whether the work on `key` is still to be done; leaving without an error records it as done.

        While another thread has claimed the key, wait for its result: acknowledging earlier could lose the
        message. Raises Busy if that takes too long.
        """
        with self._locks.hold(key):
            with self._lock:
                todo = key not in self._done
            yield todo
            with self._lock:
                self._done.setdefault(key)
                if len(self._done) > self._limit:
                    self._done.popitem(last=False)
