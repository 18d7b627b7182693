"""One run: what GitHub listed and what is stored, then each part, then the ledger."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from clients.github.client import GitHubClient
from clients.github.hook_deliveries import APP, Attempt, Hook
from clients.github.responses import NotFound
from clients.github.updated_issues import repositories, updated_issues
from clients.github.webhooks import Webhooks
from clients.pubsub.batch_publisher import BatchPublisher
from clients.pubsub.held_messages import HeldMessages
from pipeline.errors import Unavailable
from pipeline.json_fields import Json
from pipeline.logs import log

from . import plan, problems
from .ledger import Ledger
from .listed import Listing
from .missed import missed, settled
from .plan import Fate, Known, LedgerRow, ListedEvent, Window
from .redrive import Held, look, redrive
from .report import Report
from .settings import Settings
from .time_limit import TimeLimit

STORED_WITHIN = timedelta(minutes=30)
REDRIVE_TIME = timedelta(minutes=5)  # beyond the limit of the other parts
FAILURES_IN_A_ROW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Whom a run asks. `publisher` connects only if there is something to publish."""

    github: GitHubClient
    webhooks: Webhooks
    ledger: Ledger
    publisher: Callable[[], BatchPublisher]
    hold: Callable[[], AbstractContextManager[HeldMessages]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What GitHub lists in the window, and what is known of it. `sources` have their webhooks."""

    window: Window
    sources: dict[str, list[Hook]]
    events: list[ListedEvent]
    known: Known

    def fates(self) -> list[tuple[ListedEvent, Fate]]:
        """Return what became of each event."""
        return [(event, plan.fate(event, self.known, self.window.horizon)) for event in self.events]


class Run:
    """One run at the time `now`."""

    def __init__(self, neighbours: Neighbours, settings: Settings, now: datetime, limit: TimeLimit) -> None:
        self._neighbours = neighbours
        self._settings = settings
        self._now = now
        self._limit = limit
        self._asked: set[str] = set()
        self._held = Held()
        self.report = Report()

    def run(self) -> Report:
        """Do every part, also if another one fails; write the ledger only if none did."""
        seen = None
        with self.report.part():
            seen = self._look()
        if seen is not None:
            with self.report.part():
                self._redeliver(seen)
            with self.report.part():
                self._publish_missed(seen)
        with self.report.part():
            self._redrive()
        if seen is not None and not self.report.failures:
            with self.report.part():
                self._prove(seen)
        return self.report

    def _look(self) -> Seen:
        """Read everything that the parts decide on."""
        settings, ledger = self._settings, self._neighbours.ledger
        past = ledger.past(self._now - settings.kept)
        window = Window.of(self._now, settings.lookback, settings.kept, past)
        self.report.problems += problems.of_gap(window, past)
        listed = Listing(self._neighbours.webhooks, settings, window, self._limit).read()
        self.report.problems += listed.problems
        self.report.failures += listed.failures
        events = plan.group(listed.attempts, settings.events)
        with self.report.part(), self._neighbours.hold() as hold:
            self._held = look(hold)
        known = Known(
            held=self._held.for_storing,
            stored=ledger.stored([event.guid for event in events], window.start),
            stored_until=ledger.stored_until(self._now - STORED_WITHIN),
        )
        return Seen(window=window, sources=listed.sources, events=events, known=known)

    def _redeliver(self, seen: Seen) -> None:
        """Ask GitHub to deliver again what was not delivered or not stored, each event once."""
        failures = 0
        for attempt in plan.to_redeliver(seen.events, seen.known, seen.window.horizon):
            self._limit.check()
            try:
                self._neighbours.webhooks.redeliver(attempt)
            except NotFound:
                log.warning("GitHub does not have the delivery any more", extra=_fields(attempt))
                continue
            except Unavailable as error:
                failures += 1
                if error.reason not in {"github_down", "github_refused"} or failures == FAILURES_IN_A_ROW:
                    raise
                if error.reason == "github_refused":
                    log.warning("GitHub refuses to deliver again: %s", error, extra=_fields(attempt))
                    continue
                # An answer that was lost may have been a success; if not, the next run asks again.
            else:
                failures = 0
            self._asked.add(attempt.guid)
            log.info("Asked GitHub to deliver again", extra=_fields(attempt))

    def _publish_missed(self, seen: Seen) -> None:
        """Publish the issues that changed without a delivery, as they are now."""
        on_their_way = sorted(
            event.first.delivered_at for event, fate in seen.fates() if fate in {Fate.WAITING, Fate.HELD}
        )
        self.report.counts["missed"] = 0
        events = self._settings.events
        if events is not None and "issues" not in events:
            return
        read: set[int] = set()  # an organization and its repository may both be sources
        with self._publishing():
            for source in [each for each in seen.sources if each != APP]:
                for repository in repositories(self._neighbours.github, source):
                    if repository["id"] in read:
                        continue
                    read.add(repository["id"])
                    self._limit.check()
                    try:
                        self._publish_of(repository, seen.window.start, on_their_way)
                    except NotFound as error:
                        self.report.failures.append(error)  # the other repositories are not hidden

    @contextmanager
    def _publishing(self) -> Iterator[None]:
        """Publish what was added, also if the block fails: each run might fail there."""
        try:
            yield
        finally:
            if self.report.counts["missed"]:
                with self.report.part():
                    self._neighbours.publisher().flush()

    def _publish_of(self, repository: Json, since: datetime, on_their_way: list[datetime]) -> None:
        """Publish the issues of one repository."""
        listed = updated_issues(self._neighbours.github, repository, since)
        issues = list(settled(listed, self._now, on_their_way))
        if not issues:
            return
        numbers = [issue["number"] for issue in issues]
        known = self._neighbours.ledger.issues(repository["id"], numbers, since)
        events = self._settings.events
        with_comments = events is None or "issue_comment" in events
        found = missed(repository, issues, known, since, self._now, with_comments=with_comments)
        for delivery in found:
            self._neighbours.publisher().add(delivery)
            fields = {"delivery_id": delivery.delivery_id, "repository": delivery.repository}
            log.info("Publishing what GitHub had not sent", extra=fields)
            self.report.counts["missed"] += 1

    def _redrive(self) -> None:
        """Drive held messages again; what is left when the time is up waits for the next run."""
        self.report.counts["redriven"] = 0
        if self._settings.redrive_max and not self._held.is_empty:
            pause = self._limit.extended(REDRIVE_TIME).pause
            with self._neighbours.hold() as hold:
                self.report.counts["redriven"] = redrive(hold, self._settings.redrive_max, pause)

    def _prove(self, seen: Seen) -> None:
        """Write the ledger's rows, by what is stored now."""
        ledger = self._neighbours.ledger
        open_guids = [event.guid for event, fate in seen.fates() if fate is not Fate.STORED]
        stored = seen.known.stored | ledger.stored(open_guids, seen.window.start)
        seen = replace(seen, known=replace(seen.known, stored=stored))
        rows: list[LedgerRow] = []
        for source, hooks in seen.sources.items():
            for hook in hooks:
                asked = frozenset(self._asked)
                rows += plan.ledger_rows(hook, seen.events, seen.known, asked, seen.window)
            if not hooks:
                rows.append(plan.row_without_hook(source, seen.window))
        ledger.write(rows)
        fates = seen.fates()
        self.report.problems += problems.of_lost([event.guid for event, fate in fates if fate is Fate.LOST])
        self.report.counts |= {
            "expected": len(fates),
            "redelivered": len(self._asked),
            **{each.value: sum(fate is each for _, fate in fates) for each in Fate},
        }


def _fields(attempt: Attempt) -> dict[str, Any]:
    return {"delivery_id": attempt.guid, "source": attempt.hook.source, "event": attempt.event}
