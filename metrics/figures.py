"""What a report says: the figures, as values, and the few that are worked out from others.

Hours and seconds are floats; weeks are Mondays in UTC; a percentile is None where nothing was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

FEWEST = 5  # of fewer issues a percentile says nothing
RECENT_WEEKS = 13  # a quarter: what "growing" and "faster" compare with what was before
DELAY_DAYS = 90  # how far back the pipeline's delay is shown
WEEK = timedelta(days=7)
STEADY = 0.05  # a backlog that changed by less than this share is called steady


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long something took, in hours (or seconds): the number of cases and two percentiles of them."""

    n: int = 0
    p50: float | None = None
    p90: float | None = None

    @property
    def is_enough(self) -> bool:
        """Tell whether the percentiles may be shown."""
        return self.n >= FEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """First responses: how long they took, and how many came within a day and within three."""

    spread: Spread = field(default_factory=Spread)
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
    response: Spread = field(default_factory=Spread)
    close: Spread = field(default_factory=Spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One repository in the period; open and unanswered are as of now."""

    id: int
    name: str
    open: int
    unanswered: int
    closed_issues: int
    reopened_issues: int
    responses: Responses = field(default_factory=Responses)
    close: Spread = field(default_factory=Spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How many open issues are of an age of at least `days` days and less than `until`."""

    days: int
    until: int | None
    answered: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An open issue without a first response."""

    repository: str
    number: int
    title: str | None
    url: str | None
    age_hours: float
    quiet_hours: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayDay:
    """The pipeline's delay of one day, in seconds."""

    day: date
    n: int
    p50: float
    p95: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The pipeline's delay of the days shown, in seconds; of all repositories together."""

    n: int = 0
    p50: float | None = None
    p95: float | None = None
    most: float | None = None
    days: tuple[DelayDay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that the page shows. `since` is a Monday, or None for all that is stored."""

    made_at: datetime
    since: date | None
    asked: str | None
    repositories: tuple[Repository, ...] = ()
    weeks: tuple[Week, ...] = ()
    backlog_before: int = 0
    responses: Responses = field(default_factory=Responses)
    close: Spread = field(default_factory=Spread)
    recent_response: Spread = field(default_factory=Spread)
    earlier_response: Spread = field(default_factory=Spread)
    ages: tuple[Age, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    delay: Delay = field(default_factory=Delay)

    @property
    def is_empty(self) -> bool:
        """Tell whether no issue is known."""
        return not self.repositories

    @property
    def open(self) -> int:
        """Return how many issues are open now."""
        return sum(repository.open for repository in self.repositories)

    @property
    def unanswered(self) -> int:
        """Return how many of the open issues have no first response."""
        return sum(repository.unanswered for repository in self.repositories)

    @property
    def closed_issues(self) -> int:
        """Return how many issues were closed at least once."""
        return sum(repository.closed_issues for repository in self.repositories)

    @property
    def reopened_issues(self) -> int:
        """Return how many issues were reopened at least once."""
        return sum(repository.reopened_issues for repository in self.repositories)

    @property
    def recent(self) -> tuple[Week, ...]:
        """Return the weeks of the last quarter, the running one included."""
        return self.weeks[-RECENT_WEEKS:]

    @property
    def backlog_then(self) -> int:
        """Return the backlog right before the recent weeks."""
        earlier = self.weeks[: -len(self.recent)] if self.recent else ()
        return earlier[-1].backlog if earlier else self.backlog_before


def monday(moment: date | datetime) -> date:
    """Return the Monday of the week, in UTC."""
    day = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
    return day - timedelta(days=day.weekday())


def recent_from(now: datetime) -> date:
    """Return the first day of the recent weeks: the running week is the last of them."""
    return monday(now) - (RECENT_WEEKS - 1) * WEEK


def join_weeks(
    by_repository: Mapping[int, Sequence[Week]], first: date | None, last: date
) -> tuple[tuple[Week, ...], int]:
    """Return the weeks of all repositories together from `first` to `last`, and the backlog before them.

    The view ends a repository's weeks with its last event; what is open then stays open, so its backlog is
    carried on to `last`. Weeks without anything are there with zeros.
    """
    starts = [weeks[0].week for weeks in by_repository.values() if weeks]
    if not starts:
        return (), 0
    start = first if first is not None else min(starts)
    known = {(key, week.week): week for key, weeks in by_repository.items() for week in weeks}
    backlog = dict.fromkeys(by_repository, 0)
    for key, weeks in by_repository.items():
        earlier = [week.backlog for week in weeks if week.week < start]
        backlog[key] = earlier[-1] if earlier else 0
    before = sum(backlog.values())
    joined = []
    for index in range((last - start).days // 7 + 1):
        day = start + index * WEEK
        here = [known[key, day] for key in by_repository if (key, day) in known]
        backlog |= {key: known[key, day].backlog for key in by_repository if (key, day) in known}
        joined.append(
            Week(
                week=day,
                opened=sum(week.opened for week in here),
                closed=sum(week.closed for week in here),
                reopened=sum(week.reopened for week in here),
                backlog=sum(backlog.values()),
            )
        )
    return tuple(joined), before


def with_spreads(
    weeks: Sequence[Week], response: Mapping[date, Spread], close: Mapping[date, Spread]
) -> tuple[Week, ...]:
    """Return the weeks with how long responses and closes of each took."""
    return tuple(
        replace(week, response=response.get(week.week, Spread()), close=close.get(week.week, Spread()))
        for week in weeks
    )


def headline(report: Report) -> dict[str, object]:
    """Return the headline figures as plain JSON values; a percentile of fewer than five is null."""

    def spread(of: Spread) -> dict[str, object]:
        shown = of if of.is_enough else Spread(n=of.n)
        return {"n": shown.n, "p50_hours": shown.p50, "p90_hours": shown.p90}

    delay = report.delay
    return {
        "made_at": report.made_at.isoformat(),
        "since": report.since and report.since.isoformat(),
        "repositories": [repository.name for repository in report.repositories],
        "open": report.open,
        "unanswered": report.unanswered,
        "weeks_compared": len(report.recent),
        "open_before": report.backlog_then,
        "time_to_first_response": {
            **spread(report.responses.spread),
            "answered_within_24h": report.responses.within_24h,
            "answered_within_72h": report.responses.within_72h,
        },
        "time_to_close": spread(report.close),
        "reopen_rate": {
            "closed_issues": report.closed_issues,
            "reopened_issues": report.reopened_issues,
            "rate": report.reopened_issues / report.closed_issues if report.closed_issues else None,
        },
        "pipeline_delay": {
            "n": delay.n,
            "p50_seconds": delay.p50 if delay.n >= FEWEST else None,
            "p95_seconds": delay.p95 if delay.n >= FEWEST else None,
            "max_seconds": delay.most,
        },
    }
