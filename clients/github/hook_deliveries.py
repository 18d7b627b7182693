"""A webhook, and the attempts to deliver that GitHub lists for it, read from REST objects (pure).

Rules: https://docs.github.com/rest/repos/webhooks and .../orgs/webhooks. GitHub lists an attempt, failed ones
too, for three days. A GUID names an event, and is the same for all attempts and for all webhooks.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.delivery import parse_time
from pipeline.errors import Unavailable
from pipeline.json_fields import Json

# The source of the webhook that a GitHub App has, for all repositories where the App is installed. GitHub
# gives it no id, and no account can have this name.
APP = "GitHub App"
APP_HOOK_ID = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook of `source`, which is OWNER/REPO, an organization or APP.

    `content_type` is json or form; without `verifies_tls` GitHub accepts any certificate of the URL.
    """

    id: int
    source: str
    url: str
    is_active: bool
    events: tuple[str, ...] = ("*",)
    content_type: str = "json"
    verifies_tls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to deliver an event; `status` is that of the answer, 0 if there was none."""

    id: int
    hook: Hook
    guid: str
    event: str
    delivered_at: datetime
    is_redelivery: bool
    status: int

    @property
    def succeeded(self) -> bool:
        """Return whether the webhook's URL accepted it."""
        return 200 <= self.status < 300


def read_hook(source: str, raw: Json) -> Hook:
    """Read a webhook. Raises Unavailable if it is not one."""
    given = raw.get("config")
    config = given if isinstance(given, dict) else {}
    number, url, events = raw.get("id"), config.get("url"), raw.get("events")
    if not isinstance(number, int):
        raise Unavailable("github_odd", f"GitHub lists a webhook of {source} without id.")
    return Hook(
        id=number,
        source=source,
        url=url if isinstance(url, str) else "",  # of another app, whatever it is
        is_active=raw.get("active") is True,
        events=tuple(map(str, events)) if isinstance(events, list) else (),
        content_type=str(config.get("content_type", "form")),
        verifies_tls=str(config.get("insecure_ssl", "0")) == "0",
    )


def read_attempt(hook: Hook, raw: Json) -> Attempt:
    """Read an attempt. Raises Unavailable if it is not one."""
    number, guid, event = raw.get("id"), raw.get("guid"), raw.get("event")
    # GitHub's lists have both times; which of them a throttled delivery has is not documented.
    delivered_at = parse_time(raw.get("delivered_at")) or parse_time(raw.get("throttled_at"))
    status = raw.get("status_code")
    if not (isinstance(number, int) and isinstance(guid, str) and isinstance(event, str) and delivered_at):
        raise Unavailable(
            "github_odd", f"GitHub lists a delivery of {hook.source} without id, GUID, event or time."
        )
    return Attempt(
        id=number,
        hook=hook,
        guid=guid,
        event=event,
        delivered_at=delivered_at,
        is_redelivery=raw.get("redelivery") is True,
        status=status if isinstance(status, int) else 0,
    )


def is_same_url(first: str, second: str) -> bool:
    """Return whether both are one address; case of the host and a slash at the end do not matter."""
    try:
        return _normal(first) == _normal(second)
    except ValueError:  # which another app's webhook may have
        return False


def _normal(url: str) -> tuple[str, str, str]:
    """Return what makes an address. Raises ValueError for what is none."""
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/")
