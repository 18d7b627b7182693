"""Asks GitHub whether issues still wait: what BigQuery knows is a few minutes old."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from clients.github.client import GitHubClient, OnWait
from clients.github.responses import NotFound
from metrics.waiting import WaitingIssue
from pipeline.accounts import Accounts
from pipeline.errors import Unavailable
from pipeline.json_fields import Json
from pipeline.logs import log
from pipeline.repository_name import is_repository_name

from .answers import still_waiting

RECHECK_SECONDS = 90.0  # for all issues of a run
_LONGEST_WAIT = timedelta(seconds=5)

type Connect = Callable[[OnWait], GitHubClient]


class Recheck:
    """Answers for one run, each issue once; without GitHub, or once it is away, every issue waits.

    `connect` makes the client, None if there is no token.
    """

    def __init__(
        self, connect: Connect | None, accounts: Accounts, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._github = connect(self._check) if connect else None
        self._accounts = accounts
        self._clock = clock
        self._ends_at = math.inf  # until the first question: BigQuery may take long before it
        self._known: dict[tuple[int, int], WaitingIssue | None] = {}
        self._warned = False

    def close(self) -> None:
        """Close the connection."""
        if self._github:
            self._github.close()

    def still_waiting(self, found: WaitingIssue) -> WaitingIssue | None:
        """Return the issue as it waits now, None if it is closed or answered."""
        key = found.repository_id, found.number
        if key not in self._known:
            self._known[key] = self._ask(found)
        return self._known[key]

    def _ask(self, found: WaitingIssue) -> WaitingIssue | None:
        if self._github is None or not is_repository_name(found.repository):
            return found
        try:
            self._ends_at = min(self._ends_at, self._clock() + RECHECK_SECONDS)
            self._check("The time to ask GitHub is up", datetime.now(UTC))
            return still_waiting(found, *_read(self._github, found), self._accounts)
        except Unavailable as error:
            self._warn(error)
            if not isinstance(error, NotFound):  # which is about one issue, or about the token's repositories
                self.close()
                self._github = None
            return found

    def _check(self, reason: str, until: datetime) -> None:
        """Raise Unavailable if the time is up, or a wait until then would be a long one."""
        if self._clock() >= self._ends_at or until - datetime.now(UTC) > _LONGEST_WAIT:
            raise Unavailable("github_slow", f"{reason}.")

    def _warn(self, error: Unavailable) -> None:
        if not self._warned:
            self._warned = True
            text = "The digest may name an issue that was answered a few minutes ago: %s"
            log.warning(text, error, extra={"reason": error.reason})


def _read(github: GitHubClient, found: WaitingIssue) -> tuple[Json, list[Json]]:
    """Return the issue, and its comments since it waits, the oldest first."""
    path = f"/repos/{found.repository}/issues/{found.number}"
    issue, _ = github.get(path)
    comments: list[Json] = []
    following: str | None = f"{path}/comments"
    since = {"since": f"{found.waiting_since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    while following is not None:
        page = github.page(following, since)
        comments += page.items
        following = page.next
    return issue, comments
