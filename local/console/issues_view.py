"""The issues as the local GitHub has them, for the page's list."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from local.console.changes import Changes

SHOWN: Final = 200  # those that changed last

type Json = dict[str, Any]
type Key = tuple[str, int]  # repository and number


class IssuesView:
    """The issues that changed last; the caller holds a lock. `read` returns GitHub's JSON by repository."""

    def __init__(self, read: Callable[[], Mapping[str, Mapping[int, Json]]]) -> None:
        self._read = read
        self._issues: Changes[Key, Json] = Changes()

    @property
    def revision(self) -> int:
        """Return the number of the newest change."""
        return self._issues.revision

    def refresh(self, number: int) -> None:
        """See what has changed; `number` is that of the newest happening."""
        found = {
            (repository, of): issue
            for repository, issues in self._read().items()
            for of, issue in issues.items()
        }
        newest = sorted(found, key=lambda key: str(found[key]["updated_at"]), reverse=True)[:SHOWN]
        before = self._issues.values()
        shown = {key: _shown(*key, found[key]) for key in newest}
        kept = {key: before[key] if before.get(key) == issue else issue for key, issue in shown.items()}
        self._issues.update(kept, before.keys() - found.keys(), number)

    def issues(self) -> list[Json]:
        """Return the issues, the one that changed last first."""
        return list(self._issues.values().values())

    def since(self, number: int, revision: int) -> list[Json]:
        """Return the issues that changed since, as the stream shows them."""
        return [
            {"repository": repository, "number": of, "gone": True} if issue is None else issue
            for (repository, of), issue in self._issues.since(number, revision).items()
        ]


def _shown(repository: str, number: int, issue: Json) -> Json:
    return {
        "repository": repository,
        "number": number,
        "title": issue["title"],
        "state": issue["state"],
        "state_reason": issue["state_reason"],
        "labels": [label["name"] for label in issue["labels"]],
        "assignees": [person["login"] for person in issue["assignees"]],
    }
