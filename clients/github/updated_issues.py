"""Reads which issues of a source have changed lately."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from clients.github.client import GitHubClient
from pipeline.errors import Unavailable
from pipeline.json_fields import Json

_ALL = {"type": "all"}


def repositories(github: GitHubClient, source: str) -> Iterator[Json]:
    """Yield the repository OWNER/REPO or those of an organization, if they can have new events of issues.

    GitHub answers 410 for the issues of a repository that has them switched off.
    """
    is_one = "/" in source
    listed = [github.get(f"/repos/{source}")[0]] if is_one else _items(github, f"/orgs/{source}/repos", _ALL)
    for raw in listed:
        _checked(raw, id=int, full_name=str)
        if raw.get("has_issues") is not False and raw.get("archived") is not True:
            yield raw


def updated_issues(github: GitHubClient, repository: Json, since: datetime) -> Iterator[Json]:
    """Yield the issues, not pull requests, that changed since then, each once. Raises Unavailable.

    The latest change comes first: an issue that changes meanwhile moves to a page that was read, and moves
    another one to the next page, so that none is left out which is not changing now.
    """
    seen: set[int] = set()
    parameters = {
        "state": "all",
        "sort": "updated",
        "direction": "desc",
        "since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    for raw in _items(github, f"/repos/{repository['full_name']}/issues", parameters):
        if raw.get("pull_request"):
            continue
        _checked(raw, number=int, updated_at=str)
        if raw["number"] not in seen:
            seen.add(raw["number"])
            yield raw


def _checked(raw: Json, **fields: type) -> None:
    """Raise Unavailable unless an object of GitHub's has these fields."""
    for name, kind in fields.items():
        if not isinstance(raw.get(name), kind):
            raise Unavailable("github_odd", f"GitHub lists something without {name}.")


def _items(github: GitHubClient, path: str, parameters: Mapping[str, str]) -> Iterator[Json]:
    following: str | None = path
    while following is not None:
        page = github.page(following, parameters)
        yield from page.items
        following = page.next
