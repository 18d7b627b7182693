"""What one delivery says about an issue, typed; everything else in the payload is left unread.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads (issues, issue_comment). GitHub adds
fields and actions at any time, so a field that is missing or of another type is None and not an error.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.delivery import Delivery, Source, parse_time
from pipeline.errors import Malformed

Json = Mapping[str, Any]

_INT64 = range(-(2**63), 2**63)
_WITHOUT_TIME = {("issues", "deleted"), ("issues", "transferred"), ("issue_comment", "deleted")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue as the delivery shows it; author is None for a deleted account.

    `via_app` is the slug of the GitHub App through which the author's account wrote it.
    """

    id: int | None
    number: int | None
    title: str | None
    body: str | None
    url: str | None
    state: str | None
    state_reason: str | None
    author: str | None
    author_type: str | None
    author_association: str | None
    milestone: str | None
    type: str | None
    status: str | None
    status_category: str | None
    via_app: str | None
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    comments: int | None
    created_at: datetime | None
    updated_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as the delivery shows it."""

    id: int | None
    author: str | None
    author_type: str | None
    author_association: str | None
    body: str | None
    via_app: str | None
    created_at: datetime | None
    updated_at: datetime | None
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRef:
    """The issue that a transfer created, or the one it came from."""

    repository: str | None
    number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueEvent:
    """One delivery. `issue` is None for an event without an issue (push, star, ...).

    `payload_bytes` is the size of the JSON text as received.
    """

    delivery_id: str
    event: str
    action: str | None
    event_at: datetime
    received_at: datetime
    source: Source
    hook_id: int | None
    repository_id: int | None
    repository: str | None
    organization: str | None
    sender: str | None
    sender_type: str | None
    issue: Issue | None
    is_pull_request: bool | None
    label: str | None
    assignee: str | None
    comment: Comment | None
    transferred_to: IssueRef | None
    transferred_from: IssueRef | None
    payload: Json
    payload_bytes: int

    @classmethod
    def from_delivery(cls, delivery: Delivery) -> "IssueEvent":
        """Read the delivery's body. Raises Malformed if it is not a JSON object."""
        payload = parse_payload(delivery.body)
        action = _text(payload, "action")
        raw_issue = _object(payload, "issue")
        issue = _issue(raw_issue) if raw_issue else None
        comment = _comment(_object(payload, "comment")) if issue and "comment" in payload else None
        repository = _object(payload, "repository")
        sender = _object(payload, "sender")
        changes = _object(payload, "changes")
        return cls(
            delivery_id=delivery.delivery_id,
            event=delivery.event,
            action=action,
            event_at=_event_at(delivery, action, issue, comment) or delivery.received_at,
            received_at=delivery.received_at,
            source=delivery.source,
            hook_id=delivery.hook_id,
            repository_id=_integer(repository, "id"),
            repository=_text(repository, "full_name"),
            organization=_text(_object(payload, "organization"), "login"),
            sender=_text(sender, "login"),
            sender_type=_text(sender, "type"),
            issue=issue,
            is_pull_request=isinstance(raw_issue.get("pull_request"), dict) if issue else None,
            label=_text(_object(payload, "label"), "name") if action in {"labeled", "unlabeled"} else None,
            assignee=_text(_object(payload, "assignee"), "login")
            if action in {"assigned", "unassigned"}
            else None,
            comment=comment,
            transferred_to=_reference(changes, "new_repository", "new_issue"),
            transferred_from=_reference(changes, "old_repository", "old_issue"),
            payload=payload,
            payload_bytes=len(delivery.body),
        )


