"""Finds what GitHub never sent: issues that changed since what is stored of them (pure).

A webhook that is deleted, switched off or not subscribed to issues leaves nothing to deliver again. Each such
issue becomes one delivery, as the issue is now.
"""

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clients.github.synthetic_deliveries import envelope
from pipeline.delivery import Delivery, parse_time
from pipeline.json_fields import Json

LEFT_TO_THE_WEBHOOK = timedelta(minutes=10)
# GitHub delivers an event within this time, as a rule. Its lists do not say which issue an event is about.
DELIVERED_WITHIN = timedelta(minutes=2)
# GitHub may touch an issue again just after the event that it delivers.
TOUCHED = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIssue:
    """The latest stored state of an issue."""

    updated_at: datetime
    state: str | None
    title: str | None
    labels: frozenset[str]
    assignees: frozenset[str]


def settled(issues: Iterable[Json], now: datetime, on_their_way: Sequence[datetime]) -> Iterator[Json]:
    """Yield the issues whose last change should be stored by now.

    `on_their_way` are the times, in order, at which GitHub first delivered what is not stored yet and may
    still be: an issue that changed just before one of them is left for a later run.
    """
    for issue in issues:
        updated_at = parse_time(issue.get("updated_at"))
        if updated_at is None or updated_at >= now - LEFT_TO_THE_WEBHOOK:
            continue
        place = bisect_left(on_their_way, updated_at - TOUCHED)
        if place == len(on_their_way) or on_their_way[place] > updated_at + DELIVERED_WITHIN:
            yield issue


def missed(  # noqa: PLR0913 - the last one is a setting
    repository: Json,
    issues: Iterable[Json],
    known: Mapping[int, KnownIssue],
    since: datetime,
    now: datetime,
    *,
    with_comments: bool = True,
) -> Iterator[Delivery]:
    """Yield a delivery for each issue whose last change is not stored. `since` is the window's start.

    Without `with_comments` ingest publishes no comments, which change an issue too: only what an issue shows
    counts then.
    """
    for issue in issues:
        before = known.get(issue["number"])
        if before is not None and not _has_changed(issue, before, with_comments=with_comments):
            continue
        change = _change(issue, before, since)
        payload = {**change, "issue": issue, **envelope(repository, _sender(change["action"], issue))}
        yield Delivery(
            delivery_id=delivery_id(repository["id"], issue["number"], change["action"], issue["updated_at"]),
            event="issues",
            action=change["action"],
            repository=repository["full_name"],
            body=json.dumps(payload, separators=(",", ":")).encode(),
            received_at=now,
            source="reconcile",
        )


def delivery_id(repository_id: int, number: int, action: str, updated_at: str) -> str:
    """Return the id of a change, which is the same in every run."""
    text = f"{repository_id}/{number}/{action}/{updated_at}"
    return f"reconcile-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _has_changed(issue: Json, before: KnownIssue, *, with_comments: bool) -> bool:
    updated_at = parse_time(issue.get("updated_at"))
    if updated_at is None or updated_at <= before.updated_at:
        return False
    is_another_event = updated_at > before.updated_at + TOUCHED
    return (with_comments and is_another_event) or _visible(issue) != (
        before.state,
        before.title,
        before.labels,
        before.assignees,
    )


def _visible(issue: Json) -> tuple[Any, Any, frozenset[str], frozenset[str]]:
    assignees = frozenset(_named(issue, "assignees", "login"))
    return issue.get("state"), issue.get("title"), frozenset(_labels(issue)), assignees


def _labels(issue: Json) -> dict[str, Json]:
    return _named(issue, "labels", "name")


def _named(issue: Json, field: str, name: str) -> dict[str, Json]:
    """Return the objects in a list of GitHub's by their names; GitHub allows entries without one."""
    listed = [each for each in issue.get(field) or [] if isinstance(each, dict)]
    return {each[name]: each for each in listed if isinstance(each.get(name), str)}


def _change(issue: Json, before: KnownIssue | None, since: datetime) -> dict[str, Any]:
    """Return the action of the webhook's event that would lead to the present state, with its label."""
    if before is None:
        created_at = parse_time(issue.get("created_at"))
        is_new = created_at is not None and created_at >= since
        return {"action": "opened" if is_new else "edited"}
    if issue.get("state") != before.state:
        return {"action": "closed" if issue.get("state") == "closed" else "reopened"}
    labels = _labels(issue)
    added, removed = sorted(labels.keys() - before.labels), sorted(before.labels - labels.keys())
    if added:
        return {"action": "labeled", "label": labels[added[0]]}
    if removed:
        return {"action": "unlabeled", "label": {"name": removed[0]}}
    return {"action": "edited"}


def _sender(action: str, issue: Json) -> Json | None:
    """Return who did it, where the issue says so."""
    sender = {"opened": "user", "closed": "closed_by"}.get(action)
    account = issue.get(sender) if sender else None
    return account if isinstance(account, dict) else None
