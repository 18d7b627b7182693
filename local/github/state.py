"""One GitHub: its repositories, organizations and hooks, who may ask, and how often."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from local.github.errors import ApiError, not_found
from local.github.github_app import HOOK_ID, PLACE, GitHubApp
from local.github.hooks import Hooks, Send
from local.github.repository import HostedRepository
from ops.send import accounts
from ops.send.payloads import Event

REQUESTS_PER_HOUR = 5_000


class GitHub:
    """What the API answers from; tests may set every attribute.

    `has_cursors`: lists of issues are paged by cursor, as github.com pages large ones. `event_pages`: GitHub
    lists no events of a repository beyond this page. `remaining` requests are allowed until `reset_at` (Unix
    time). `now`: GitHub's clock, None for the true time.
    """

    def __init__(self, token: str, send: Send) -> None:
        self.token = token
        self.repositories: dict[str, HostedRepository] = {}
        self.organizations: set[str] = set()
        self.users: set[str] = set()  # in lower case
        self.hooks = Hooks(send, self.time)
        self.app = GitHubApp(self.time)
        self.has_cursors = False
        self.event_pages: int | None = None
        self.remaining = REQUESTS_PER_HOUR
        self.reset_at = time.time() + 3_600
        self.now: datetime | None = None

    def time(self) -> datetime:
        """Return GitHub's time."""
        return self.now or datetime.now(UTC)

    def emit(self, full_name: str, event: Event) -> str:
        """Store what the event changes, deliver it to the hooks of repository and owner; return its guid."""
        hosted = self.repository(full_name)
        if event.name in {"issues", "issue_comment"}:
            hosted.record(event)
        name = hosted.repository.full_name
        places = [name, name.split("/")[0], PLACE]
        return self.hooks.emit(places[: 2 + self.app.is_on(name)], event.name, event.payload)

    def set_app_hook(self, **config: str) -> None:
        """Give the App a webhook with this config."""
        hook = {"id": HOOK_ID, "active": True, "events": ["issues", "issue_comment", "repository"]}
        self.hooks.by_place[PLACE][HOOK_ID] = {
            **hook,
            "config": {"content_type": "json", "insecure_ssl": "0", **config},
        }

    def host(self, full_name: str) -> HostedRepository:
        """Return a repository, created if it is new; GitHub ignores the case of names."""
        repository = HostedRepository(repository=accounts.Repository(full_name=full_name))
        return self.repositories.setdefault(full_name.lower(), repository)

    def repository(self, key: str | int) -> HostedRepository:
        """Return a repository by its name or id. Raises ApiError."""
        for name, hosted in self.repositories.items():
            if key == hosted.repository.id or str(key).lower() == name:
                return hosted
        raise not_found()

    def place(self, owner: str, name: str = "") -> str:
        """Return OWNER/REPO or the organization. Raises ApiError unless it exists."""
        if name:
            return self.repository(f"{owner}/{name}").repository.full_name
        if owner not in self.organizations:
            raise not_found()
        return owner

    def check_access(self, headers: Mapping[str, str], path: str) -> None:
        """Count the request. Raises ApiError for a wrong token, a missing User-Agent or a used-up limit."""
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        is_known = self.app.check(token, path, self._source(path)) or token == self.token
        if scheme.lower() not in {"bearer", "token"} or not is_known:
            raise ApiError(401, "Bad credentials" if token else "Requires authentication")
        if not headers.get("User-Agent"):
            raise ApiError(403, "Request forbidden by administrative rules.")
        if headers.get("X-GitHub-Api-Version", "2022-11-28") != "2022-11-28":
            raise ApiError(400, "The API version is not supported.")
        if headers.get("Accept", "*/*") not in {"*/*", "application/json", "application/vnd.github+json"}:
            raise ApiError(415, "Unsupported 'Accept' header")
        if time.time() >= self.reset_at:
            self.remaining, self.reset_at = REQUESTS_PER_HOUR, time.time() + 3_600
        if self.remaining == 0:
            raise ApiError(403, "API rate limit exceeded for user ID 1.")
        self.remaining -= 1

    def _source(self, path: str) -> str | None:
        """Return the repository or organization that a path names."""
        match path.split("/")[1:]:
            case ["repos", owner, name, *_]:
                return f"{owner}/{name}"
            case ["orgs", owner, *_]:
                return owner
            case ["repositories", number, *_] if number.isdecimal():
                return self.repository(int(number)).repository.full_name
        return None

    def headers(self) -> dict[str, str]:
        """Return the headers of every answer: GitHub's clock and the rate limit."""
        return {
            "Date": format_datetime(self.time(), usegmt=True),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(int(self.reset_at)),
        }
