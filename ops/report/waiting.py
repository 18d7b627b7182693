"""The first section of the report: who waits for an answer of the team, and when it is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics import wording
from metrics.figures import Report
from metrics.waiting import Waiting, WaitingIssue
from pipeline.targets import State

MAX_LISTED = 50
MIN_DIFFERENCE = 1 / 60  # hours; working time that differs less from time by the clock is not shown
HOUR = timedelta(hours=1)
NO_TARGET = (
    "No target is set, so nothing is due; [[target]] in config/team.toml says how soon an answer is due."
)
NO_TEAM = (
    "config/team.toml names no team, so owners, members and collaborators count as the team; GitHub hides "
    "private members of an organisation."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A waiting issue as the list shows it; `link` is None unless its URL is a web address."""

    is_overdue: bool
    standing: str
    title: str
    link: str | None
    reference: str
    opened_by: str
    waited: str
    due: str
    labels: Sequence[str]
    assignees: Sequence[str]


def summary(report: Report) -> tuple[str, str]:
    """Return who waits in one sentence, and how many are late."""
    found = [waiting.standing.state for waiting in report.waiting]
    if not found:
        last_word = "In every open issue the team had the last word, or no one else has spoken."
        detail = last_word if report.counts.open_by_people else "No issue of a person is open."
        return "No one waits for an answer of the team.", detail
    wait = "waits" if len(found) == 1 else "wait"
    answer = f"{wording.count(len(found), 'issue')} {wait} for an answer of the team."
    if not report.has_targets:
        longest = max(waiting.issue.waiting_hours for waiting in report.waiting)
        return answer, f"The longest wait is {wording.hours(longest)}. {NO_TARGET}"
    late, soon = found.count(State.OVERDUE), found.count(State.DUE_SOON)
    overdue = (
        f"{late:,} {'is' if late == 1 else 'are'} past the target" if late else "None is past its target"
    )
    return answer, f"{overdue}, {soon:,} {'is' if soon == 1 else 'are'} due soon."


def notes(report: Report) -> list[str]:
    """Return what the list does not show."""
    cut = f"The first {MAX_LISTED} of {len(report.waiting):,} are listed; --json has all."
    return ([cut] if len(report.waiting) > MAX_LISTED else []) + ([] if report.has_team else [NO_TEAM])


def items(report: Report) -> list[Item]:
    """Return the issues of the list, in the order in which they are due."""
    return [_item(waiting, report.made_at) for waiting in report.waiting[:MAX_LISTED]]


def _item(waiting: Waiting, now: datetime) -> Item:
    issue, due_at = waiting.issue, waiting.standing.due_at
    is_overdue = waiting.standing.state is State.OVERDUE
    return Item(
        is_overdue=is_overdue,
        standing=_standing(waiting),
        title=wording.short(issue.title or "") or "(no title)",
        link=wording.safe_link(issue.url),
        reference=f"{issue.repository}#{issue.number}",
        opened_by=issue.author or "a deleted account",
        waited=f"since {wording.moment(issue.waiting_since, now)} ({_waited(issue)})",
        due="" if due_at is None else f"{'was due' if is_overdue else 'due'} {wording.moment(due_at, now)}",
        labels=issue.labels,
        assignees=issue.assignees,
    )


def _standing(waiting: Waiting) -> str:
    """Return overdue by 5.2 working hours, due in 3 h, or no target."""
    over, left = waiting.standing.over, waiting.standing.left
    words = wording.working_hours if waiting.in_working_time else wording.hours
    if over is not None:
        return f"overdue by {words(over / HOUR)}"
    if left is not None:
        return f"due in {words(left / HOUR)}"
    return "no target"


def _waited(issue: WaitingIssue) -> str:
    """Return how long the issue has waited by the clock, and in working time where that is another time."""
    by_the_clock = wording.hours(issue.waiting_hours)
    if abs(issue.waiting_hours - issue.working_hours) < MIN_DIFFERENCE:
        return by_the_clock
    return f"{by_the_clock} by the clock, {wording.working_hours(issue.working_hours)}"
