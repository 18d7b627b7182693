"""Who waits for an answer of the team: the rows of the view waiting_on_us."""

from dataclasses import dataclass
from datetime import datetime

from metrics.query import Query


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
