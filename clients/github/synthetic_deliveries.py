"""From what GitHub's REST API knows of an issue to the deliveries that its webhook would have sent: pure.

The present is known exactly, the past by its events. So titles, labels, assignees, milestone and lock are
replayed backwards from the present (what GitHub has forgotten can then not make the last snapshot wrong), the
state forwards from open. What GitHub does not keep (old bodies, edited and deleted comments, deleted issues
and those that left by a transfer) cannot be told. Pull requests, and the comments on them, are no issues and
are left out.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pipeline.delivery import Delivery, parse_time
from pipeline.errors import Malformed

Json = Mapping[str, Any]

# GitHub's name of an event in the history, and the action of its webhook.
ACTIONS = {
    **{name: name for name in ("closed", "reopened", "labeled", "unlabeled", "assigned", "unassigned")},
    **{name: name for name in ("milestoned", "demilestoned", "locked", "unlocked", "pinned", "unpinned")},
    "renamed": "edited",
}
REPOSITORY_FIELDS = (
    *("id", "node_id", "name", "full_name", "private", "owner", "html_url", "description", "fork", "url"),
    *("created_at", "updated_at", "pushed_at", "language", "topics", "archived", "disabled", "visibility"),
    "default_branch",
)
UNKNOWN = "unknown"  # the repository that an issue came from, which the REST API does not tell

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "issuewire:backfill")
_GHOST = {"login": "ghost", "id": 10137, "type": "User", "site_admin": False}
_NOT_IN_WEBHOOKS = {"closed_by", "repository", "score"}
_ORGANIZATION_FIELDS = ("login", "id", "node_id", "url", "avatar_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """All of an issue: REST objects, the issue as it was at `read_at` by GitHub's clock."""

    issue: Json
    comments: Sequence[Json]
    events: Sequence[Json]
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Happening:
    """Something that happened; `text` is its time as GitHub writes it, `seed` what its delivery id is of."""

    at: datetime
    text: str
    kind: str
    raw: Json
    seed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What a snapshot shows and the history lets us undo."""

    title: Any
    labels: tuple[Json, ...]
    assignees: tuple[Json, ...]
    milestone: Json | None
    locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What is replayed forwards; like in GitHub's webhooks, a reopened issue keeps its last closed_at."""

    state: str = "open"
    reason: str | None = None
    closed_at: str | None = None
    comments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """What happened, and the issue right after it."""

    happening: _Happening
    facts: _Facts
    state: _State


def deliveries(
    repository: Json, past: Past, received_at: datetime, until: datetime | None = None
) -> Iterator[Delivery]:
    """Yield the deliveries of one issue, oldest first, without those at or after `until`.

    The same history gives the same delivery ids. received_at grows by a microsecond each, so that what
    happened in the same second keeps its order. What happened in or after the second of the reading is left
    to the webhook. Raises Malformed for a REST object without the time or id that it must have.
    """
    moments = _moments(past)
    place = max((i for i, each in enumerate(moments) if each.happening.kind == "transferred"), default=0)
    for number, moment in enumerate(moments):
        happening = moment.happening
        if number < place:
            # Before its transfer it lived elsewhere; it came with its comments, and as it then was.
            if happening.kind not in {"opened", "comment"}:
                continue
            moment = replace(moments[place], happening=happening)  # noqa: PLW2901 - as seen from here
        elif happening.kind == "transferred":
            continue
        told_at = max(happening, moments[place].happening, key=lambda each: each.at)
        if until is None or told_at.at < until:
            payload = _payload(repository, past.issue, moment, told_at.text, came=place > 0)
            yield Delivery(
                delivery_id=str(uuid.uuid5(_NAMESPACE, f"{repository['id']}/{happening.seed}")),
                event="issue_comment" if happening.kind == "comment" else "issues",
                action=payload["action"],
                repository=repository["full_name"],
                body=json.dumps(payload, separators=(",", ":")).encode(),
                received_at=received_at + timedelta(microseconds=number),
                source="backfill",
            )


def _moments(past: Past) -> list[_Moment]:
    """Return all that happened, oldest first, each with the issue after it."""
    story = _story(past)
    facts = _present(past.issue)
    after: list[_Facts] = []
    for happening in reversed(story):
        after.append(facts)
        facts = _undone(facts, happening)
    after.reverse()
    if story:  # labels and assignees that were given with the issue come as events of the same second
        after[0] = after[sum(each.at <= story[0].at for each in story) - 1]
    moments, state = [], _State()
    for happening, facts in zip(story, after, strict=True):
        state = _turned(state, happening)
        moments.append(_Moment(happening=happening, facts=facts, state=state))
    return moments


def _story(past: Past) -> list[_Happening]:
    """Return what happened before the reading: the opening first, then by time, comments before events."""
    issue = past.issue
    opened = _happening("opened", issue, f"opened/{_id(issue)}")
    comments = [_happening("comment", raw, f"comment/{_id(raw)}") for raw in past.comments]
    events = [
        _happening(str(raw.get("event")), raw, f"event/{_id(raw)}")
        for raw in past.events
        if raw.get("event") in ACTIONS or raw.get("event") == "transferred"
    ]
    comments.sort(key=lambda each: (each.at, _id(each.raw)))
    events.sort(key=lambda each: (each.at, _id(each.raw)))
    events = [each for each in events if each.at < past.read_at]
    events = _settled(events, issue, past.read_at)
    later = sorted([*comments, *events], key=lambda each: each.at)  # stable: comments first
    return [each for each in [opened, *later] if each.at < past.read_at]


