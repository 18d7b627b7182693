"""A bounded memory of what this instance has posted: an incoming webhook cannot be asked what it holds."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock

from .turns import Turns

_LAG = timedelta(minutes=1)


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


class Posted:
    """Remembers for a minute where cards and folds were posted; the history may show them only later."""

    def __init__(self, limit: int = 1_000) -> None:
        self._limit = limit
        self._lock = Lock()
        self._places: OrderedDict[Hashable, tuple[str, datetime]] = OrderedDict()

    def keep(self, key: Hashable, ts: str, now: datetime) -> None:
        """Remember that the message of `key` was posted at `ts`."""
        with self._lock:
            self._places[key] = ts, now
            self._places.move_to_end(key)
            if len(self._places) > self._limit:
                self._places.popitem(last=False)

    def find(self, key: Hashable, now: datetime) -> str | None:
        """Return where the message of `key` was posted within the last minute."""
        with self._lock:
            ts, posted = self._places.get(key, ("", now))
        return ts if ts and now - posted <= _LAG else None
