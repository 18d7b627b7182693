"""What GitHub stores of a repository's issues: the objects that its REST API lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.send import accounts, payloads

type Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class HostedRepository:
    """The REST objects of one repository; an event also has the `number` of its issue, which is not shown.

    `unlisted` has the ids that the lists skip: a deletion can move an entry to a page that is already read.
    """

    repository: accounts.Repository
    issues: dict[int, Json] = field(default_factory=dict)
    comments: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    unlisted: set[int] = field(default_factory=set)

    def record(self, event: payloads.Event) -> None:
        """Store what the REST API knows after the webhook's event; GitHub stores less than it delivers."""
        payload = event.payload
        issue, action, by = payload["issue"], payload["action"], payload["sender"]
        number, at = issue["number"], issue["updated_at"]
        if action in {"deleted", "transferred"}:
            self.issues.pop(number, None)
            return
        closed_at = issue["closed_at"] if issue["state"] == "closed" else None
        self.issues[number] = issue | {"closed_at": closed_at}
        if event.name == "issue_comment":
            self.comments.append(payload["comment"])
        elif action == "opened":
            self.add_event(number, "subscribed", by, at)
            if "changes" in payload:
                self.add_event(number, "transferred", by, at)
            for label in issue["labels"] if "changes" not in payload else ():
                self.add_event(number, "labeled", by, at, label=_short(label))
        elif action == "assigned":
            to = payload["assignee"]
            self.add_event(number, action, to, at, assignee=to, assigner=by)
        elif action == "labeled":
            self.add_event(number, action, by, at, label=_short(payload["label"]))
        else:
            extra = {"state_reason": issue["state_reason"], "commit_id": None} if action == "closed" else {}
            self.add_event(number, action, by, at, **extra)

    def add_event(self, number: int, kind: str, by: Any, at: str, **extra: Any) -> None:
        """Store an issue event."""
        event = {"id": 9_000_000 + len(self.events), "node_id": "E_1", "event": kind, "actor": by}
        self.events.append({**event, "created_at": at, "number": number, **extra})

    def list_issues(self, query: Mapping[str, str]) -> list[Json]:
        """Return the issues and pull requests; by default the open ones, newest first."""
        state = query.get("state", "open")
        found = [issue for issue in self.issues.values() if state in {"all", issue["state"]}]
        return self._listed(found, {"sort": "created", "direction": "desc", **query})

    def list_comments(self, query: Mapping[str, str]) -> list[Json]:
        """Return the comments on all issues and pull requests; by default in the order of their ids."""
        return self._listed(self.comments, query)

    def list_events(self) -> list[Json]:
        """Return all events, newest first, each with its issue as it is now."""
        found = sorted(self.events, key=lambda event: (event["created_at"], event["id"]), reverse=True)
        return [_shown(event) | {"issue": self.issues.get(event["number"])} for event in found]

    def comments_of(self, number: int, since: str) -> list[Json]:
        """Return the comments on one issue that were updated since then, oldest first."""
        return [
            comment
            for comment in self.comments
            if comment["issue_url"].endswith(f"/{number}") and comment["updated_at"] >= since
        ]

    def events_of(self, number: int) -> list[Json]:
        """Return the events of one issue, oldest first."""
        return [_shown(event) for event in self.events if event["number"] == number]

    def _listed(self, items: list[Json], query: Mapping[str, str]) -> list[Json]:
        since, sort = query.get("since", ""), query.get("sort")
        found = [each for each in items if each["updated_at"] >= since and each["id"] not in self.unlisted]
        if sort is not None:
            key = {"created": "created_at", "updated": "updated_at"}[sort]
            found.sort(key=lambda each: each[key], reverse=query.get("direction") == "desc")
        return found


def _shown(event: Json) -> Json:
    return {name: value for name, value in event.items() if name != "number"}


def _short(label: Json) -> Json:
    """Return a label as the events of an issue show it."""
    return {"name": label["name"], "color": label["color"]}
