"""An issue as the deliveries so far have left it, and the next event of it (pure)."""

import json
from dataclasses import dataclass, fields
from datetime import MAXYEAR, datetime, timedelta
from typing import Any

from ops.send import payloads
from ops.send.accounts import Account, Repository
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from pipeline.repository_name import is_repository_name

type Json = dict[str, Any]

_GONE = ("deleted", "transferred")
NUMBERS = range(1, 2**63)
_COUNTED = {"created": 1, "deleted": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIssue:
    """GitHub's JSON of an issue and its repository, as the next delivery shows them.

    `organization` is None if the deliveries have none; `comments` are all that were sent, in their order.
    """

    repository: Json
    organization: Json | None
    issue: Json
    comments: tuple[Json, ...] = ()

    def to_json(self) -> str:
        """Return the JSON text that from_json reads."""
        return json.dumps({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def from_json(cls, text: str) -> "KnownIssue":
        """Read what to_json wrote. Raises ValueError if it is something else."""
        try:
            values = json.loads(text)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        match values:
            case {
                "repository": dict(repository),
                "organization": dict() | None as organization,
                "issue": dict(issue),
                "comments": list(comments),
            } if issue_name(values) is not None and all(isinstance(one, dict) for one in comments):
                return cls(
                    repository=repository, organization=organization, issue=issue, comments=tuple(comments)
                )
            case _:
                raise ValueError("not an issue that was sent")

    def restored(self, now: datetime) -> payloads.Issue:
        """Return the issue to build the next event with; `now` stands for a missing time."""
        body = json.dumps({"issue": self.issue, "repository": self.repository}).encode()
        event = IssueEvent.from_delivery(
            Delivery(delivery_id="known", event="issues", body=body, received_at=now)
        )
        assert event.issue is not None
        assert event.issue.number is not None
        seen, number = event.issue, event.issue.number
        return payloads.Issue(
            repository=Repository(
                full_name=self.repository["full_name"], private=self.repository.get("private") is True
            ),
            number=number,
            title=seen.title or "",
            author=Account(login=seen.author, type=seen.author_type or "User") if seen.author else None,
            created_at=seen.created_at or now,
            body=seen.body,
            labels=list(seen.labels),
            assignees=[Account.named(login) for login in seen.assignees],
            is_pull_request=event.is_pull_request is True,
            state=seen.state or "open",
            state_reason=seen.state_reason,
            comments=seen.comments or 0,
            updated_at=seen.updated_at,
            closed_at=seen.closed_at,
        )

    def next_time(self, now: datetime) -> datetime:
        """Return when the next event happens: `now`, but later than the issue's last change."""
        last = self.restored(now).updated_at
        return now if last is None or last.year == MAXYEAR else max(now, last + timedelta(seconds=1))

    def merged(self, before: Json, event: payloads.Event) -> payloads.Event:
        """Return the event with everything that it does not change as it is known.

        `before` is what the restored issue showed before the event.
        """
        after: Json = event.payload["issue"]
        changed = {name: value for name, value in after.items() if value != before.get(name)}
        if "labels" in changed:
            changed["labels"] = _as_known(changed["labels"], self.issue.get("labels"), "name")
        if "assignees" in changed:
            changed["assignees"] = _as_known(changed["assignees"], self.issue.get("assignees"), "login")
            changed["assignee"] = next(iter(changed["assignees"]), None)
        parts = {"issue": {**self.issue, **changed}, "repository": self.repository}
        rest = {name: value for name, value in event.payload.items() if name != "organization"}
        organization = {"organization": self.organization} if self.organization is not None else {}
        return payloads.Event(name=event.name, payload={**rest, **parts, **organization})


def issue_name(payload: Json) -> tuple[str, int] | None:
    """Return repository and number of the issue that a payload is about, None if it is about none."""
    repository, issue = payload.get("repository"), payload.get("issue")
    if not isinstance(repository, dict) or not isinstance(issue, dict):
        return None
    name, number = repository.get("full_name"), issue.get("number")
    if not isinstance(name, str) or not is_repository_name(name):
        return None
    return (name, number) if isinstance(number, int) and number is not True and number in NUMBERS else None


def after(known: KnownIssue | None, event: str, payload: Json) -> KnownIssue | None:
    """Return what a delivery leaves of the issue that it is about; None if the issue is gone.

    GitHub counts a comment only in later deliveries, so it is counted here.
    """
    action, comment = payload.get("action"), payload.get("comment")
    if event == "issues" and action in _GONE:
        return None
    issue, comments = dict(payload["issue"]), known.comments if known else ()
    if event == "issue_comment" and isinstance(comment, dict):
        comments = tuple(one for one in comments if one.get("id") != comment.get("id"))
        comments += () if action == "deleted" else (comment,)
        count = issue.get("comments")
        change = _COUNTED.get(str(action), 0)
        issue["comments"] = max((count if isinstance(count, int) else 0) + change, 0)
    organization = payload.get("organization")
    return KnownIssue(
        repository=payload["repository"],
        organization=organization if isinstance(organization, dict) else None,
        issue=issue,
        comments=comments,
    )


def _as_known(entries: list[Json], known: object, key: str) -> list[Json]:
    """Return the entries, each as it is known if it is."""
    listed = known if isinstance(known, list) else []
    by_name = {one.get(key): one for one in listed if isinstance(one, dict)}
    return [by_name.get(entry[key], entry) for entry in entries]
