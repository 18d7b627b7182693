"""Reads one issue with its history, and changes it by additive calls: no call replaces a set.

Rules: https://docs.github.com/rest/issues and .../rest/using-the-rest-api/issue-event-types
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clients.github.client import GitHubClient
from clients.github.past_event import PastEvent, read_past_event
from clients.github.responses import NotFound
from pipeline import json_fields
from pipeline.errors import Unavailable
from pipeline.events import Comment, Issue, read_comment, read_issue
from pipeline.json_fields import Json
from pipeline.once import once


class IssueActions:
    """The issues that a GitHub App may change. `check` is called before each request and may raise.

    Every method raises Unavailable; NotFound, Forbidden, Invalid and Suspended if a retry cannot help.
    """

    def __init__(self, github: GitHubClient, check: Callable[[], None]) -> None:
        self._github = github
        self._check = check
        self.own_login = once(self._own_login)

    def _own_login(self) -> str:
        """Return the login of the App's own actions: its slug and [bot]."""
        self._check()
        slug = json_fields.text(self._github.get("/app")[0], "slug")
        if slug is None:
            raise Unavailable("github_odd", "GitHub answers to the GitHub App without slug.")
        return f"{slug}[bot]"

    def issue(self, repository: str, number: int) -> tuple[Issue, datetime]:
        """Return the issue as it is now, and GitHub's time of reading it. A pull request is NotFound."""
        self._check()
        found, read_at = self._github.get(_path(repository, number))
        if "pull_request" in found:
            raise NotFound("pull_request", f"{repository}#{number} is a pull request now.")
        return read_issue(found), read_at

    def events(self, repository: str, number: int) -> list[PastEvent]:
        """Return the history of the issue, the oldest event first; it has no comments."""
        return [read_past_event(raw) for raw in self._items(f"{_path(repository, number)}/events", {})]

    def comments(self, repository: str, number: int, since: datetime | None = None) -> list[Comment]:
        """Return the comments, the oldest first: all, or those that were changed since then."""
        bound = {} if since is None else {"since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        return [read_comment(raw) for raw in self._items(f"{_path(repository, number)}/comments", bound)]

    def await_turn(self) -> None:
        """Wait until GitHub takes the next write."""
        self._github.await_turn()

    def add_labels(self, repository: str, number: int, labels: Sequence[str]) -> tuple[str, ...]:
        """Add labels, and return all that the issue has then, as GitHub answers."""
        found = self._post(f"{_path(repository, number)}/labels", {"labels": [*labels]})
        return json_fields.names({"labels": found}, "labels", "name")

    def add_assignee(self, repository: str, number: int, login: str) -> tuple[str, ...]:
        """Assign somebody, too; return all assignees. GitHub ignores who may not be assigned."""
        found = self._post(f"{_path(repository, number)}/assignees", {"assignees": [login]})
        return read_issue(_object(found)).assignees

    def add_comment(self, repository: str, number: int, body: str) -> Comment:
        """Post a comment."""
        return read_comment(_object(self._post(f"{_path(repository, number)}/comments", {"body": body})))

    def close(self, repository: str, number: int, reason: str) -> Issue:
        """Close the issue as `completed`, `not_planned` or `duplicate`, and return it."""
        self._check()
        change = {"state": "closed", "state_reason": reason}
        return read_issue(_object(self._github.patch(_path(repository, number), change)))

    def _post(self, path: str, body: Json) -> Any:
        self._check()
        return self._github.post(path, body)

    def _items(self, path: str, parameters: Mapping[str, str]) -> Iterator[Json]:
        following: str | None = path
        while following is not None:
            self._check()
            page = self._github.page(following, parameters)
            yield from page.items
            following = page.next


def _path(repository: str, number: int) -> str:
    return f"/repos/{repository}/issues/{number}"


def _object(found: Any) -> Json:
    return found if isinstance(found, dict) else {}
