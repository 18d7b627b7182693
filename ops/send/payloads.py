"""GitHub's side: issues that live, and the deliveries that GitHub would send about them.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads (issues, issue_comment, ping). All names
are made up; ids are derived from names, so that a story reads the same every time.
"""

import uuid
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pipeline.delivery import format_time

API = "https://api.github.com"
WEB = "https://github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as GitHub would deliver it; the payload is JSON as a dict."""

    name: str
    payload: dict[str, Any]

    @property
    def title(self) -> str:
        """Return what people call it: issues.opened."""
        action = self.payload.get("action")
        return f"{self.name}.{action}" if action else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account; type is User, Bot or Organization."""

    login: str
    type: str = "User"

    def as_json(self) -> dict[str, Any]:
        """Return the account as payloads show it."""
        return {
            "login": self.login,
            "id": number_for(self.login),
            "node_id": f"U_{number_for(self.login)}",
            "avatar_url": f"https://avatars.githubusercontent.com/u/{number_for(self.login)}?v=4",
            "gravatar_id": "",
            "url": f"{API}/users/{self.login}",
            "html_url": f"{WEB}/{self.login}",
            "type": self.type,
            "user_view_type": "public",
            "site_admin": False,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository of an organisation."""

    full_name: str
    private: bool = False

    @property
    def id(self) -> int:
        """Return the id, which a rename would keep."""
        return number_for(self.full_name)

    @property
    def owner(self) -> Person:
        """Return the organisation."""
        return Person(login=self.full_name.split("/")[0], type="Organization")

    def as_json(self) -> dict[str, Any]:
        """Return the repository as payloads show it."""
        return {
            "id": self.id,
            "node_id": f"R_{self.id}",
            "name": self.full_name.split("/")[1],
            "full_name": self.full_name,
            "private": self.private,
            "owner": self.owner.as_json(),
            "html_url": f"{WEB}/{self.full_name}",
            "description": None,
            "fork": False,
            "url": f"{API}/repos/{self.full_name}",
            "issues_url": f"{API}/repos/{self.full_name}/issues{{/number}}",
            "created_at": "2024-02-01T09:00:00Z",
            "updated_at": "2026-01-10T09:00:00Z",
            "pushed_at": "2026-01-10T09:00:00Z",
            "language": "Python",
            "has_issues": True,
            "open_issues_count": 12,
            "topics": [],
            "archived": False,
            "visibility": "private" if self.private else "public",
            "default_branch": "main",
        }


