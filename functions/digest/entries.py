"""Which waiting issues concern a channel, and in which order they are named (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase

from metrics.waiting import WaitingIssue
from pipeline.targets import Standing, State, Target, matching, standing
from pipeline.working_hours import ALWAYS, Hours

_NEVER_DUE = datetime.max.replace(tzinfo=UTC)
_STATES = tuple(State)  # the worst first


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A waiting issue and where it stands; `in_working_time` is the kind of time of its target."""

    issue: WaitingIssue
    standing: Standing
    in_working_time: bool

    @classmethod
    def of(cls, issue: WaitingIssue, targets: Sequence[Target], hours: Hours, now: datetime) -> "Entry":
        """Return where the issue stands by the first target that matches."""
        target = matching(targets, issue.repository, issue.labels)
        by_the_clock = hours == ALWAYS or (target is not None and target.calendar)
        return cls(
            issue=issue,
            standing=standing(issue.waiting_since, now, target, hours),
            in_working_time=not by_the_clock,
        )

    @property
    def rank(self) -> tuple[object, ...]:
        """Return its place: overdue before due soon before waiting, and what is due first before the rest."""
        issue = self.issue
        due_at = self.standing.due_at or _NEVER_DUE
        place = _STATES.index(self.standing.state)
        return place, due_at, issue.waiting_since, issue.repository, issue.number


def matches(repository: str, globs: Sequence[str]) -> bool:
    """Return whether a channel of these globs has the repository; GitHub's names ignore case."""
    return any(fnmatchcase(repository.lower(), glob.lower()) for glob in globs)


def select(
    issues: Iterable[WaitingIssue], globs: Sequence[str], since: date | None, hours: Hours
) -> list[WaitingIssue]:
    """Return the issues of the repositories that match, without those opened before the day `since`."""
    return [
        issue
        for issue in issues
        if matches(issue.repository, globs)
        and (since is None or issue.opened_at.astimezone(hours.zone).date() >= since)
    ]


def rank(
    issues: Iterable[WaitingIssue], targets: Sequence[Target], hours: Hours, now: datetime
) -> list[Entry]:
    """Return the issues in the order in which they are named, which is the same for every run."""
    entries = (Entry.of(issue, targets, hours, now) for issue in issues)
    return sorted(entries, key=lambda entry: entry.rank)
