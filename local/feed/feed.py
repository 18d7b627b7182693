"""The feed of a running stack: what happened, in order, and what became of each delivery so far."""

import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Self

from local.feed import sources
from local.feed.deliveries import Deliveries, DeliverySummary
from local.feed.happening import Happening, Level, bounded, clean
from local.feed.log_tail import LogTail
from local.stack.stack import Stack

POLL_SECONDS = 0.05
KEPT = 5_000
NO_REPORTS = (
    "Google's emulator reports no pushes: attempts are counted from the functions' logs, and when Pub/Sub "
    "tries again is not known."
)


def _now() -> datetime:
    return datetime.now(UTC)


class Feed:
    """Use it as a context manager: it reads from what the logs have then, and stops before the stack.

    Safe for many threads. It keeps the newest KEPT happenings.
    """

    def __init__(self, stack: Stack, now: Callable[[], datetime] = _now) -> None:
        self._stack = stack
        self._now = now
        self._functions = {of: name for name, of in stack.functions.items() if of}
        self._channels = stack.slack.workspace.access.channels
        reported = stack.pubsub_server is not None
        self._changed = threading.Condition()
        self._happenings: deque[Happening] = deque(maxlen=KEPT)
        self._count = 0
        self._deliveries = Deliveries(self._functions.values(), self._channels, reported=reported)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)

    def __enter__(self) -> Self:
        self._tail = LogTail(self._stack.folder)
        slack, pubsub = self._stack.slack, self._stack.pubsub_server
        slack.workspace.on_change = lambda what, message: self.tell(
            **sources.of_message(what, message, self._channels)
        )
        if pubsub is None:
            self.tell(part="pubsub", kind="note", text=NO_REPORTS)
        else:
            pubsub.report_to(lambda report: self.tell(**sources.of_push(report, self._functions)))
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def last(self) -> int:
        """Return the number of the newest happening, 0 if there is none."""
        return self._count

    def tell(  # noqa: PLR0913 -- each is a field
        self,
        /,
        *,
        part: str,
        kind: str,
        text: str,
        level: Level = "info",
        delivery_id: str | None = None,
        event: str | None = None,
        repository: str | None = None,
        issue: int | None = None,
        **fields: Any,
    ) -> None:
        """Add what happened; the fields are those of Happening. It takes no other lock than its own."""
        with self._changed:
            self._count += 1
            happening = Happening(
                number=self._count,
                at=self._now(),
                part=part,
                kind=kind,
                delivery_id=None if delivery_id is None else clean(delivery_id),
                event=None if event is None else clean(event),
                repository=None if repository is None else clean(repository),
                issue=issue,
                text=clean(text),
                level=level,
                fields=bounded(fields),
            )
            self._happenings.append(happening)
            self._deliveries.apply(happening)
            self._changed.notify_all()

    def since(self, number: int) -> list[Happening]:
        """Return what is newer than the happening with this number, oldest first, as far as it is kept."""
        with self._changed:
            return self._since(number)

    def wait(self, number: int, seconds: float) -> list[Happening]:
        """Return what is newer; waits for it, but no longer than this."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > number, seconds)
            return self._since(number)

    def delivery(self, delivery_id: str) -> DeliverySummary | None:
        """Return what became of a delivery so far, None if the feed does not know it (any more)."""
        with self._changed:
            return self._deliveries.get(delivery_id)

    def deliveries(self, limit: int = 200) -> list[DeliverySummary]:
        """Return the deliveries that came last, newest first."""
        with self._changed:
            return self._deliveries.latest(limit)

    def _since(self, number: int) -> list[Happening]:
        return list(islice(reversed(self._happenings), max(self._count - number, 0)))[::-1]

    def _follow(self) -> None:
        more, failed = False, False
        while not self._stopped.wait(0 if more else POLL_SECONDS):
            try:
                lines, more = self._tail.read()
            except OSError as error:
                if not failed:
                    text = f"the logs cannot be read: {error.strerror}; the feed tries again"
                    self.tell(part="stack", kind="note", text=text, level="error")
                more, failed = False, True
                continue
            failed = False
            for function, fields in lines:
                self.tell(**sources.of_line(function, fields))
