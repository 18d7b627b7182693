"""The columns of a stored delivery say the same as its payload, as far as they go."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.stream_bq.row import to_row
from ops.send import accounts, payloads
from ops.stored_payload import from_columns
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.messages import NOON, an_issue

MONA = accounts.Account(login="mona")
BOT = accounts.Account(login="dependabot[bot]", type="Bot")
ISSUE = an_issue(labels=["bug", "p1"], assignees=[MONA], body="text")


def read(name: str, payload: dict[str, Any]) -> IssueEvent:
    """Return the event of a payload."""
    body = json.dumps(payload).encode()
    return IssueEvent.from_delivery(Delivery(delivery_id="d", event=name, body=body, received_at=NOON))


@pytest.mark.parametrize(
    "made",
    [
        ISSUE.opened(),
        an_issue(author=None).opened(),
        ISSUE.labeled(BOT, NOON, "x"),
        ISSUE.commented(BOT, NOON, "a comment"),
        an_issue(is_pull_request=True).commented(None, NOON, "a comment"),
    ],
    ids=["opened", "ghost", "labeled", "comment", "pull request"],
)
def test_the_columns_make_the_same_event(made: payloads.Event) -> None:
    """Rules and routes see the same in the columns as in the payload."""
    event = read(made.name, made.payload)
    assert event.issue is not None
    texts = {"issue_body": event.issue.body, "comment_body": event.comment and event.comment.body}
    columns = to_row(event, NOON, store_payload=False).columns | texts
    found = read(made.name, from_columns(columns))
    assert found.issue is not None
    unknown: dict[str, Any] = dict.fromkeys(
        ("id", "url", "state_reason", "comments", "created_at", "updated_at", "closed_at")
    )
    assert found.issue == replace(event.issue, **unknown)
    for name in ("event", "action", "repository_id", "repository", "sender", "sender_type", "label"):
        assert getattr(found, name) == getattr(event, name)
    assert found.is_pull_request == event.is_pull_request
    if event.comment is None:
        assert found.comment is None
    else:
        nothing: dict[str, Any] = dict.fromkeys(("id", "url", "created_at", "updated_at"))
        assert found.comment == replace(event.comment, **nothing)


def test_missing_columns_are_null() -> None:
    """A row without anything is an event without anything, and breaks nothing."""
    found = read("issue_comment", from_columns({"event": "issue_comment"}))
    assert found.issue is not None
    assert (found.issue.labels, found.issue.author, found.repository, found.label) == ((), None, None, None)
    assert found.comment is not None
