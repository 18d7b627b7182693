"""A week of two repositories in ten seconds, by the code that makes the seeded year."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from local.github.server import GitHubServer
from local.seed.cast import APP, WEBSITE, Activity
from local.seed.life import TimedEvent, life
from local.seed.openings import Kind, Opening
from pipeline.working_hours import ALWAYS, Hours

SECONDS: Final = 10.0
LENGTH: Final = timedelta(days=7)

# How many issues each repository gets, and how much faster than in the year they are answered and closed.
ISSUES: Final = {APP: 11, WEBSITE: 5}
PACE: Final = 0.5


class Week:
    """One week at a time, in a thread of its own. `tell` reports how far it is, as Feed.tell does."""

    def __init__(self, github: GitHubServer, tell: Callable[..., None], seconds: float = SECONDS) -> None:
        self._server = github
        self._tell = tell
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._weeks = 0

    def begin(self) -> str:
        """Begin a week that ends now, unless one is running; return a sentence."""
        if self._thread is not None and self._thread.is_alive():
            return "A week is running already."
        self._stopped.clear()
        self._weeks += 1
        now = self._server.github.time().replace(microsecond=0)
        events = list(week(now, self._next_number, Random(f"{now.date()}/{self._weeks}")))
        self._thread = threading.Thread(
            target=self._run, args=(now - LENGTH, events), name="week", daemon=True
        )
        self._thread.start()
        return f"A week of two repositories begins: {len(events)} events in {self._seconds:.0f} seconds."

    def end(self) -> str:
        """Stop the week; return a sentence."""
        is_running = self._thread is not None and self._thread.is_alive()
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        return "The week was stopped." if is_running else "No week is running."

    def _run(self, began: datetime, events: list[TimedEvent]) -> None:
        day = ""
        pace = self._seconds / LENGTH.total_seconds()
        waited = 0.0
        for place, (at, event) in enumerate(events):
            due = (at - began).total_seconds() * pace
            if self._stopped.wait(due - waited):
                self._say(f"The week was stopped after {place} of {len(events)} events.", place, len(events))
                return
            waited = max(waited, due)
            if f"{at:%A}" != day:
                day = f"{at:%A}"
                self._say(f"A week in ten seconds: {day}", place, len(events))
            self._server.emit_later(event.payload["repository"]["full_name"], event)
        self._say(f"The week is over: {len(events)} events.", len(events), len(events))

    def _say(self, text: str, done: int, whole: int) -> None:
        self._tell(part="github", kind="week", text=text, done=done, whole=whole)

    def _next_number(self, repository: str) -> int:
        hosted = self._server.github.repositories.get(repository.lower())
        return hosted.next_number if hosted else 1


def week(
    end: datetime, next_number: Callable[[str], int], random: Random, hours: Hours = ALWAYS
) -> Iterator[TimedEvent]:
    """Yield what happens in the week before `end`, the oldest event first."""
    found: list[TimedEvent] = []
    for activity, count in ISSUES.items():
        times = sorted(random.uniform(0.0, 0.97) for _ in range(count))
        first = next_number(activity.repository.full_name)
        for place, share in enumerate(times):
            at = (end - LENGTH + share * LENGTH).replace(microsecond=0)
            found += _lives(activity, first + place, at, random, hours)
    yield from sorted((event for event in found if event[0] <= end), key=lambda event: event[0])


def _lives(activity: Activity, number: int, at: datetime, random: Random, hours: Hours) -> Iterator[Any]:
    opening = Opening(activity=activity, at=at, kind=Kind.ISSUE, pace=PACE, number=number)
    return life(opening, random, hours)
