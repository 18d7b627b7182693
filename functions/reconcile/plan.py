"""Decides what GitHub is asked to deliver again, and counts what the ledger proves (pure).

Attempts are grouped by GUID first, over all of our webhooks: a failed attempt stays in GitHub's lists after a
later one succeeded, and what one webhook delivered need not be delivered by another.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from clients.github.hook_deliveries import APP, Attempt, Hook

REFUSALS = {400, 413, 415}  # ingest cannot take such a delivery, however often it is sent
IN_VAIN = 3
# An outage of ingest may outlast three attempts: once it accepts deliveries again, more are made.
AFTER_OUTAGE = 10
FORGOTTEN_SOON = timedelta(hours=2)  # before the next run but one: that could no longer say what is lost
DAY = timedelta(days=1)


class Fate(StrEnum):
    """What became of an event."""

    STORED = "stored"
    HELD = "held"
    REFUSED = "refused"
    LOST = "lost"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the ledger says: until when it proves, and the start of the oldest day with something open."""

    ended_at: datetime | None = None
    open_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What one run looks at. `start` is a midnight; GitHub lists no attempt before `horizon`."""

    start: datetime
    end: datetime
    horizon: datetime

    @classmethod
    def of(cls, now: datetime, lookback: timedelta, kept: timedelta, past: Past) -> "Window":
        """Return the window: back over `lookback`, to the last proof's end, and to what is still open.

        It is made of whole days, so that the last proof of a day replaces the others. GitHub keeps attempts
        for the time `kept`.
        """
        moments = [now - lookback, past.ended_at, past.open_since]
        start = midnight(min(moment for moment in moments if moment is not None))
        horizon = now - kept
        return cls(start=max(start, midnight(horizon)), end=now, horizon=horizon)

    def days(self) -> Iterator[tuple[datetime, datetime]]:
        """Yield the days (UTC) in the window; the last one ends with it."""
        start = self.start
        while start < self.end:
            yield start, min(start + DAY, self.end)
            start += DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEvent:
    """All listed attempts to deliver one event, oldest first, of at least one attempt."""

    guid: str
    attempts: tuple[Attempt, ...]

    @property
    def first(self) -> Attempt:
        """Return the first attempt."""
        return self.attempts[0]

    @property
    def last(self) -> Attempt:
        """Return the last attempt."""
        return self.attempts[-1]

    @property
    def asked(self) -> int:
        """Return how often GitHub was asked to deliver it again."""
        return sum(attempt.is_redelivery for attempt in self.attempts)

    @property
    def accepted_at(self) -> datetime | None:
        """Return when ingest last accepted it, None if it never did."""
        return max((each.delivered_at for each in self.attempts if each.succeeded), default=None)

    @property
    def is_refused(self) -> bool:
        """Return whether every attempt was refused for what the delivery is."""
        return all(attempt.status in REFUSALS for attempt in self.attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the events beside GitHub's lists.

    `stored` and `held` are GUIDs: rows in BigQuery, and messages that subscribers gave up on. What ingest
    accepted before `stored_until` had half an hour to be stored, while later deliveries were.
    """

    stored: frozenset[str]
    held: frozenset[str] = field(default_factory=frozenset)
    stored_until: datetime | None = None

    def is_storing(self, event: ListedEvent) -> bool:
        """Return whether the event was accepted and may still be on its way into BigQuery."""
        accepted = event.accepted_at
        return accepted is not None and (self.stored_until is None or accepted >= self.stored_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One row of the table delivery_ledger."""

    run_at: datetime
    hook_id: int | None
    source: str
    window_start: datetime
    window_end: datetime
    expected: int = 0
    stored: int = 0
    redelivered: int = 0
    recovered: int = 0
    refused: int = 0
    lost: int = 0


def midnight(moment: datetime) -> datetime:
    """Return the beginning of the day (UTC)."""
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def group(attempts: Iterable[Attempt], published: frozenset[str] | None) -> list[ListedEvent]:
    """Return the events that ingest publishes: no ping, and only those of EVENTS unless it is None.

    An attempt that two pages list counts once.
    """
    by_guid: dict[str, dict[tuple[int, int], Attempt]] = {}
    for attempt in attempts:
        if attempt.event != "ping" and (published is None or attempt.event in published):
            by_guid.setdefault(attempt.guid, {})[attempt.hook.id, attempt.id] = attempt
    return [
        ListedEvent(
            guid=guid, attempts=tuple(sorted(found.values(), key=lambda each: (each.delivered_at, each.id)))
        )
        for guid, found in by_guid.items()
    ]


def fate(event: ListedEvent, known: Known, horizon: datetime) -> Fate:
    """Return what became of an event."""
    if event.guid in known.stored:
        return Fate.STORED
    if event.guid in known.held:
        return Fate.HELD
    if event.is_refused:
        return Fate.REFUSED
    if known.is_storing(event):
        return Fate.WAITING
    is_too_late = event.last.delivered_at < horizon + FORGOTTEN_SOON
    return Fate.LOST if is_too_late or event.asked >= IN_VAIN else Fate.WAITING


def to_redeliver(events: Sequence[ListedEvent], known: Known, horizon: datetime) -> list[Attempt]:
    """Return one attempt of each event that GitHub should deliver again, newest events first.

    A GitHub App may always repeat what its own webhook delivered.
    """
    ingest_accepted_at = max((each.accepted_at for each in events if each.accepted_at), default=None)
    found = [event for event in events if _is_worth_asking(event, known, horizon, ingest_accepted_at)]
    found.sort(key=lambda event: event.first.delivered_at, reverse=True)
    return [max(event.attempts, key=_preference) for event in found]


def _preference(attempt: Attempt) -> tuple[bool, bool, int]:
    return attempt.hook.is_active, attempt.hook.source == APP, attempt.id


def _is_worth_asking(
    event: ListedEvent, known: Known, horizon: datetime, ingest_accepted_at: datetime | None
) -> bool:
    if fate(event, known, horizon) in {Fate.STORED, Fate.HELD} or known.is_storing(event):
        return False
    if event.last.delivered_at < horizon:
        return False
    if event.is_refused:
        return event.asked == 0  # a body that broke off is refused too, and may come whole the second time
    is_over = ingest_accepted_at is not None and ingest_accepted_at > event.last.delivered_at
    return event.asked < (AFTER_OUTAGE if is_over and event.accepted_at is None else IN_VAIN)


def ledger_rows(
    hook: Hook, events: Iterable[ListedEvent], known: Known, asked: frozenset[str], window: Window
) -> list[LedgerRow]:
    """Return a webhook's rows: one for each day that has events, and one for the last day in any case.

    An event belongs to the day of its first attempt through this webhook. A day of which GitHub has begun to
    forget the attempts has no row: an earlier run has seen more of it.
    """
    own = [
        (event, next(each for each in event.attempts if each.hook.id == hook.id))
        for event in events
        if any(each.hook.id == hook.id for each in event.attempts)
    ]
    rows = []
    for start, end in window.days():
        of_day = [(event, first) for event, first in own if start <= first.delivered_at < start + DAY]
        if start < window.horizon or (not of_day and end < window.end):
            continue
        fates = [fate(event, known, window.horizon) for event, _ in of_day]
        failed_first = [not first.succeeded for _, first in of_day]
        rows.append(
            LedgerRow(
                run_at=window.end,
                hook_id=hook.id,
                source=hook.source,
                window_start=start,
                window_end=end,
                expected=len(of_day),
                stored=fates.count(Fate.STORED),
                redelivered=sum(event.guid in asked for event, _ in of_day),
                recovered=sum(
                    failed and each is Fate.STORED for failed, each in zip(failed_first, fates, strict=True)
                ),
                refused=fates.count(Fate.REFUSED),
                lost=fates.count(Fate.LOST),
            )
        )
    return rows


def row_without_hook(source: str, window: Window) -> LedgerRow:
    """Return the row of a source that has no webhook of ours: only its issues were compared."""
    *_, (start, end) = window.days()
    return LedgerRow(run_at=window.end, hook_id=None, source=source, window_start=start, window_end=end)
