"""Reads webhooks and what they delivered, and asks GitHub to deliver again."""

from collections.abc import Iterator
from datetime import datetime

from clients.github.client import GitHubClient
from clients.github.hook_deliveries import Attempt, Hook, read_attempt, read_hook
from clients.github.responses import Forbidden, NotFound
from pipeline.errors import Unavailable
from pipeline.json_fields import Json


class Webhooks:
    """The webhooks of repositories and organizations. Every method raises Unavailable."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github

    def hooks(self, source: str) -> list[Hook]:
        """Return all webhooks of OWNER/REPO or an organization. GitHub hides them from most tokens."""
        try:
            return [read_hook(source, raw) for raw in self._items(f"{_base(source)}/hooks")]
        except (Forbidden, NotFound) as error:
            raise Unavailable(
                "hooks_forbidden",
                f"GitHub lists no webhooks of {source}: the name is wrong, or the token may not read them. "
                "Give it Webhooks: read and write (a classic token: admin:repo_hook, admin:org_hook).",
            ) from error

    def attempts(self, hook: Hook, since: datetime) -> Iterator[Attempt]:
        """Yield the attempts since then and maybe some before, newest first, as far as GitHub lists them."""
        following: str | None = f"{_base(hook.source)}/hooks/{hook.id}/deliveries"
        while following is not None:
            page = self._github.page(following, {})
            found = [read_attempt(hook, raw) for raw in page.items]
            yield from found
            is_read = bool(found) and found[-1].delivered_at < since
            following = None if is_read else page.next

    def redeliver(self, attempt: Attempt) -> None:
        """Ask GitHub to deliver the event of an attempt again, which it does soon after."""
        hook = attempt.hook
        path = f"{_base(hook.source)}/hooks/{hook.id}/deliveries/{attempt.id}/attempts"
        try:
            self._github.post(path)
        except Forbidden as error:
            raise Unavailable(
                "redelivery_forbidden",
                f"GitHub delivers nothing of {hook.source} again: the token may only read its webhooks. "
                "Give it Webhooks: read and write (a classic token: admin:repo_hook, admin:org_hook).",
            ) from error

    def ping(self, hook: Hook) -> None:
        """Have GitHub send a signed ping, which soon is the newest attempt. Raises Forbidden, too."""
        self._github.post(f"{_base(hook.source)}/hooks/{hook.id}/pings")

    def clock(self, source: str) -> datetime:
        """Return GitHub's time."""
        return self._github.page(f"{_base(source)}/hooks", {}).read_at

    def _items(self, path: str) -> Iterator[Json]:
        following: str | None = path
        while following is not None:
            page = self._github.page(following, {})
            yield from page.items
            following = page.next


def _base(source: str) -> str:
    return f"/repos/{source}" if "/" in source else f"/orgs/{source}"
