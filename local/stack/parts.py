"""Starts the parts of a running stack again that end by themselves."""

import time
from collections import defaultdict, deque
from collections.abc import Callable

from local.processes import NotReady
from local.stack.stack import Stack

LIMIT, WITHIN_SECONDS = 3, 60.0

# Called with what happened (ended or restarted), the part, and a sentence.
type Say = Callable[[str, str, str], object]

# What the end of a part means for what was sent.
_OF_A_SUBSCRIBER = "Pub/Sub sends again what it had not acknowledged."
_EFFECTS = {
    "reconcile": "Its run is over; the next one covers its window.",
    "ingest": "Deliveries that were sent meanwhile were refused: send them again.",
    "bigquery": "Its rows are kept on disk; Pub/Sub sends again those that did not reach it.",
    "pubsub": (
        "Its topics and subscriptions are made again. Lost: messages that a subscriber had not acknowledged, "
        "and those that were held as dead letters."
    ),
}


class Parts:
    """The parts of a stack, and when each of them ended."""

    def __init__(self, stack: Stack, say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self._stack = stack
        self._say = say
        self._clock = clock
        self._ends: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=LIMIT + 1))

    def restart_ended(self) -> bool:
        """Start again what has ended; return whether anything has. Raises NotReady.

        A part that has ended more than LIMIT times within a minute is not started again; that we have killed
        it does not count.
        """
        ended = {name: why for name, child in self._stack.children.items() if (why := child.why_ended())}
        for name, why in ended.items():
            self._restart(name, why)
        return bool(ended)

    def _restart(self, name: str, why: str) -> None:
        child, ends = self._stack.children[name], self._ends[name]
        if not child.was_killed:
            ends.append(self._clock())
        if len(ends) > LIMIT and ends[-1] - ends[0] < WITHIN_SECONDS:
            raise NotReady(
                f"{name} ended by itself {len(ends)} times within a minute ({why}).\n{child.last_lines()}"
            )
        how = "was killed" if child.was_killed else f"ended by itself ({why})"
        self._say("ended", name, f"{name} {how}; it is started again.")
        try:
            self._stack.restart(name)
        except NotReady:
            if not child.why_ended():
                raise  # it runs, and does not answer
            return  # it has ended again: the next call counts that
        self._say("restarted", name, _EFFECTS.get(name, _OF_A_SUBSCRIBER))
