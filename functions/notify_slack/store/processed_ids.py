"""A bounded memory of what this instance has posted: an incoming webhook cannot be asked what it holds."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Lock

from .locks import Turns


class Recent:
    """Remembers the last `limit` keys. A key is kept only once its work has succeeded."""

    def __init__(self, limit: int = 10_000, patience: float = 30.0) -> None:
        self._limit = limit
        self._turns = Turns(patience)
        self._lock = Lock()
        self._done: OrderedDict[Hashable, None] = OrderedDict()

    @contextmanager
    def first(self, key: Hashable) -> Iterator[bool]:
        """Yield whether the work on `key` is still to be done; leaving without an error records it as done.

        While another thread is at the same key, wait for how it ends: to acknowledge before could lose the
        message. Raises Unavailable when that takes longer than `patience` seconds.
        """
        with self._turns.turn(key):
            with self._lock:
                todo = key not in self._done
            yield todo
            if todo:
                self._keep(key)

    def _keep(self, key: Hashable) -> None:
        with self._lock:
            self._done[key] = None
            if len(self._done) > self._limit:
                self._done.popitem(last=False)