@dataclass(slots=True, kw_only=True)
class Issue:
    """An issue that changes; each method is something that happens and returns its event."""

    repository: Repository
    number: int
    title: str
    author: Person | None
    created_at: datetime
    body: str | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[Person] = field(default_factory=list)
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

    def labeled(self, by: Person, at: datetime, label: str) -> Event:
        """Put a label on."""
        self.labels.append(label)
        return self._issues("labeled", by, at, label=_label(self.repository, label))

    def unlabeled(self, by: Person, at: datetime, label: str) -> Event:
        """Take a label off."""
        self.labels.remove(label)
        return self._issues("unlabeled", by, at, label=_label(self.repository, label))

    def assigned(self, by: Person, at: datetime, to: Person) -> Event:
        """Give it to somebody."""
        self.assignees.append(to)
        return self._issues("assigned", by, at, assignee=to.as_json())

    def closed(self, by: Person, at: datetime, reason: str = "completed") -> Event:
        """Close it."""
        self.state, self.state_reason, self.closed_at = "closed", reason, at
        return self._issues("closed", by, at)

    def reopened(self, by: Person, at: datetime) -> Event:
        """Open it again; like GitHub, closed_at is left as it was."""
        self.state, self.state_reason = "open", "reopened"
        return self._issues("reopened", by, at)

    def edited(self, by: Person, at: datetime, title: str) -> Event:
        """Give it another title."""
        changes = {"title": {"from": self.title}}
        self.title = title
        return self._issues("edited", by, at, changes=changes)

    def deleted(self, by: Person, at: datetime) -> Event:
        """Delete it; like GitHub, updated_at is left as it was."""
        return self._issues("deleted", by, self.updated_at or at)

    def commented(self, by: Person | None, at: datetime, text: str) -> Event:
        """Comment on it, or on the pull request that it is."""
        self.comments += 1
        self.updated_at = at
        comment_id = number_for(f"{self.repository.full_name}#{self.number}/{self.comments}")
        url = f"{API}/repos/{self.repository.full_name}/issues/comments/{comment_id}"
        comment = {
            "id": comment_id,
            "node_id": f"IC_{comment_id}",
            "url": url,
            "html_url": f"{self.html_url}#issuecomment-{comment_id}",
            "issue_url": f"{API}/repos/{self.repository.full_name}/issues/{self.number}",
            "user": by and by.as_json(),
            "created_at": time_text(at),
            "updated_at": time_text(at),
            "author_association": "NONE" if by == self.author else "MEMBER",
            "body": text,
            "reactions": _reactions(url),
            "performed_via_github_app": None,
        }
        return Event(name="issue_comment", payload=self._payload("created", by, comment=comment))

    def transferred(self, by: Person, at: datetime, to: Repository, number: int) -> tuple[Event, "Issue"]:
        """Move it; returns the event here and the issue there (deliver its `opened` with changes)."""
        there = Issue(
            repository=to,
            number=number,
            title=self.title,
            author=self.author,
            created_at=self.created_at,
            body=self.body,
            comments=self.comments,
            updated_at=at,
        )
        changes = {"new_issue": there.as_json(), "new_repository": to.as_json()}
        return self._issues("transferred", by, at, changes=changes), there

    @property
    def html_url(self) -> str:
        """Return the page of the issue."""
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
            "labels": [_label(self.repository, label) for label in self.labels],
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
            "reactions": _reactions(url),
            "timeline_url": f"{url}/timeline",
            "performed_via_github_app": None,
            "state_reason": self.state_reason,
        }
        if self.is_pull_request:
            pull = f"{API}/repos/{self.repository.full_name}/pulls/{self.number}"
            issue["draft"] = False
            issue["pull_request"] = {
                "url": pull,
                "html_url": self.html_url,
                "diff_url": f"{self.html_url}.diff",
                "patch_url": f"{self.html_url}.patch",
                "merged_at": None,
            }
        return issue

    def _issues(self, action: str, by: Person | None, at: datetime, **extra: Any) -> Event:
        self.updated_at = at
        return Event(name="issues", payload=self._payload(action, by, **extra))

    def _payload(self, action: str, by: Person | None, **extra: Any) -> dict[str, Any]:
        return {
            "action": action,
            "issue": self.as_json(),
            **extra,
            "repository": self.repository.as_json(),
            "organization": _organization(self.repository.owner.login),
            "sender": (by or Person(login="ghost")).as_json(),
        }


def ping(repository: Repository, by: Person) -> Event:
    """Return what GitHub sends when a hook is made."""
    hook = {
        "type": "Repository",
        "id": number_for("hook"),
        "name": "web",
        "active": True,
        "events": ["issues", "issue_comment"],
        "config": {
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": "********",
            "url": "https://ingest.example.com/",
        },
        "url": f"{API}/repos/{repository.full_name}/hooks/{number_for('hook')}",
    }
    payload = {"zen": "Keep it logically awesome.", "hook_id": hook["id"], "hook": hook}
    return Event(name="ping", payload=payload | {"repository": repository.as_json(), "sender": by.as_json()})


def delivery_id(seed: str) -> str:
    """Return a GUID that is always the same for `seed`."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, seed))


def number_for(name: str) -> int:
    """Return an id that is always the same for `name`."""
    return zlib.crc32(name.encode())


def time_text(moment: datetime) -> str:
    """Return the time as GitHub writes it, in whole seconds."""
    return format_time(moment)[:19] + "Z"


def _label(repository: Repository, name: str) -> dict[str, Any]:
    return {
        "id": number_for(name),
        "node_id": f"LA_{number_for(name)}",
        "url": f"{API}/repos/{repository.full_name}/labels/{quote(name)}",
        "name": name,
        "color": "d73a4a",
        "default": False,
        "description": None,
    }


def _organization(login: str) -> dict[str, Any]:
    return {
        "login": login,
        "id": number_for(login),
        "node_id": f"O_{number_for(login)}",
        "url": f"{API}/orgs/{login}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number_for(login)}?v=4",
        "description": "",
    }


def _reactions(url: str) -> dict[str, Any]:
    kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(kinds, 0)}
