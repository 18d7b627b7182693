"""Which waiting issues concern a channel (pure)."""

from collections.abc import Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase

from metrics.waiting import WaitingIssue
from pipeline.working_hours import Hours


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
