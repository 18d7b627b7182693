"""Which issues are past their target, and what their cards say about it (pure but for `still_waiting`)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from metrics import wording
from metrics.waiting import Waiting, WaitingIssue, ranked
from pipeline.targets import State
from pipeline.team import Team
from pipeline.working_hours import Hours

from .entries import select
from .marks import Mark, Overdue

WAITING_FOR = "waiting for {time}"
UNDER_AN_HOUR = "under an hour"


def overdue(
    issues: Sequence[WaitingIssue],
    team: Team,
    now: datetime,
    still_waiting: Callable[[WaitingIssue], WaitingIssue | None],
) -> dict[str, Overdue]:
    """Return the issues past their target, of all repositories, by the key of their card.

    `still_waiting` returns an issue as it waits now, None if it does not; it is asked only for an issue whose
    card would change.
    """
    since = team.digest.since if team.digest else None
    entries = ranked(select(issues, ("*",), since, team.hours), team.targets, team.hours, now)

    def mark(entry: Waiting) -> Mark | None:
        issue = still_waiting(entry.issue)
        if issue is None:
            return None
        current = Waiting.of(issue, team.targets, team.hours, now)
        if current.standing.state is not State.OVERDUE:
            return None
        day = now.astimezone(team.hours.zone).date()
        return Mark(text=waiting_for(current, team.hours), day=day)

    return {
        f"{entry.issue.repository_id}#{entry.issue.number}": Overdue(
            opened_at=entry.issue.opened_at, mark=partial(mark, entry)
        )
        for entry in entries
        if entry.standing.state is State.OVERDUE
    }


def waiting_for(entry: Waiting, hours: Hours) -> str:
    """Return how long the issue has waited, in whole days of the kind of its target, or in hours."""
    kind = "working " if entry.in_working_time else ""
    span = entry.standing.waited if kind else entry.standing.waited_by_the_clock
    days, whole = span // (hours.a_day if kind else timedelta(days=1)), span // timedelta(hours=1)
    if days:
        return WAITING_FOR.format(time=wording.count(days, f"{kind}day"))
    return WAITING_FOR.format(time=wording.count(whole, f"{kind}hour") if whole else UNDER_AN_HOUR)
