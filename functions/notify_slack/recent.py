"""A bounded memory of what this instance has posted, so that a repeated delivery makes no second card."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Condition

from pipeline.errors import Unavailable


class Recent:
    """Remembers the last `limit` keys. A key is kept only once its work has succeeded."""

    def __init__(self, limit: int = 10_000, patience: float = 30.0) -> None:
        self._limit = limit
        self._patience = patience
        self._changed = Condition()
        self._done: OrderedDict[Hashable, None] = OrderedDict()
        self._busy: set[Hashable] = set()

    @contextmanager
    def first(self, key: Hashable) -> Iterator[bool]:
        """Yield whether the work on `key` is still to be done; leaving without an error records it as done.

        While another thread is at the same key, wait for how it ends: to acknowledge before could lose the
        card.
        Raises Unavailable when that takes longer than `patience` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: key not in self._busy, self._patience):
                raise Unavailable("in_flight", "The same delivery is still being handled.")
            todo = key not in self._done
            if todo:
                self._busy.add(key)
        succeeded = False
        try:
            yield todo
            succeeded = True
        finally:
            if todo:
                self._finish(key, succeeded=succeeded)

    def _finish(self, key: Hashable, *, succeeded: bool) -> None:
        with self._changed:
            self._busy.discard(key)
            if succeeded:
                self._done[key] = None
            if len(self._done) > self._limit:
                self._done.popitem(last=False)
            self._changed.notify_all()
