"""One run: each digest that is due today, in each of its channels."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from clients.slack.blocks import Message
from clients.slack.client import Slack
from pipeline.errors import PipelineError
from pipeline.logs import log
from pipeline.team import DigestPlan
from pipeline.working_hours import Hours

from .marks import Marks
from .posting import Digest, Kind, post_once

MARKED = "marked"  # how many cards got a mark or lost one


class Content(Protocol):
    """What a digest tells; one for all channels of a run."""

    def message(self, channel: str, globs: Sequence[str]) -> Message | None:
        """Return the channel's message about the repositories that match, None if there is nothing to say."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run did: how many channels had each outcome, and why something failed."""

    day: date
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[PipelineError] = field(default_factory=list)

    @contextmanager
    def part(self, **fields: Any) -> Iterator[None]:
        """Log and keep a failure, so that the other parts go on."""
        try:
            yield
        except PipelineError as failure:
            if failure in self.failures:  # two parts need what could not be read
                return
            text = "Not done, and tried again by the next call: %s"
            log.error(text, failure, exc_info=failure.__cause__, extra={"reason": failure.reason, **fields})
            self.failures.append(failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run at the time `now`. `contents` reads what each kind of digest tells; it raises Unavailable.

    `marks` reads which cards are marked, in `card_channels`; it raises Unavailable too.
    """

    slack: Slack
    plan: DigestPlan
    hours: Hours
    now: datetime
    contents: Mapping[Kind, Callable[[], Content]]
    marks: Callable[[], Marks] | None = None
    card_channels: Sequence[str] = ()
    sleep: Callable[[float], None] = time.sleep

    def run(self) -> Report:
        """Post what is due today into each channel, then mark cards, also if another channel fails."""
        report = Report(day=self.now.astimezone(self.hours.zone).date())
        for kind in due(report.day, self.hours, self.plan.weekly):
            if kind not in self.contents:
                continue
            with report.part(kind=kind):
                content = self.contents[kind]()
                for channel in self.plan.channels:
                    with report.part(kind=kind, channel=channel):
                        self._post(kind, channel, content, report)
        if self.marks and self.hours.is_working_day(report.day):
            with report.part(kind=MARKED):
                self._mark(self.marks(), report)
        return report

    def _mark(self, marks: Marks, report: Report) -> None:
        for channel in self.card_channels:
            with report.part(kind=MARKED, channel=channel):
                changed = marks.update(channel)
                report.counts[MARKED] = report.counts.get(MARKED, 0) + changed

    def _post(self, kind: Kind, channel: str, content: Content, report: Report) -> None:
        digest = Digest(kind=kind, now=self.now, zone=self.hours.zone)
        globs = self.plan.channels[channel]
        posted = post_once(self.slack, channel, digest, lambda: content.message(channel, globs), self.sleep)
        fields = {"outcome": posted.outcome, "kind": kind, "channel": channel} | (
            {"ts": posted.ts} if posted.ts else {}
        )
        log.info("Digest: %s", posted.outcome.replace("_", " "), extra=fields)
        report.counts[posted.outcome] = report.counts.get(posted.outcome, 0) + 1


def due(day: date, hours: Hours, weekly: int | None) -> Iterator[Kind]:
    """Yield the digests of a day, none on a day off.

    The weekly one is due on its weekday, or on the first working day after it if that is a day off.
    """
    if not hours.is_working_day(day):
        return
    yield Kind.DAILY
    if weekly is None:
        return
    passed = (day.weekday() - weekly) % 7
    if not any(hours.is_working_day(day - timedelta(days=ago)) for ago in range(1, passed + 1)):
        yield Kind.WEEKLY
