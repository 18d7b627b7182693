"""Reads webhooks and what they delivered, and asks GitHub to deliver again.

Rules: https://docs.github.com/rest/repos/webhooks, .../orgs/webhooks and .../apps/webhooks
"""

from collections.abc import Iterator
from datetime import datetime

from clients.github.client import GitHubClient
from clients.github.hook_deliveries import APP, APP_HOOK_ID, Attempt, Hook, read_attempt, read_hook
from clients.github.responses import Forbidden, NotFound
from pipeline.errors import Unavailable
from pipeline.json_fields import Json


class Webhooks:
    """The webhooks of repositories, organizations and the GitHub App. Every method raises Unavailable."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github

    def hooks(self, source: str) -> list[Hook]:
        """Return all webhooks of OWNER/REPO or an organization. GitHub hides them from most tokens."""
        try:
            return [read_hook(source, raw) for raw in self._items(f"{_base(source)}/hooks")]
        except (Forbidden, NotFound) as error:
            if error.reason == "app_not_installed":
                raise
            raise Unavailable(
                "hooks_forbidden",
                f"GitHub lists no webhooks of {source}: the name is wrong, or the token may not read them. "
                "Give it Webhooks: read and write (a classic token: admin:repo_hook, admin:org_hook; an App: "
                "Webhooks, Organization webhooks).",
            ) from error

    def app_hook(self) -> Hook | None:
        """Return the webhook of the GitHub App; None if it has none, or a token is used."""
        if not self._github.is_app:
            return None
        try:
            config, _ = self._github.get("/app/hook/config")
        except NotFound:
            return None
        if not config.get("url"):
            return None
        events = self._github.get("/app")[0].get("events")
        # GitHub does not say whether it is switched on.
        return read_hook(APP, {"id": APP_HOOK_ID, "active": True, "events": events, "config": config})

    def attempts(self, hook: Hook, since: datetime) -> Iterator[Attempt]:
        """Yield the attempts since then and maybe some before, newest first, as far as GitHub lists them."""
        following: str | None = f"{_path(hook)}/deliveries"
        while following is not None:
            page = self._github.page(following, {})
            found = [read_attempt(hook, raw) for raw in page.items]
            yield from found
            is_read = bool(found) and found[-1].delivered_at < since
            following = None if is_read else page.next

    def redeliver(self, attempt: Attempt) -> None:
        """Ask GitHub to deliver the event of an attempt again, which it does soon after."""
        hook = attempt.hook
        try:
            self._github.post(f"{_path(hook)}/deliveries/{attempt.id}/attempts")
        except Forbidden as error:
            raise Unavailable(
                "redelivery_forbidden",
                f"GitHub delivers nothing of {hook.source} again: the token may only read its webhooks. "
                "Give it Webhooks: read and write (a classic token: admin:repo_hook, admin:org_hook).",
            ) from error

    def ping(self, hook: Hook) -> None:
        """Have GitHub send a signed ping, which soon is the newest attempt. Raises Forbidden, too.

        GitHub pings no webhook of an App.
        """
        self._github.post(f"{_path(hook)}/pings")

    def clock(self, source: str) -> datetime:
        """Return GitHub's time."""
        return self._github.page(f"{_base(source)}/hooks", {}).read_at

    def _items(self, path: str) -> Iterator[Json]:
        following: str | None = path
        while following is not None:
            page = self._github.page(following, {})
            yield from page.items
            following = page.next


def _path(hook: Hook) -> str:
    return "/app/hook" if hook.source == APP else f"{_base(hook.source)}/hooks/{hook.id}"


def _base(source: str) -> str:
    return f"/repos/{source}" if "/" in source else f"/orgs/{source}"