def _settled(events: list[_Happening], issue: Json, read_at: datetime) -> list[_Happening]:
    """Return the events with a last turn that leads to the state of now.

    GitHub lacks turns of imported issues. The reason of a close stands on the issue, not always on the event.
    """
    turns = [each for each in events if each.kind in {"closed", "reopened"}]
    last = turns[-1] if turns else None
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
        return events  # the issue was read from a copy that lags behind its events
    raw = {"state_reason": issue.get("state_reason"), "actor": issue.get("closed_by") if closed else None}
    seed = f"closed/{_id(issue)}/{text}" if last is None or closed else f"reopened/{_id(last.raw)}"
    turn = _Happening(at=at, text=str(text), kind="closed" if closed else "reopened", raw=raw, seed=seed)
    return sorted([*events, turn], key=lambda each: each.at)


def _happening(kind: str, raw: Json, seed: str) -> _Happening:
    text = raw.get("created_at")
    at = parse_time(text)
    if at is None:
        raise Malformed("history_malformed", f"GitHub's {kind} {_id(raw)} says no created_at.")
    return _Happening(at=at, text=str(text), kind=kind, raw=raw, seed=seed)


def _id(raw: Json) -> int:
    number = raw.get("id")
    if not isinstance(number, int):
        raise Malformed("history_malformed", "An object of GitHub's has no id.")
    return number


def _turned(state: _State, happening: _Happening) -> _State:
    match happening.kind:
        case "comment":
            return replace(state, comments=state.comments + 1)
        case "closed":
            reason = happening.raw.get("state_reason")
            return replace(state, state="closed", closed_at=happening.text, reason=reason)
        case "reopened":
            return replace(state, state="open", reason="reopened")
    return state


def _present(issue: Json) -> _Facts:
    return _Facts(
        title=issue.get("title"),
        labels=tuple(issue.get("labels") or ()),
        assignees=tuple(issue.get("assignees") or ()),
        milestone=issue.get("milestone"),
        locked=bool(issue.get("locked")),
    )


def _undone(facts: _Facts, happening: _Happening) -> _Facts:
    """Return the facts before it happened."""
    raw = happening.raw
    change: dict[str, Any] = {}
    match happening.kind:
        case "labeled":
            change["labels"] = _without(facts.labels, raw.get("label"), "name")
        case "unlabeled":
            change["labels"] = _with(facts.labels, raw.get("label"), "name")
        case "assigned":
            change["assignees"] = _without(facts.assignees, raw.get("assignee"), "login")
        case "unassigned":
            change["assignees"] = _with(facts.assignees, raw.get("assignee"), "login")
        case "milestoned":
            change["milestone"] = None
        case "demilestoned":
            change["milestone"] = raw.get("milestone")
        case "renamed":
            change["title"] = (raw.get("rename") or {}).get("from", facts.title)
        case "locked" | "unlocked":
            change["locked"] = happening.kind == "unlocked"
    return replace(facts, **change)


def _without(entries: tuple[Json, ...], entry: Json | None, key: str) -> tuple[Json, ...]:
    return tuple(each for each in entries if entry is None or each.get(key) != entry.get(key))


def _with(entries: tuple[Json, ...], entry: Json | None, key: str) -> tuple[Json, ...]:
    return entries if entry is None else (*_without(entries, entry, key), entry)


def _payload(
    repository: Json, issue: Json, moment: _Moment, updated_at: str, *, came: bool
) -> dict[str, Any]:
    """Return what the webhook would have carried; `came` is true for an issue that came by a transfer."""
    happening, raw = moment.happening, moment.happening.raw
    payload: dict[str, Any] = {
        "action": {"opened": "opened", "comment": "created"}.get(happening.kind) or ACTIONS[happening.kind],
        "issue": _snapshot(issue, moment, updated_at),
    }
    match happening.kind:
        case "opened" if came:
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
    owner = repository.get("owner") or {}
    payload["repository"] = {name: repository[name] for name in REPOSITORY_FIELDS if name in repository}
    if owner.get("type") == "Organization":
        payload["organization"] = {name: owner[name] for name in _ORGANIZATION_FIELDS if name in owner}
    # In the history, the actor of an assignment is whom it was given to.
    payload["sender"] = raw.get("assigner") or raw.get("actor") or raw.get("user") or _GHOST
    return payload


def _snapshot(issue: Json, moment: _Moment, updated_at: str) -> dict[str, Any]:
    facts, state = moment.facts, moment.state
    return {name: value for name, value in issue.items() if name not in _NOT_IN_WEBHOOKS} | {
        "title": facts.title,
        "labels": list(facts.labels),
        "assignee": facts.assignees[0] if facts.assignees else None,
        "assignees": list(facts.assignees),
        "milestone": facts.milestone,
        "locked": facts.locked,
        "state": state.state,
        "state_reason": state.reason,
        "closed_at": state.closed_at,
        "comments": state.comments,
        "updated_at": updated_at,
    }
