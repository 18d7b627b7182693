"""Rebuilds what an issue looked like after each event of its history, from GitHub's REST objects (pure).

GitHub gives the issue as it is now, and its past as comments and events. Titles, labels, assignees, milestone
and lock are reverted event by event from the present, so that events which GitHub has forgotten cannot make
the last snapshot wrong. State, close time and the number of comments are applied forwards from the opening.
What GitHub does not keep (old bodies, edits, deleted comments) is not rebuilt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pipeline.delivery import parse_time
from pipeline.errors import Malformed

Json = Mapping[str, Any]

# GitHub's name of an event in the history, and the action of its webhook.
ACTIONS = {
    **{name: name for name in ("closed", "reopened", "labeled", "unlabeled", "assigned", "unassigned")},
    **{name: name for name in ("milestoned", "demilestoned", "locked", "unlocked", "pinned", "unpinned")},
    "renamed": "edited",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueHistory:
    """The REST objects of one issue; the issue is as it was at `read_at` by GitHub's clock."""

    issue: Json
    comments: Sequence[Json]
    events: Sequence[Json]
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """One event of the history.

    `kind` is `opened`, `comment`, `transferred` or a key of ACTIONS; `created_at` is its time as GitHub
    writes it; `seed` is what its delivery id is derived from.
    """

    at: datetime
    created_at: str
    kind: str
    raw: Json
    seed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An event, and the fields of the issue that events change, as they were right after it."""

    event: TimelineEvent
    fields: Json


def snapshots(history: IssueHistory) -> list[Snapshot]:
    """Return every event before the reading, oldest first, each with the issue after it. Raises Malformed."""
    events, issue = timeline(history), history.issue
    fields: Json = {
        "title": issue.get("title"),
        "labels": issue.get("labels") or [],
        "assignee": None,  # follows from the assignees
        "assignees": issue.get("assignees") or [],
        "milestone": issue.get("milestone"),
        "locked": bool(issue.get("locked")),
    }
    reverted: list[Json] = []
    for event in reversed(events):
        reverted.append({**fields, "assignee": next(iter(fields["assignees"]), None)})
        fields = revert(fields, event)
    reverted.reverse()
    if events:  # labels and assignees given at the opening are events of the same second
        reverted[0] = reverted[sum(each.at <= events[0].at for each in events) - 1]
    found: list[Snapshot] = []
    state: Json = {"state": "open", "state_reason": None, "closed_at": None, "comments": 0}
    for event, fields in zip(events, reverted, strict=True):
        counted = state["comments"]  # GitHub counts a comment only in later events
        state = apply(state, event)
        found.append(Snapshot(event=event, fields={**fields, **state, "comments": counted}))
    return found


def timeline(history: IssueHistory) -> list[TimelineEvent]:
    """Return the events before the reading: the opening first, then by time, comments before events.

    Raises Malformed for a REST object without created_at or id.
    """
    issue = history.issue
    opened = _event("opened", issue, f"opened/{_id(issue)}")
    comments = [_event("comment", raw, f"comment/{_id(raw)}") for raw in history.comments]
    events = [
        _event(str(raw.get("event")), raw, f"event/{_id(raw)}")
        for raw in history.events
        if raw.get("event") in ACTIONS or raw.get("event") == "transferred"
    ]
    events = [each for each in events if each.at < history.read_at]
    events.sort(key=lambda each: (each.at, _id(each.raw)))
    events = reconcile_state(events, issue, history.read_at)
    comments.sort(key=lambda each: _id(each.raw))
    later = sorted([*comments, *events], key=lambda each: each.at)  # stable: comments stay first
    return [each for each in [opened, *later] if each.at < history.read_at]


def reconcile_state(events: list[TimelineEvent], issue: Json, read_at: datetime) -> list[TimelineEvent]:
    """Return the events, with a last close or reopening that leads to the issue's present state.

    GitHub has no events for some closes and reopenings of imported issues. The reason of a close may be on
    the issue only.
    """
    changes = [each for each in events if each.kind in {"closed", "reopened"}]
    last = changes[-1] if changes else None
    closed = issue.get("state") == "closed"
    if last is not None and closed == (last.kind == "closed"):
        reason = last.raw.get("state_reason") or issue.get("state_reason")
        raw = {**last.raw, "state_reason": reason} if closed else last.raw
        return [replace(last, raw=raw) if each is last else each for each in events]
    if last is None and not closed:
        return events
    text = (closed and issue.get("closed_at")) or issue.get("updated_at")
    at = parse_time(text)
    if at is None or at >= read_at or (last is not None and at <= last.at):
        return events  # the issue was read from a replica that lags behind its events
    raw = {"state_reason": issue.get("state_reason"), "actor": issue.get("closed_by") if closed else None}
    seed = f"closed/{_id(issue)}/{text}" if last is None or closed else f"reopened/{_id(last.raw)}"
    kind = "closed" if closed else "reopened"
    missing = TimelineEvent(at=at, created_at=str(text), kind=kind, raw=raw, seed=seed)
    return sorted([*events, missing], key=lambda each: each.at)


def apply(state: Json, event: TimelineEvent) -> Json:
    """Return the state after the event; as in GitHub's webhooks, a reopened issue keeps closed_at."""
    match event.kind:
        case "comment":
            return {**state, "comments": state["comments"] + 1}
        case "closed":
            reason = event.raw.get("state_reason")
            return {**state, "state": "closed", "state_reason": reason, "closed_at": event.created_at}
        case "reopened":
            return {**state, "state": "open", "state_reason": "reopened"}
    return state


def revert(fields: Json, event: TimelineEvent) -> Json:
    """Return the other fields before the event."""
    raw = event.raw
    change: dict[str, Any] = {}
    match event.kind:
        case "labeled" | "unlabeled":
            had = event.kind == "unlabeled"
            change["labels"] = _before(fields["labels"], raw.get("label"), "name", had=had)
        case "assigned" | "unassigned":
            had = event.kind == "unassigned"
            change["assignees"] = _before(fields["assignees"], raw.get("assignee"), "login", had=had)
        case "milestoned":
            change["milestone"] = None
        case "demilestoned":
            change["milestone"] = raw.get("milestone")
        case "renamed":
            change["title"] = (raw.get("rename") or {}).get("from", fields["title"])
        case "locked" | "unlocked":
            change["locked"] = event.kind == "unlocked"
    return {**fields, **change}


def _event(kind: str, raw: Json, seed: str) -> TimelineEvent:
    text = raw.get("created_at")
    at = parse_time(text)
    if at is None:
        raise Malformed("history_malformed", f"GitHub's {kind} {_id(raw)} has no created_at.")
    return TimelineEvent(at=at, created_at=str(text), kind=kind, raw=raw, seed=seed)


def _id(raw: Json) -> int:
    number = raw.get("id")
    if not isinstance(number, int):
        raise Malformed("history_malformed", "One of GitHub's objects has no id.")
    return number


def _before(entries: Sequence[Json], entry: Json | None, key: str, *, had: bool) -> list[Json]:
    """Return the entries before one of them was added or, if they had it, removed."""
    if entry is None:
        return [*entries]
    others = [each for each in entries if each.get(key) != entry.get(key)]
    return [*others, entry] if had else others