def parse_payload(body: bytes, *, strict: bool = False) -> dict[str, Any]:
    """Return the JSON object in `body` (UTF-8). Raises Malformed if it is not one.

    Three failures are not JSONDecodeError: bad UTF-8, nesting beyond the interpreter's limit, and an integer
    of over 4,300 digits. `strict` refuses NaN and Infinity, which Python accepts and JSON does not have.
    """
    try:
        payload = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant if strict else None)
    except (ValueError, RecursionError) as error:
        raise Malformed("body_not_json", "The body is not JSON.") from error
    if not isinstance(payload, dict):
        raise Malformed("body_not_object", "The body is not a JSON object.")
    return payload


def issue_number(payload: Json) -> int | None:
    """Return the number of the payload's issue, for the log, or None if there is none."""
    return _integer(_object(payload, "issue"), "number")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _event_at(
    delivery: Delivery, action: str | None, issue: Issue | None, comment: Comment | None
) -> datetime | None:
    """Return when it happened at GitHub, or None if the delivery does not say.

    GitHub changes no time of an issue that it deletes or transfers, nor of a deleted comment: such an event
    happened when it was received. A backfill receives nothing, and dates an issue's updated_at accordingly.
    """
    if issue is None:
        return None
    kind = (delivery.event, action)
    if kind in _WITHOUT_TIME:
        return issue.updated_at if delivery.source == "backfill" else None
    moments: dict[tuple[str, str | None], datetime | None] = {
        ("issues", "opened"): issue.created_at,
        ("issues", "closed"): issue.closed_at,
    }
    if comment is not None:
        moments["issue_comment", "created"] = comment.created_at
        moments["issue_comment", "edited"] = comment.updated_at
    return moments.get(kind) or issue.updated_at


def _issue(raw: Json) -> Issue:
    author = _object(raw, "user")
    status = _object(raw, "status")  # in preview at GitHub
    return Issue(
        id=_integer(raw, "id"),
        number=_integer(raw, "number"),
        title=_text(raw, "title"),
        body=_text(raw, "body"),
        url=_text(raw, "html_url"),
        state=_text(raw, "state"),
        state_reason=_text(raw, "state_reason"),
        author=_text(author, "login"),
        author_type=_text(author, "type"),
        author_association=_text(raw, "author_association"),
        milestone=_text(_object(raw, "milestone"), "title"),
        type=_text(_object(raw, "type"), "name"),
        status=_text(status, "name"),
        status_category=_text(status, "category"),
        via_app=_via_app(raw),
        labels=_names(raw, "labels", "name"),
        assignees=_names(raw, "assignees", "login"),
        comments=_integer(raw, "comments"),
        created_at=parse_time(raw.get("created_at")),
        updated_at=parse_time(raw.get("updated_at")),
        closed_at=parse_time(raw.get("closed_at")),
    )


def _comment(raw: Json) -> Comment:
    author = _object(raw, "user")
    return Comment(
        id=_integer(raw, "id"),
        author=_text(author, "login"),
        author_type=_text(author, "type"),
        author_association=_text(raw, "author_association"),
        body=_text(raw, "body"),
        via_app=_via_app(raw),
        created_at=parse_time(raw.get("created_at")),
        updated_at=parse_time(raw.get("updated_at")),
        url=_text(raw, "html_url"),
    )


def _via_app(raw: Json) -> str | None:
    return _text(_object(raw, "performed_via_github_app"), "slug")


def _reference(changes: Json, repository: str, issue: str) -> IssueRef | None:
    name = _text(_object(changes, repository), "full_name")
    number = _integer(_object(changes, issue), "number")
    return None if name is None and number is None else IssueRef(repository=name, number=number)


def _object(raw: Json, name: str) -> Json:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _text(raw: Json, name: str) -> str | None:
    value = raw.get(name)
    return value if isinstance(value, str) else None


def _integer(raw: Json, name: str) -> int | None:
    value = raw.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value in _INT64 else None


def _names(raw: Json, name: str, key: str) -> tuple[str, ...]:
    values = raw.get(name)
    entries = values if isinstance(values, list) else []
    names = (_text(entry, key) for entry in entries if isinstance(entry, dict))
    return tuple(name for name in names if name is not None)
