"""Webhooks of repositories and organizations, and the deliveries that GitHub lists for each hook.

Rules: https://docs.github.com/rest/repos/webhooks and .../orgs/webhooks
"""

import itertools
import re
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from local.github.errors import ApiError, invalid

type Json = dict[str, Any]
# Sends a payload to a hook's URL: hook, event, delivery id and payload; returns the status of the answer.
type Send = Callable[[Json, str, str, Json], int]


class Hooks:
    """The hooks by place (OWNER/REPO or organization) and id, their deliveries by hook id, newest first.

    `late_lists` is how many lists of deliveries still come before the newest delivery is listed.
    """

    def __init__(self, send: Send) -> None:
        self.by_place: dict[str, dict[int, Json]] = defaultdict(dict)
        self.deliveries: dict[int, list[Json]] = defaultdict(list)
        self.late_lists = 0
        self._send = send
        self._numbers = itertools.count(1)

    def create(self, place: str, body: Json) -> Json:
        """Create a hook and ping it. Raises ApiError for a field that GitHub refuses."""
        is_repository = "/" in place
        if body.get("name", "web") != "web" or (not is_repository and "name" not in body):
            raise invalid("name", 'must be "web"')
        number = 100 + next(self._numbers)
        hook = {
            "type": "Repository" if is_repository else "Organization",
            "id": number,
            "name": "web",
            "active": body.get("active", True),
            "events": _events(body.get("events", ["push"])),
            "config": self.config(place, body.get("config", {}), number),
            "created_at": _now(),
            "updated_at": _now(),
            "last_response": {"code": None, "status": "unused", "message": None},
        }
        self.by_place[place][number] = hook
        self.ping(hook)
        return hook

    def update(self, place: str, hook: Json, body: Json) -> None:
        """Change a hook. A `config` replaces the old one: without a secret in it the hook has none."""
        events = set(_events(body["events"])) if "events" in body else set(hook["events"])
        events = (events | set(body.get("add_events", []))) - set(body.get("remove_events", []))
        if "config" in body:
            hook["config"] = self.config(place, body["config"], hook["id"])
        hook |= {
            "events": _events(sorted(events)),
            "active": body.get("active", hook["active"]),
            "updated_at": _now(),
        }

    def ping(self, hook: Json) -> None:
        """Deliver a ping."""
        payload = {"zen": "Keep it logically awesome.", "hook_id": hook["id"], "hook": shown(hook)}
        self.deliver(hook, "ping", str(uuid.uuid4()), payload)

    def config(self, place: str, config: Any, number: int) -> Json:
        """Return the config of the hook with this id, with GitHub's defaults. Raises ApiError."""
        url = config.get("url", "") if isinstance(config, dict) else ""
        if urlsplit(url).scheme not in ("http", "https"):
            raise invalid("url", "is missing or not a URL")
        if any(hook["config"]["url"] == url and key != number for key, hook in self.by_place[place].items()):
            kind = "repository" if "/" in place else "organization"
            error = {"resource": "Hook", "code": "custom", "message": f"Hook already exists on this {kind}"}
            raise ApiError(422, "Validation Failed", [error])
        return {"content_type": "form", "insecure_ssl": "0", **config}

    def deliver(self, hook: Json, event: str, guid: str, payload: Json, *, redelivery: bool = False) -> None:
        """Send a payload once and list the delivery; a redelivery has the guid of the first one."""
        code = self._send(hook, event, guid, payload)
        status = "OK" if code < 300 else f"Invalid HTTP Response: {code}"
        hook["last_response"] = {"code": code, "status": "active", "message": status}
        self.deliveries[hook["id"]].insert(
            0,
            {
                "id": 10**10 + next(self._numbers),
                "guid": guid,
                "delivered_at": _now(),
                "redelivery": redelivery,
                "duration": 0.1,
                "status": status,
                "status_code": code,
                "event": event,
                "action": payload.get("action"),
                "installation_id": None,
                "repository_id": None,
                "throttled_at": None,
                "request": {"payload": payload},
            },
        )


def shown(hook: Json) -> Json:
    """Return a hook as the API shows it: with its secret masked."""
    secret = {"secret": "********"} if hook["config"].get("secret") else {}
    return hook | {"config": hook["config"] | secret}


def _events(events: Any) -> list[str]:
    if not isinstance(events, list) or not events:
        raise invalid("events", "must have at least one event")
    for event in events:
        if not (isinstance(event, str) and re.fullmatch(r"[a-z_]+|\*", event)):
            raise invalid("events", f"{event} is not an event")
    return events


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
