"""One delivery in all of its channels; a repetition skips those that are done."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from pipeline.errors import PipelineError
from pipeline.logs import log

from ..routing.eligibility import CardEvent
from ..routing.routes import Destination


class FanOut:
    """Remembers in which channels each of the last `limit` deliveries succeeded that failed in another.

    A delivery that has succeeded everywhere is forgotten, so that a replay does what is missing.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._lock = Lock()
        self._done: OrderedDict[str, frozenset[str]] = OrderedDict()

    def run(
        self,
        event: CardEvent,
        destinations: tuple[Destination, ...],
        act: Callable[[CardEvent, Destination], None],
    ) -> None:
        """Act on every channel, even if one refuses or uses up the time, then raise the first failure."""
        with self._lock:
            done = set(self._done.get(event.delivery_id, ()))
        failures: list[PipelineError] = []
        for destination in destinations:
            if destination.channel in done:
                continue
            try:
                act(event, destination)
                done.add(destination.channel)
            except PipelineError as failure:
                fields = {"channel": destination.channel, "reason": failure.reason}
                log.warning("The channel was not updated: %s", failure, extra=fields)
                failures.append(failure)
        self._remember(event.delivery_id, done if failures else set())
        if failures:
            raise failures[0]

    def _remember(self, delivery_id: str, done: set[str]) -> None:
        with self._lock:
            if not done:
                self._done.pop(delivery_id, None)
                return
            self._done[delivery_id] = frozenset(done)
            self._done.move_to_end(delivery_id)
            if len(self._done) > self._limit:
                self._done.popitem(last=False)
