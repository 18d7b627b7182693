"""Who waits for an answer of the team: the rows of the view waiting_on_us, and how they stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from metrics.query import Query
from pipeline.targets import Standing, State, Target, matching, standing
from pipeline.working_hours import ALWAYS, Hours

_NEVER_DUE = datetime.max.replace(tzinfo=UTC)
_STATES = tuple(State)  # the worst first


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingIssue:
    """An open issue whose last word is by somebody outside the team.

    `waiting_since` is the first such word after the team's last. `waiting_hours` counts every hour since
    then, `working_hours` only those in which the team works; both as of the query.
    """

    repository_id: int
    repository: str
    number: int
    title: str | None
    url: str | None
    author: str | None
    opened_at: datetime
    waiting_since: datetime
    waiting_hours: float
    working_hours: float
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()


WAITING = Query(
    subject="who waits for an answer",
    row=WaitingIssue,
    sql="""
SELECT
  repository_id,
  COALESCE(repository, CONCAT('repository ', CAST(repository_id AS STRING))) AS repository,
  issue_number AS number,
  title,
  url,
  author,
  opened_at,
  waiting_since,
  waiting_hours,
  working_hours,
  labels,
  assignees
FROM `${DATASET}.waiting_on_us`
WHERE repository_id = @repository OR @repository IS NULL
ORDER BY waiting_since, repository_id, issue_number
""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A waiting issue and where it stands; `in_working_time` is the kind of time of its target."""

    issue: WaitingIssue
    standing: Standing
    in_working_time: bool

    @classmethod
    def of(cls, issue: WaitingIssue, targets: Sequence[Target], hours: Hours, now: datetime) -> Self:
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
        return _STATES.index(self.standing.state), due_at, issue.waiting_since, issue.repository, issue.number


def ranked(
    issues: Iterable[WaitingIssue], targets: Sequence[Target], hours: Hours, now: datetime
) -> list[Waiting]:
    """Return where the issues stand, in an order that is the same for every run."""
    found = (Waiting.of(issue, targets, hours, now) for issue in issues)
    return sorted(found, key=lambda each: each.rank)
