"""How much has passed through each part since the start."""

import threading
from collections import Counter
from typing import Final, Self

from local.feed.feed import Feed
from local.feed.happening import Happening

WAIT_SECONDS: Final = 0.25
_ANSWERS = ("Published", "Ping answered", "Not published", "Refused", "Not accepted")  # of ingest, one each


def parts_of(happening: Happening, *, reported: bool = True) -> tuple[str, ...]:
    """Return the parts that have handled one more.

    `reported`: Pub/Sub reports what it pushes. Otherwise a line with an outcome counts.
    """
    match happening.part, happening.kind:
        case "ingest", "line" if happening.text.startswith(_ANSWERS):
            return ("ingest", "pubsub") if happening.text == "Published" else ("ingest",)
        case "pubsub", "acknowledged":
            return (str(happening.fields.get("function")),)
        case "reconcile", "line" if happening.text.startswith("Reconciled"):
            return ("reconcile",)
        case "slack", "posted":
            return ("slack",)
        case function, "line" if not reported and "outcome" in happening.fields:
            return (function,)
    return ()


class Flow:
    """Counts what the feed tells, also while no browser looks. Use it as a context manager."""

    def __init__(self, feed: Feed, *, reported: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._feed = feed
        self._reported = reported
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="flow", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _follow(self) -> None:
        number = 0
        while not self._stopped.is_set():
            happenings = self._feed.wait(number, WAIT_SECONDS)
            for happening in happenings:
                self.counts.update(parts_of(happening, reported=self._reported))
            number = happenings[-1].number if happenings else number
