"""Issues that changed without a delivery become one delivery each, as they are now."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.reconcile.missed import KnownIssue, delivery_id, missed, settled

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
SINCE = datetime(2026, 3, 4, tzinfo=UTC)
OWNER = {"login": "acme", "id": 5, "type": "Organization", "plan": "team"}
REPOSITORY = {"id": 9, "full_name": "acme/app", "private": False, "owner": OWNER, "permissions": {}}


def issue(**changes: Any) -> dict[str, Any]:
    """Return an issue as the REST API lists it."""
    return {
        "number": 7,
        "title": "Export fails",
        "state": "open",
        "labels": [{"name": "bug", "color": "f00"}],
        "assignees": [{"login": "kim"}],
        "user": {"login": "octavia", "type": "User"},
        "created_at": "2026-03-04T09:00:00Z",
        "updated_at": "2026-03-04T10:00:00Z",
        **changes,
    }


def known(**changes: Any) -> KnownIssue:
    """Return the same issue as it is stored, an hour before."""
    defaults = {
        "updated_at": datetime(2026, 3, 4, 9, 0, tzinfo=UTC),
        "state": "open",
        "title": "Export fails",
        "labels": frozenset({"bug"}),
        "assignees": frozenset({"kim"}),
    }
    return KnownIssue(**{**defaults, **changes})


def found(raw: dict[str, Any], before: KnownIssue | None) -> list[dict[str, Any]]:
    """Return the payloads of what was missed."""
    stored = {} if before is None else {7: before}
    return [json.loads(each.body) for each in missed(REPOSITORY, [raw], stored, SINCE, NOW)]


def test_the_id_is_derived_from_the_change() -> None:
    """The id is reconcile- and 32 hex digits of SHA-256 over repository id, number, action and updated_at."""
    digest = hashlib.sha256(b"9/7/closed/2026-03-04T10:00:00Z").hexdigest()
    assert delivery_id(9, 7, "closed", "2026-03-04T10:00:00Z") == f"reconcile-{digest[:32]}"


def test_a_missed_issue_is_a_webhook_s_delivery() -> None:
    """It has the attributes and the payload that a webhook sends, with the source reconcile."""
    [only] = missed(REPOSITORY, [issue()], {}, SINCE, NOW)
    _, attributes = only.to_message()
    assert attributes == {
        "event": "issues",
        "action": "opened",
        "delivery_id": delivery_id(9, 7, "opened", "2026-03-04T10:00:00Z"),
        "repository": "acme/app",
        "received_at": "2026-03-04T15:00:00.000000Z",
        "source": "reconcile",
        "schema": "1",
    }
    assert json.loads(only.body) == {
        "action": "opened",
        "issue": issue(),
        "repository": {"id": 9, "full_name": "acme/app", "private": False, "owner": OWNER},
        "organization": {"login": "acme", "id": 5},
        "sender": {"login": "octavia", "type": "User"},
    }


CLOSED = {"state": "closed", "closed_by": {"login": "mona"}}


@pytest.mark.parametrize(
    ("raw", "before", "action"),
    [
        (issue(), None, "opened"),
        (issue(created_at="2025-01-01T00:00:00Z"), None, "edited"),
        (issue(**CLOSED), known(), "closed"),
        (issue(), known(state="closed"), "reopened"),
        (issue(), known(labels=frozenset()), "labeled"),
        (issue(), known(labels=frozenset({"bug", "p1"})), "unlabeled"),
        (issue(title="New"), known(), "edited"),
        (issue(), known(), "edited"),
    ],
)
def test_the_action_leads_to_the_present_state(raw: dict, before: KnownIssue | None, action: str) -> None:
    """The action is that of the change; an old issue that was never stored is not called new."""
    [payload] = found(raw, before)
    assert (payload["action"], payload["issue"]) == (action, raw)
    assert payload["sender"]["login"] == {"opened": "octavia", "closed": "mona"}.get(action, "ghost")
    labels = {"labeled": {"name": "bug", "color": "f00"}, "unlabeled": {"name": "p1"}}
    assert payload.get("label") == labels.get(action)


@pytest.mark.parametrize(
    ("raw", "before"),
    [
        (issue(), known(updated_at=datetime(2026, 3, 4, 10, 0, tzinfo=UTC), state="closed")),
        (issue(), known(updated_at=datetime(2026, 3, 4, 11, 0, tzinfo=UTC))),
        (issue(), known(updated_at=datetime(2026, 3, 4, 9, 59, 55, tzinfo=UTC))),
    ],
)
def test_what_is_stored_was_not_missed(raw: dict, before: KnownIssue) -> None:
    """A stored state that is as new was delivered; seconds do not count if nothing else differs."""
    assert found(raw, before) == []
    assert (
        len(found(issue(state="closed"), known(updated_at=datetime(2026, 3, 4, 9, 59, 55, tzinfo=UTC)))) == 1
    )


@pytest.mark.parametrize(
    ("minutes_ago", "waits"),
    [(9, True), (10, True), (11, False), (28, False), (30, True), (32, True), (33, False)],
)
def test_what_may_still_be_delivered_is_left(minutes_ago: float, *, waits: bool) -> None:
    """The last ten minutes are left to the webhook, and the two minutes before a delivery on its way."""
    raw = issue(updated_at=f"{NOW - timedelta(minutes=minutes_ago):%Y-%m-%dT%H:%M:%SZ}")
    assert list(settled([raw], NOW, [NOW - timedelta(minutes=30)])) == [raw] * (not waits)
