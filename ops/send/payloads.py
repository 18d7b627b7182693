"""Builds the deliveries that GitHub would send about an issue that changes.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads (issues, issue_comment, ping). All text
is made up; ids are derived from names, so that the same calls give the same payloads in every run.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ops.send import shapes
from ops.send.accounts import API, WEB, Account, Repository, number_for
from pipeline.delivery import format_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as GitHub would deliver it; the payload is JSON as a dict."""

    name: str
    payload: dict[str, Any]

    @property
    def title(self) -> str:
        """Return the event with its action, such as issues.opened."""
        action = self.payload.get("action")
        return f"{self.name}.{action}" if action else self.name


@dataclass(slots=True, kw_only=True)
class Issue:
    """An issue that changes: each method is one change and returns its event."""

    repository: Repository
    number: int
    title: str
    author: Account | None
    created_at: datetime
    body: str | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[Account] = field(default_factory=list)
    is_pull_request: bool = False
    state: str = "open"
    state_reason: str | None = None
    comments: int = 0
    updated_at: datetime | None = None
    closed_at: datetime | None = None

    def opened(self, **changes: Any) -> Event:
        """Open the issue at its created_at; `changes` is what a transfer adds."""
        extra = {"changes": changes} if changes else {}
        return self._issues("opened", self.author, self.updated_at or self.created_at, **extra)

    def labeled(self, by: Account, at: datetime, label: str) -> Event:
        """Add a label."""
        if label not in self.labels:
            self.labels.append(label)
        return self._issues("labeled", by, at, label=self.repository.label(label))

    def unlabeled(self, by: Account, at: datetime, label: str) -> Event:
        """Remove a label."""
        self.labels.remove(label)
        return self._issues("unlabeled", by, at, label=self.repository.label(label))

    def assigned(self, by: Account, at: datetime, to: Account) -> Event:
        """Add an assignee."""
        if to not in self.assignees:
            self.assignees.append(to)
        return self._issues("assigned", by, at, assignee=to.as_json())

    def unassigned(self, by: Account, at: datetime, whom: Account) -> Event:
        """Remove an assignee."""
        self.assignees.remove(whom)
        return self._issues("unassigned", by, at, assignee=whom.as_json())

    def closed(self, by: Account, at: datetime, reason: str | None = "completed") -> Event:
        """Close the issue."""
        self.state, self.state_reason, self.closed_at = "closed", reason, at
        return self._issues("closed", by, at)

    def reopened(self, by: Account, at: datetime) -> Event:
        """Reopen the issue; like GitHub, keep closed_at."""
        self.state, self.state_reason = "open", "reopened"
        return self._issues("reopened", by, at)

    def edited(self, by: Account, at: datetime, title: str | None = None, body: str | None = None) -> Event:
        """Change the title, the text or both."""
        changes: dict[str, Any] = {}
        if title is not None:
            self.title, changes["title"] = title, {"from": self.title}
        if body is not None:
            self.body, changes["body"] = body, {"from": self.body}
        return self._issues("edited", by, at, changes=changes)

    def deleted(self, by: Account, at: datetime) -> Event:
        """Delete the issue; like GitHub, keep updated_at."""
        return self._issues("deleted", by, self.updated_at or at)

    def commented(self, by: Account | None, at: datetime, text: str, comment_id: int | None = None) -> Event:
        """Add a comment; like GitHub, count it only in later events."""
        name = f"{self.repository.full_name}#{self.number}/{self.comments + 1}"
        user = by.as_json() if by else None
        comment = shapes.comment(self.as_json(), comment_id or number_for(name), user, time_text(at), text)
        event = self.comment_event("created", by, at, comment)
        self.comments += 1
        return event

    def comment_event(
        self, action: str, by: Account | None, at: datetime, comment: dict[str, Any], **extra: Any
    ) -> Event:
        """Return an event about a comment, in GitHub's shape."""
        self.updated_at = at
        return Event(name="issue_comment", payload=self._payload(action, by, comment=comment, **extra))

    def transferred(self, by: Account, at: datetime, to: Repository, number: int) -> tuple[Event, "Issue"]:
        """Return the event of a transfer, which keeps updated_at as at GitHub, and the issue elsewhere.

        Deliver `opened` of the other issue with `old_issue` and `old_repository`.
        """
        moved = Issue(
            repository=to,
            number=number,
            title=self.title,
            author=self.author,
            created_at=self.created_at,
            body=self.body,
            comments=self.comments,
            updated_at=at,
        )
        changes = {"new_issue": moved.as_json(), "new_repository": to.as_json()}
        return self._issues("transferred", by, self.updated_at or self.created_at, changes=changes), moved

    @property
    def html_url(self) -> str:
        """Return the URL of the issue's page."""
        kind = "pull" if self.is_pull_request else "issues"
        return f"{WEB}/{self.repository.full_name}/{kind}/{self.number}"

    def as_json(self) -> dict[str, Any]:
        """Return the issue as payloads show it now."""
        url = f"{API}/repos/{self.repository.full_name}/issues/{self.number}"
        issue_id = number_for(f"{self.repository.full_name}#{self.number}")
        issue: dict[str, Any] = {
            "url": url,
            "repository_url": f"{API}/repos/{self.repository.full_name}",
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": self.html_url,
            "id": issue_id,
            "node_id": f"I_{issue_id}",
            "number": self.number,
            "title": self.title,
            "user": self.author and self.author.as_json(),
            "labels": [self.repository.label(label) for label in self.labels],
            "state": self.state,
            "locked": False,
            "assignee": self.assignees[0].as_json() if self.assignees else None,
            "assignees": [person.as_json() for person in self.assignees],
            "milestone": None,
            "comments": self.comments,
            "created_at": time_text(self.created_at),
            "updated_at": time_text(self.updated_at or self.created_at),
            "closed_at": self.closed_at and time_text(self.closed_at),
            "author_association": "NONE",
            "active_lock_reason": None,
            "body": self.body,
            "reactions": shapes.reactions(url),
            "timeline_url": f"{url}/timeline",
            "performed_via_github_app": None,
            "state_reason": self.state_reason,
        }
        if self.is_pull_request:
            issue["draft"] = False
            issue["pull_request"] = shapes.pull_request(self.repository.full_name, self.number, self.html_url)
        return issue

    def _issues(self, action: str, by: Account | None, at: datetime, **extra: Any) -> Event:
        self.updated_at = at
        return Event(name="issues", payload=self._payload(action, by, **extra))

    def _payload(self, action: str, by: Account | None, **extra: Any) -> dict[str, Any]:
        return {
            "action": action,
            "issue": self.as_json(),
            **extra,
            "repository": self.repository.as_json(),
            "organization": self.repository.owner.as_organization(),
            "sender": (by or Account(login="ghost")).as_json(),
        }


def repository_deleted(repository: Repository, by: Account) -> Event:
    """Return the event of a repository that is deleted: it has no time and no issue."""
    payload = {"action": "deleted", "repository": repository.as_json(), "sender": by.as_json()}
    return Event(name="repository", payload=payload | {"organization": repository.owner.as_organization()})


def ping(repository: Repository, by: Account) -> Event:
    """Return the event that GitHub sends for a new hook."""
    hook = shapes.hook(repository.full_name)
    payload = {"zen": "Keep it logically awesome.", "hook_id": hook["id"], "hook": hook}
    return Event(name="ping", payload=payload | {"repository": repository.as_json(), "sender": by.as_json()})


def delivery_id(seed: str) -> str:
    """Return a GUID that is always the same for `seed`."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, seed))


def time_text(moment: datetime) -> str:
    """Return the time as GitHub writes it, in whole seconds."""
    return format_time(moment)[:19] + "Z"
