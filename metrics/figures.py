"""The figures of a report, as values.

Durations are floats, in hours unless the name says seconds; weeks are Mondays in UTC; a percentile is None
if nothing was measured.
"""

from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta

from metrics.waiting import Waiting

MIN_CASES = 5  # a percentile of fewer says nothing
RECENT_WEEKS = 13  # a quarter: the period that "growing" and "faster" compare with the time before it
DELAY_DAYS = 90  # the pipeline's delay is shown for so many days
AGE_LIMITS = (0, 7, 30, 90, 365)  # the age buckets of open issues begin at so many days
TREND_WEEKS = 26  # half a year: the period of the small trend of each repository
MAX_LABELS = 6  # the time in so many labels is shown, the most used ones, if none are chosen


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
class Cohort:
    """The issues that were opened in one week: what has become of them by now."""

    week: date
    opened: int = 0
    within_24h: int = 0
    within_72h: int = 0
    closed: int = 0
    still_open: int = 0
    close: Percentiles = field(default_factory=Percentiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of issues: open ones as of now, closed ones in the period.

    Issues that bots opened are in `open` and `open_by_bots` alone. `unknown` open issues may have been
    answered before their first event; `put_aside` ones were closed as anything but completed.
    """

    open: int = 0
    open_by_bots: int = 0
    waiting: int = 0
    unanswered: int = 0
    unknown: int = 0
    closed_issues: int = 0
    reopened_issues: int = 0
    put_aside: int = 0
    closed_unanswered: int = 0

    @property
    def open_by_people(self) -> int:
        """Return how many open issues were not opened by bots."""
        return self.open - self.open_by_bots


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository(Counts):
    """One repository in the period; `trend` is the backlog at the end of each of the last TREND_WEEKS."""

    id: int
    name: str
    responses: Responses = field(default_factory=Responses)
    close: Percentiles = field(default_factory=Percentiles)
    trend: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """The issues opened by the team, others or bots; `open` and `waiting` are as of now."""

    name: str
    opened: int = 0
    open: int = 0
    waiting: int = 0
    response: Percentiles = field(default_factory=Percentiles)
    team_response: Percentiles = field(default_factory=Percentiles)
    close: Percentiles = field(default_factory=Percentiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTimes(Percentiles):
    """How long issues carried a label, until now if they still do; `open` is the number of those.

    `longest_open` is how long ago the first of these got the label.
    """

    label: str
    open: int = 0
    longest_open: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogAge(Percentiles):
    """How long ago the open issues were opened."""

    longest: float | None = None


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
    wrote it, or None for all repositories; `initial_backlog` is the backlog before the first week. `waiting`
    is in the order of metrics.waiting.ranked. `has_targets` and `has_team` say whether config/team.toml has
    targets and names the team.
    """

    made_at: datetime
    since: date | None
    requested: str | None
    repositories: tuple[Repository, ...] = ()
    weeks: tuple[Week, ...] = ()
    initial_backlog: int = 0
    waiting: tuple[Waiting, ...] = ()
    has_targets: bool = False
    has_team: bool = False
    responses: Responses = field(default_factory=Responses)
    team_responses: Responses = field(default_factory=Responses)
    close: Percentiles = field(default_factory=Percentiles)
    recent_response: Percentiles = field(default_factory=Percentiles)
    earlier_response: Percentiles = field(default_factory=Percentiles)
    ages: tuple[AgeBucket, ...] = ()
    backlog_age: BacklogAge = field(default_factory=BacklogAge)
    cohorts: tuple[Cohort, ...] = ()
    authors: tuple[Authors, ...] = ()
    labels: tuple[LabelTimes, ...] = ()
    delay: Delay = field(default_factory=Delay)

    @property
    def is_empty(self) -> bool:
        """Return whether no issue is known."""
        return not self.repositories

    @property
    def counts(self) -> Counts:
        """Return the sums over the repositories."""
        names = [field.name for field in fields(Counts)]
        return Counts(**{name: sum(getattr(item, name) for item in self.repositories) for name in names})

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
