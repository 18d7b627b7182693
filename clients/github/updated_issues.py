"""Reads which issues of a source have changed lately."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from clients.github.client import GitHubClient
from pipeline.errors import Unavailable
from pipeline.json_fields import Json


def repositories(github: GitHubClient, source: str) -> Iterator[Json]:
    """Yield the repository OWNER/REPO, or those of an organization that can have new events of issues."""
    if "/" in source:
        yield _checked(github.get(f"/repos/{source}")[0], id=int, full_name=str)
        return
    for raw in _items(github, f"/orgs/{source}/repos", {"type": "all"}):
        _checked(raw, id=int, full_name=str)
        if raw.get("has_issues") is not False and raw.get("archived") is not True:
            yield raw


def updated_issues(github: GitHubClient, repository: Json, since: datetime) -> Iterator[Json]:
    """Yield the issues, not pull requests, that changed since then. Raises Unavailable."""
    parameters = {
        "state": "all",
        "sort": "updated",
        "direction": "asc",
        "since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    for raw in _items(github, f"/repos/{repository['full_name']}/issues", parameters):
        if not raw.get("pull_request"):
            yield _checked(raw, number=int, updated_at=str)


def _checked(raw: Json, **fields: type) -> Json:
    """Return an object of GitHub's. Raises Unavailable unless it has these fields."""
    for name, kind in fields.items():
        if not isinstance(raw.get(name), kind):
            raise Unavailable("github_odd", f"GitHub lists something without {name}.")
    return raw


def _items(github: GitHubClient, path: str, parameters: Mapping[str, str]) -> Iterator[Json]:
    following: str | None = path
    while following is not None:
        page = github.page(following, parameters)
        yield from page.items
        following = page.next
