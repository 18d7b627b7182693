"""What GitHub stores of a repository's issues: the objects that its REST API lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.github.errors import ApiError, not_found
from local.github.recording import issue_events, new_path, stored_issue
from ops.send import accounts, payloads
from ops.send.known_issue import KnownIssue

type Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class HostedRepository:
    """The REST objects of one repository; an event also has the `number` of its issue, which is not shown.

    `shown` and `organization` are as the last event has them. `gone` has the numbers of deleted issues, and
    of transferred ones the path of the API where they are now. `labels` are the names by their lower case.
    `unlisted` has the ids that the lists skip: a
    deletion can move an entry to a page that is already read.
    """

    repository: accounts.Repository
    shown: Json | None = None
    organization: Json | None = None
    issues: dict[int, Json] = field(default_factory=dict)
    comments: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    gone: dict[int, str | None] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    unlisted: set[int] = field(default_factory=set)

    @property
    def id(self) -> int:
        """Return the repository's id."""
        number = (self.shown or {}).get("id")
        return number if isinstance(number, int) else self.repository.id

    @property
    def next_number(self) -> int:
        """Return the number of the next issue."""
        return max((*self.issues, *self.gone), default=0) + 1

    def as_json(self) -> Json:
        """Return the repository as the API shows it."""
        return self.repository.as_json() | (self.shown or {})

    def issue(self, number: int, api_url: str = "") -> Json:
        """Return an issue. Raises ApiError, as GitHub does for one that was deleted or transferred."""
        if number in self.issues:
            return self.issues[number]
        if number not in self.gone:
            raise not_found()
        path = self.gone[number]
        if path is None:
            raise ApiError(410, "This issue was deleted")
        raise ApiError(301, "Moved Permanently", headers={"Location": api_url + path})

    def known(self, number: int) -> KnownIssue | None:
        """Return an issue as the next event of it continues it; None if there is none."""
        if number not in self.issues:
            return None
        return KnownIssue(
            repository=self.as_json(),
            organization=self.organization,
            issue=self.issues[number],
            comments=tuple(self.comments_of(number)),
        )

    def label(self, name: str) -> str:
        """Return the name of a label as the repository has it; GitHub ignores its case."""
        return self.labels.get(name.lower(), name)

    def record(self, event: payloads.Event) -> None:
        """Store what the REST API knows after the webhook's event; GitHub stores less than it delivers."""
        payload = event.payload
        number, action = payload["issue"]["number"], payload["action"]
        self.shown, self.organization = payload["repository"], payload.get("organization")
        if event.name == "issues" and action in {"deleted", "transferred"}:
            self.issues.pop(number, None)
            self.gone[number] = new_path(payload)
            return
        self.gone.pop(number, None)
        issue = self.issues[number] = stored_issue(event)
        for label in issue["labels"]:
            self.labels.setdefault(label["name"].lower(), label["name"])
        if event.name == "issue_comment":
            self._record_comment(action, payload["comment"])
        for kind, by, extra in issue_events(event):
            self.add_event(number, kind, by, issue["updated_at"], **extra)

    def _record_comment(self, action: str, comment: Json) -> None:
        if action == "created":
            self.comments.append(comment)
            return
        known = next((place for place, each in enumerate(self.comments) if each["id"] == comment["id"]), None)
        if known is not None:
            self.comments[known : known + 1] = [comment] if action == "edited" else []

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

    def comments_of(self, number: int, since: str = "") -> list[Json]:
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
