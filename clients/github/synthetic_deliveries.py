"""Builds the deliveries that an issue's webhook would have sent, from its history in the REST API (pure).

Pull requests and their comments are not issues and are left out. Deleted issues, and what happened in another
repository before a transfer, are not in the REST API.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from clients.github.issue_history import ACTIONS, IssueHistory, Snapshot, snapshots
from pipeline.delivery import Delivery

Json = Mapping[str, Any]

REPOSITORY_FIELDS = (
    *("id", "node_id", "name", "full_name", "private", "owner", "html_url", "description", "fork", "url"),
    *("created_at", "updated_at", "pushed_at", "language", "topics", "archived", "disabled", "visibility"),
    "default_branch",
)
UNKNOWN = "unknown"  # the repository that an issue was transferred from: the REST API does not name it

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "issuewire:backfill")
_GHOST = {"login": "ghost", "id": 10137, "type": "User", "site_admin": False}
_NOT_IN_WEBHOOKS = {"closed_by", "repository", "score"}
_ORGANIZATION_FIELDS = ("login", "id", "node_id", "url", "avatar_url")


def deliveries(
    repository: Json, history: IssueHistory, received_at: datetime, until: datetime | None = None
) -> Iterator[Delivery]:
    """Yield the deliveries of one issue, oldest first, without those at or after `until`.

    The same history gives the same delivery ids. received_at grows by a microsecond with each delivery, so
    that events of the same second keep their order. Events in or after the second of the reading are left to
    the webhook. Raises Malformed for a REST object without the time or id that it must have.
    """
    found = snapshots(history)
    arrival = max((i for i, each in enumerate(found) if each.event.kind == "transferred"), default=0)
    for number, snapshot in enumerate(found):
        event = snapshot.event
        if number < arrival:
            # Before its transfer the issue was elsewhere: it arrives with its comments, as it was then.
            if event.kind not in {"opened", "comment"}:
                continue
            snapshot = replace(found[arrival], event=event)  # noqa: PLW2901 - as this repository sees it
        elif event.kind == "transferred":
            continue
        visible = max(event, found[arrival].event, key=lambda each: each.at)
        if until is None or visible.at < until:
            payload = _payload(
                repository, history.issue, snapshot, visible.created_at, transferred=arrival > 0
            )
            yield Delivery(
                delivery_id=str(uuid.uuid5(_NAMESPACE, f"{repository['id']}/{event.seed}")),
                event="issue_comment" if event.kind == "comment" else "issues",
                action=payload["action"],
                repository=repository["full_name"],
                body=json.dumps(payload, separators=(",", ":")).encode(),
                received_at=received_at + timedelta(microseconds=number),
                source="backfill",
            )


def _payload(
    repository: Json, issue: Json, snapshot: Snapshot, updated_at: str, *, transferred: bool
) -> dict[str, Any]:
    """Return the webhook's payload; `transferred` is true for an issue that came from elsewhere."""
    kind, raw = snapshot.event.kind, snapshot.event.raw
    payload: dict[str, Any] = {
        "action": {"opened": "opened", "comment": "created"}.get(kind) or ACTIONS[kind],
        "issue": {name: value for name, value in issue.items() if name not in _NOT_IN_WEBHOOKS}
        | {**snapshot.fields, "updated_at": updated_at},
    }
    match kind:
        case "opened" if transferred:
            payload["changes"] = {"old_issue": {}, "old_repository": {"full_name": UNKNOWN}}
        case "comment":
            payload["comment"] = {**raw, "updated_at": raw["created_at"]}
        case "labeled" | "unlabeled":
            payload["label"] = raw.get("label")
        case "assigned" | "unassigned":
            payload["assignee"] = raw.get("assignee")
        case "milestoned" | "demilestoned":
            payload["milestone"] = raw.get("milestone")
        case "renamed":
            payload["changes"] = {"title": {"from": (raw.get("rename") or {}).get("from")}}
    # In the history, the actor of an assignment is the assignee.
    return payload | envelope(repository, raw.get("assigner") or raw.get("actor") or raw.get("user"))


def envelope(repository: Json, sender: Json | None) -> dict[str, Any]:
    """Return what every payload has beside its event: repository, organization and sender."""
    owner = repository.get("owner") or {}
    found = {"repository": {name: repository[name] for name in REPOSITORY_FIELDS if name in repository}}
    if owner.get("type") == "Organization":
        found["organization"] = {name: owner[name] for name in _ORGANIZATION_FIELDS if name in owner}
    return {**found, "sender": sender or _GHOST}
