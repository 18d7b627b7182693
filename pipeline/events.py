"""What one delivery says about an issue, typed; everything else in the payload is left unread.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads (issues, issue_comment). GitHub adds
fields and actions at any time, so a field that is missing or of another type is None and not an error.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline import json_fields
from pipeline.delivery import Delivery, Source, parse_time
from pipeline.errors import Malformed
from pipeline.json_fields import Json

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
        action = json_fields.text(payload, "action")
        raw_issue = json_fields.mapping(payload, "issue")
        issue = read_issue(raw_issue) if raw_issue else None
        comment = (
            read_comment(json_fields.mapping(payload, "comment")) if issue and "comment" in payload else None
        )
        repository = json_fields.mapping(payload, "repository")
        sender = json_fields.mapping(payload, "sender")
        changes = json_fields.mapping(payload, "changes")
        return cls(
            delivery_id=delivery.delivery_id,
            event=delivery.event,
            action=action,
            event_at=_event_at(delivery, action, issue, comment) or delivery.received_at,
            received_at=delivery.received_at,
            source=delivery.source,
            hook_id=delivery.hook_id,
            repository_id=json_fields.integer(repository, "id"),
            repository=json_fields.text(repository, "full_name"),
            organization=json_fields.text(json_fields.mapping(payload, "organization"), "login"),
            sender=json_fields.text(sender, "login"),
            sender_type=json_fields.text(sender, "type"),
            issue=issue,
            is_pull_request=isinstance(raw_issue.get("pull_request"), dict) if issue else None,
            label=json_fields.text(json_fields.mapping(payload, "label"), "name")
            if action in {"labeled", "unlabeled"}
            else None,
            assignee=json_fields.text(json_fields.mapping(payload, "assignee"), "login")
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
    return json_fields.integer(json_fields.mapping(payload, "issue"), "number")


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


def read_issue(raw: Json) -> Issue:
    """Return an issue as webhooks and GitHub's REST API show it."""
    author = json_fields.mapping(raw, "user")
    status = json_fields.mapping(raw, "status")  # in preview at GitHub
    return Issue(
        id=json_fields.integer(raw, "id"),
        number=json_fields.integer(raw, "number"),
        title=json_fields.text(raw, "title"),
        body=json_fields.text(raw, "body"),
        url=json_fields.text(raw, "html_url"),
        state=json_fields.text(raw, "state"),
        state_reason=json_fields.text(raw, "state_reason"),
        author=json_fields.text(author, "login"),
        author_type=json_fields.text(author, "type"),
        author_association=json_fields.text(raw, "author_association"),
        milestone=json_fields.text(json_fields.mapping(raw, "milestone"), "title"),
        type=json_fields.text(json_fields.mapping(raw, "type"), "name"),
        status=json_fields.text(status, "name"),
        status_category=json_fields.text(status, "category"),
        via_app=_via_app(raw),
        labels=json_fields.names(raw, "labels", "name"),
        assignees=json_fields.names(raw, "assignees", "login"),
        comments=json_fields.integer(raw, "comments"),
        created_at=parse_time(raw.get("created_at")),
        updated_at=parse_time(raw.get("updated_at")),
        closed_at=parse_time(raw.get("closed_at")),
    )


def read_comment(raw: Json) -> Comment:
    """Return a comment as webhooks and GitHub's REST API show it."""
    author = json_fields.mapping(raw, "user")
    return Comment(
        id=json_fields.integer(raw, "id"),
        author=json_fields.text(author, "login"),
        author_type=json_fields.text(author, "type"),
        author_association=json_fields.text(raw, "author_association"),
        body=json_fields.text(raw, "body"),
        via_app=_via_app(raw),
        created_at=parse_time(raw.get("created_at")),
        updated_at=parse_time(raw.get("updated_at")),
        url=json_fields.text(raw, "html_url"),
    )


def _via_app(raw: Json) -> str | None:
    return json_fields.text(json_fields.mapping(raw, "performed_via_github_app"), "slug")


def _reference(changes: Json, repository: str, issue: str) -> IssueRef | None:
    name = json_fields.text(json_fields.mapping(changes, repository), "full_name")
    number = json_fields.integer(json_fields.mapping(changes, issue), "number")
    return None if name is None and number is None else IssueRef(repository=name, number=number)
