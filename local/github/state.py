"""One GitHub: its repositories, organizations and hooks, who may ask, and how often."""

import itertools
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from local.github.errors import ApiError, not_found
from local.github.github_app import APP_ID, HOOK_ID, LOGIN, PLACE, SLUG, GitHubApp
from local.github.hooks import Hooks, Send
from local.github.repository import HostedRepository
from local.github.write_limits import WriteLimits
from ops.send import accounts
from ops.send.known_issue import KnownIssue
from ops.send.payload_spec import PayloadSpec, build
from ops.send.payloads import Event

REQUESTS_PER_HOUR = 5_000
TOKEN_OWNER = "octocat"  # whose token GITHUB_TOKEN is
_COMMENT_IDS = 2**42  # above those of `send`


class GitHub:
    """What the API answers from; tests may set every attribute.

    `has_cursors`: lists of issues are paged by cursor, as github.com pages large ones. `event_pages`: GitHub
    lists no events of a repository beyond this page. `remaining` requests are allowed until `reset_at` (Unix
    time). `now`: GitHub's clock, None for the true time. `assignable`: who can be assigned, None for every
    account. `write_limits`: how many changes are allowed, None for any number. `installs_app`: the App is on
    the account of every repository that is hosted. `old_names` lead to the present names of repositories.
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
        self.assignable: set[str] | None = None
        self.write_limits: WriteLimits | None = None
        self.installs_app = False
        self.old_names: dict[str, str] = {}
        self._comment_ids = itertools.count(_COMMENT_IDS)

    def time(self) -> datetime:
        """Return GitHub's time."""
        return self.now or datetime.now(UTC)

    def emit(self, full_name: str, event: Event) -> str:
        """Store what the event changes, deliver it to the hooks of repository and owner; return its guid."""
        return self.hooks.emit(self._record(full_name, event), event.name, event.payload)

    def act(self, spec: PayloadSpec, association: str | None = None) -> tuple[str, Event]:
        """Let an account do what the options describe; return guid and event, which is delivered later.

        `association` is how the repository knows the account, None for the usual one of `send`.
        A new repository is created. Raises Impossible, or ApiError for an issue that is gone.
        """
        hosted = self.host(spec.repository)
        if spec.issue_name and not spec.opens:
            hosted.issue(spec.number)
        event = self.event_of(spec)
        if association is not None and spec.opens:
            event.payload["issue"]["author_association"] = association
        if association is not None and "comment" in event.payload:
            event.payload["comment"]["author_association"] = association
        return self.emit_later(spec.repository, event), event

    def emit_later(self, full_name: str, event: Event) -> str:
        """Store what the event changes, and deliver it like `emit`, but later; return its guid at once."""
        return self.hooks.emit_later(self._record(full_name, event), event.name, event.payload)

    def transfer(self, repository: str, number: int, to: str, by: accounts.Account) -> tuple[list[str], int]:
        """Move an issue to another repository; return the guids of both events, and its number there.

        A new repository is created. Raises ApiError for an issue that is gone.
        """
        hosted = self.repository(repository)
        hosted.issue(number)
        target, known = self.host(to), hosted.known(number)
        assert known is not None
        there = target.next_number
        at = known.next_time(self.time())
        issue = known.restored(at)
        before = issue.as_json()
        leaves, moved = issue.transferred(by, at, target.repository, there)
        arrives = moved.opened(old_issue=known.issue, old_repository=known.repository)
        left = self.emit_later(repository, known.merged(before, leaves))
        return [left, self.emit_later(to, arrives)], there

    def event_of(self, spec: PayloadSpec) -> Event:
        """Return the event that the options describe; nothing changes. Raises Impossible."""
        event = build(spec, self.known(spec), self.time(), comment_id=next(self._comment_ids))
        if spec.author == LOGIN and "comment" in event.payload:
            app = {"id": APP_ID, "slug": SLUG}
            event.payload["comment"] |= {"performed_via_github_app": app, "author_association": "NONE"}
        return event

    def known(self, spec: PayloadSpec) -> KnownIssue | None:
        """Return the issue that the options are about, as it is; None if there is none."""
        hosted = self.repositories.get(spec.repository.lower())
        return hosted.known(spec.number) if hosted and spec.issue_name else None

    def store(self, event: Event) -> None:
        """Store what an event changes, and deliver nothing. A new repository is created."""
        name = event.payload["repository"]["full_name"]
        self.host(name)
        self._record(name, event)

    def _record(self, full_name: str, event: Event) -> list[str]:
        """Store what the event changes; return the places whose hooks hear of it."""
        hosted = self.repository(full_name)
        if event.name in {"issues", "issue_comment"}:
            hosted.record(event)
        name = hosted.repository.full_name
        if (event.name, event.payload.get("action")) == ("repository", "deleted"):
            del self.repositories[name.lower()]
        return [name, name.split("/")[0], *([PLACE] if self.app.is_on(name) else [])]

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
        found = self.repositories.setdefault(full_name.lower(), repository)
        owner = found.repository.owner.login
        if self.installs_app and not self.app.is_on(owner):
            self.organizations.add(owner)
            self.app.install(owner, permissions={"issues": "write", "metadata": "read"})
        return found

    def repository(self, key: str | int) -> HostedRepository:
        """Return a repository by its name or id. Raises ApiError."""
        for name, hosted in self.repositories.items():
            if key == hosted.id or str(key).lower() == name:
                return hosted
        raise not_found()

    def place(self, owner: str, name: str = "") -> str:
        """Return OWNER/REPO or the organization. Raises ApiError unless it exists."""
        if name:
            return self.repository(f"{owner}/{name}").repository.full_name
        if owner not in self.organizations:
            raise not_found()
        return owner

    def new_path(self, path: str) -> str | None:
        """Return where a path leads that has the old name of a repository; None for every other path."""
        match path.split("/", 4)[1:]:
            case ["repos", owner, name, *rest] if new := self.old_names.get(f"{owner}/{name}"):
                return "/".join([f"/repositories/{self.repository(new).id}", *rest])
        return None

    def check_access(self, headers: Mapping[str, str], path: str, method: str = "GET") -> str:
        """Count the request, and return the login that it acts for.

        Raises ApiError for a wrong token, a missing permission or User-Agent, or a used-up limit.
        """
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        is_app = self.app.check(token, path, self._source(path), method)
        if scheme.lower() not in {"bearer", "token"} or not (is_app or token == self.token):
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
        if self.write_limits is not None and method != "GET" and "/issues/" in path:
            self.write_limits.take(self.time())
        return LOGIN if is_app else TOKEN_OWNER

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
