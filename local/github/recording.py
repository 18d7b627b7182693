"""What GitHub stores of an event: the issue, and the entries of its history (pure)."""

from collections.abc import Iterator
from typing import Any

from ops.send.known_issue import issue_name
from ops.send.payloads import Event

type Json = dict[str, Any]

_OF_ISSUE: dict[str, type] = {
    **dict.fromkeys(("id", "number", "comments"), int),
    **dict.fromkeys(("url", "title", "state", "created_at", "updated_at"), str),
    **dict.fromkeys(("labels", "assignees"), list),
}
_OF_COMMENT: dict[str, type] = {
    "id": int,
    **dict.fromkeys(("issue_url", "created_at", "updated_at"), str),
}
_COUNTED = {"created": 1, "deleted": -1}


def missing(event: Event) -> list[str]:
    """Return what a payload about an issue lacks, or has in another type, to be stored as GitHub does."""
    payload, action = event.payload, event.payload.get("action")
    lacks = [] if isinstance(action, str) else ["action"]
    lacks += [name for name in ("repository", "sender") if not isinstance(payload.get(name), dict)]
    parts = {"issue": _OF_ISSUE, **({"comment": _OF_COMMENT} if event.name == "issue_comment" else {})}
    for part, types in parts.items():
        has = payload.get(part)
        fields = has if isinstance(has, dict) else {}
        lacks += [f"{part}.{name}" for name, kind in types.items() if not isinstance(fields.get(name), kind)]
    named = {"labels": "name", "assignees": "login"}
    for field, name in named.items() if not lacks else ():
        if not all(isinstance(each, dict) and name in each for each in payload["issue"][field]):
            lacks.append(f"issue.{field} with a {name} each")
    of_action = {"labeled": "label", "unlabeled": "label", "assigned": "assignee", "unassigned": "assignee"}
    if (part := of_action.get(str(action))) and not isinstance(payload.get(part), dict):
        lacks.append(part)
    return lacks


def stored_issue(event: Event) -> Json:
    """Return the issue after the event; a webhook shows an old `closed_at`, and counts no new comment."""
    issue = event.payload["issue"]
    closed_at = issue.get("closed_at") if issue["state"] == "closed" else None
    comments = issue["comments"]
    if event.name == "issue_comment":
        comments = max(comments + _COUNTED.get(event.payload["action"], 0), 0)
    return {"state_reason": None, **issue, "closed_at": closed_at, "comments": comments}


def new_path(payload: Json) -> str | None:
    """Return the path in the API where an issue is after its transfer, None if it was deleted."""
    changes = payload.get("changes") or {}
    moved = {"repository": changes.get("new_repository"), "issue": changes.get("new_issue")}
    if payload["action"] == "deleted" or issue_name(moved) is None:
        return None
    return f"/repositories/{changes['new_repository']['id']}/issues/{changes['new_issue']['number']}"


def issue_events(event: Event) -> Iterator[tuple[str, Json | None, Json]]:
    """Yield the entries of the history that an event makes: kind, actor and further fields."""
    payload = event.payload
    action, by = payload["action"], payload["sender"]
    match event.name, action:
        case "issue_comment", "deleted":
            yield "comment_deleted", by, {}
        case "issues", "opened":
            yield "subscribed", by, {}
            if "changes" in payload:
                yield "transferred", by, {}
                return
            for label in payload["issue"]["labels"]:
                yield "labeled", by, {"label": _short(label)}
        case "issues", "labeled" | "unlabeled":
            yield action, by, {"label": _short(payload["label"])}
        case "issues", "assigned" | "unassigned":  # GitHub names the assignee as the actor
            whom = payload["assignee"]
            yield action, whom, {"assignee": whom, "assigner": by}
        case "issues", "edited":
            if before := (payload.get("changes") or {}).get("title"):
                yield "renamed", by, {"rename": {**before, "to": payload["issue"]["title"]}}
        case "issues", "closed":
            yield action, by, {"state_reason": payload["issue"].get("state_reason"), "commit_id": None}
        case "issues", _:
            yield action, by, {}


def _short(label: Json) -> Json:
    """Return a label as the events of an issue show it."""
    return {"name": label.get("name"), "color": label.get("color")}
