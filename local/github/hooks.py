"""Webhooks of repositories and organizations, and the deliveries that GitHub lists for each hook.

Rules: https://docs.github.com/rest/repos/webhooks and .../orgs/webhooks
"""

import itertools
import re
import threading
import time
import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from local.github.errors import ApiError, invalid

KEPT = timedelta(days=3)
SENDERS = 8  # deliveries that are sent side by side

type Json = dict[str, Any]
# Sends a payload to a hook's URL: hook, event, delivery id and payload; returns the status of the answer.
type Send = Callable[[Json, str, str, Json], int]
# Called with the delivery id, the event, its payload and the status of the answer.
type Report = Callable[[str, str, Json, int], object]


class Hooks:
    """The hooks by place (OWNER/REPO or organization) and id, their deliveries by hook id, newest first.

    `late_lists` is how many lists of deliveries still come before the newest delivery is listed. `asked` has
    the time and the guid of each request for a redelivery. `clock` is GitHub's. Of so many deliveries as
    `loses_every` says, one is not sent, as if no one had answered. `report` is called after each delivery.
    """

    def __init__(self, send: Send, clock: Callable[[], datetime]) -> None:
        self.by_place: dict[str, dict[int, Json]] = defaultdict(dict)
        self.deliveries: dict[int, list[Json]] = defaultdict(list)
        self.late_lists = 0
        self.asked: list[tuple[datetime, str]] = []
        self.loses_every: int | None = None
        self.report: Report = lambda *_: None
        self._attempts = itertools.count(1)
        self._send = send
        self._clock = clock
        self._numbers = itertools.count(1)
        self._listing = threading.Lock()  # several deliveries may be sent at once
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="github-hooks")
        self._sending: list[Future[None]] = []

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
            "created_at": self._now(),
            "updated_at": self._now(),
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
            "updated_at": self._now(),
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

    def emit(self, places: Sequence[str], event: str, payload: Json) -> str:
        """Deliver an event to every active hook of the places that subscribes to it, and return its guid."""
        guid = str(uuid.uuid4())
        for hook in self._subscribed(places, event):
            self.deliver(hook, event, guid, payload)
        return guid

    def emit_later(self, places: Sequence[str], event: str, payload: Json) -> str:
        """Deliver an event like `emit`, in other threads; return its guid at once."""
        guid = str(uuid.uuid4())
        self._sending = [each for each in self._sending if not each.done() or each.exception()]
        for hook in self._subscribed(places, event):
            self._sending.append(self._senders.submit(self.deliver, hook, event, guid, payload))
        return guid

    def wait(self) -> None:
        """Return once every delivery of `emit_later` has been tried."""
        while self._sending:
            self._sending.pop().result()

    def stop(self) -> None:
        """Finish the deliveries that are being sent, and give up the others."""
        self._senders.shutdown(cancel_futures=True)
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="github-hooks")
        self._sending.clear()

    def _subscribed(self, places: Sequence[str], event: str) -> list[Json]:
        hooks = [hook for place in places for hook in self.by_place[place].values()]
        return [hook for hook in hooks if hook["active"] and {event, "*"} & set(hook["events"])]

    def listed(self, hook: Json) -> list[Json]:
        """Return the deliveries of the last three days, newest first; GitHub forgets the others."""
        found, oldest = self.deliveries[hook["id"]], _text(self._clock() - KEPT)
        while found and found[-1]["delivered_at"] < oldest:
            found.pop()
        return found

    def find(self, hook: Json, number: int) -> Json | None:
        """Return the delivery with this id, None if GitHub does not list it."""
        found = self.listed(hook)
        place = bisect_left(found, -number, key=lambda delivery: -delivery["id"])
        return found[place] if place < len(found) and found[place]["id"] == number else None

    def redeliver(self, hook: Json, delivery: Json) -> None:
        """Send what a delivery had sent."""
        self.asked.append((self._clock(), delivery["guid"]))
        payload = delivery["request"]["payload"]
        self.deliver(hook, delivery["event"], delivery["guid"], payload, redelivery=True)

    def deliver(self, hook: Json, event: str, guid: str, payload: Json, *, redelivery: bool = False) -> None:
        """Send a payload once and list the delivery; a redelivery has the guid of the first one."""
        began, number = time.monotonic(), next(self._attempts)
        is_lost = self.loses_every is not None and number % self.loses_every == 0
        code = 502 if is_lost else self._send(hook, event, guid, payload)
        status = "OK" if code < 300 else f"Invalid HTTP Response: {code}"
        hook["last_response"] = {"code": code, "status": "active", "message": status}
        with self._listing:
            self.deliveries[hook["id"]].insert(
                0,
                {
                    "id": 10**10 + next(self._numbers),
                    "guid": guid,
                    "delivered_at": self._now(),
                    "redelivery": redelivery,
                    "duration": round(time.monotonic() - began, 3),
                    "status": status,
                    "status_code": code,
                    "event": event,
                    "action": payload.get("action"),
                    "installation_id": payload.get("installation", {}).get("id"),
                    "repository_id": payload.get("repository", {}).get("id"),
                    "throttled_at": None,
                    "request": {"payload": payload},
                },
            )
        self.report(guid, event, payload, code)

    def _now(self) -> str:
        return _text(self._clock())


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


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
