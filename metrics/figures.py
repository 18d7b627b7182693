"""The figures of a report, as values.

Durations are floats, in hours unless the name says seconds; weeks are Mondays in UTC; a percentile is None
if nothing was measured.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

MIN_CASES = 5  # a percentile of fewer says nothing
RECENT_WEEKS = 13  # a quarter: the period that "growing" and "faster" compare with the time before it
DELAY_DAYS = 90  # the pipeline's delay is shown for so many days
AGE_LIMITS = (0, 7, 30, 90, 365)  # the age buckets of open issues begin at so many days
MAX_UNANSWERED = 20  # so many unanswered issues are listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The number of cases that percentiles are taken of."""

    n: int = 0

    @property
    def is_enough(self) -> bool:
        """Return whether there are enough cases to show percentiles."""
        return self.n >= MIN_CASES


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles(Sample):
    """How long something took, in hours."""

    p50: float | None = None
    p90: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses(Percentiles):
    """How long first responses took, and how many came within a day and within three."""

    within_24h: int = 0
    within_72h: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One week; `backlog` is the number of issues open at its end."""

    week: date
    opened: int = 0
    closed: int = 0
    reopened: int = 0
    backlog: int = 0
    response: Percentiles = field(default_factory=Percentiles)
    close: Percentiles = field(default_factory=Percentiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One repository in the period; `open` and `unanswered` are as of now.

    `unknown` is the number of open issues that may have been answered before their first event.
    """

    id: int
    name: str
    open: int
    unanswered: int
    closed_issues: int
    reopened_issues: int
    unknown: int = 0
    responses: Responses = field(default_factory=Responses)
    close: Percentiles = field(default_factory=Percentiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeBucket:
    """The number of open issues that are at least `days` and less than `until` days old."""

    days: int
    until: int | None
    answered: int = 0
    unanswered: int = 0
    unknown: int = 0

    @property
    def open(self) -> int:
        """Return how many issues are in the bucket."""
        return self.answered + self.unanswered + self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class UnansweredIssue:
    """An open issue that is known to have no first response."""

    repository: str
    number: int
    title: str | None
    url: str | None
    age_hours: float
    hours_since_last_event: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayDay(Sample):
    """The pipeline's delay on one day, in seconds."""

    day: date
    p50: float
    p95: float
    slowest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Sample):
    """The pipeline's delay over all repositories, in seconds: of the whole period, and day by day."""

    p50: float | None = None
    p95: float | None = None
    slowest: float | None = None
    days: tuple[DelayDay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything the page shows.

    `since` is a Monday, or None for all that is stored; `requested` is the repository's name as the user
    wrote it, or None for all repositories; `initial_backlog` is the backlog before the first week.
    """

    made_at: datetime
    since: date | None
    requested: str | None
    repositories: tuple[Repository, ...] = ()
    weeks: tuple[Week, ...] = ()
    initial_backlog: int = 0
    responses: Responses = field(default_factory=Responses)
    close: Percentiles = field(default_factory=Percentiles)
    recent_response: Percentiles = field(default_factory=Percentiles)
    earlier_response: Percentiles = field(default_factory=Percentiles)
    ages: tuple[AgeBucket, ...] = ()
    oldest_unanswered: tuple[UnansweredIssue, ...] = ()
    delay: Delay = field(default_factory=Delay)

    @property
    def is_empty(self) -> bool:
        """Return whether no issue is known."""
        return not self.repositories

    @property
    def open(self) -> int:
        """Return how many issues are open now."""
        return sum(repository.open for repository in self.repositories)

    @property
    def unanswered(self) -> int:
        """Return how many of the open issues are known to have no first response."""
        return sum(repository.unanswered for repository in self.repositories)

    @property
    def unknown(self) -> int:
        """Return of how many open issues it is not known whether they were answered."""
        return sum(repository.unknown for repository in self.repositories)

    @property
    def closed_issues(self) -> int:
        """Return how many issues were closed at least once."""
        return sum(repository.closed_issues for repository in self.repositories)

    @property
    def reopened_issues(self) -> int:
        """Return how many issues were reopened at least once."""
        return sum(repository.reopened_issues for repository in self.repositories)

    @property
    def recent_weeks(self) -> tuple[Week, ...]:
        """Return the weeks of the last quarter, including the current one."""
        return self.weeks[-RECENT_WEEKS:]

    @property
    def backlog_before(self) -> int:
        """Return the backlog right before the recent weeks."""
        earlier = self.weeks[: -len(self.recent_weeks)] if self.recent_weeks else ()
        return earlier[-1].backlog if earlier else self.initial_backlog

    @property
    def is_last_week_running(self) -> bool:
        """Return whether the last week is not over."""
        return self.weeks[-1].week + timedelta(days=7) > self.made_at.date()
