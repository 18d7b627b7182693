"""The drill's ledger finds what is lost, doubled or out of date, and names it."""

from dataclasses import replace
from typing import Any

import pytest

from local.drill.ledger import Found, balance
from local.slack.message import Message
from ops.send.accounts import number_for
from ops.send.payloads import Event
from tests.support.messages import NOON, an_issue

APP = number_for("acme/app")


def delivery(guid: str, event: Event, status: int = 202) -> dict[str, Any]:
    """Return an attempt as GitHub lists it."""
    action, request = event.payload["action"], {"payload": event.payload}
    return {"guid": guid, "event": event.name, "action": action, "status_code": status, "request": request}


def message(kind: str, **content: Any) -> Message:
    """Return a message of ours in Slack."""
    metadata = {"event_type": f"issuewire_{kind}", "event_payload": content}
    return Message(channel="C1", ts="1.0", text="", blocks=(), metadata=metadata, thread_ts=None, via="api")


def card(updated_at: str = "2026-01-05T12:00:00.000000Z") -> Message:
    """Return the issue's card."""
    return message("card", issue=f"{APP}#7", updated_at=updated_at)


@pytest.fixture
def even() -> Found:
    """Return an issue with a comment, stored and shown once."""
    issue = an_issue()
    opened, commented = issue.opened(), issue.commented(None, NOON, "Nice.")
    state = {"state": "open", "title": "Export fails", "labels": [], "assignees": []}
    return Found(
        issues={("acme/app", 7): issue.as_json()},
        deliveries=[delivery("d-1", opened), delivery("d-2", commented, 504), delivery("d-2", commented)],
        rows=[{"delivery_id": "d-1", "copies": 1}, {"delivery_id": "d-2", "copies": 1}],
        states=[{"repository": "acme/app", "issue_number": 7, **state}],
        messages=[card(), message("reply", issue=f"{APP}#7", delivery_id="d-2")],
    )


def test_an_even_ledger(even: Found) -> None:
    """Every event stored once and every issue carded once is even, however often GitHub tried."""
    found = balance(even)
    assert found.is_even
    assert [entry[1:] for entry in found.entries] == [(2, 2), (1, 1), (1, 1), (0, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("without", "lost"),
    [
        (
            "rows",
            [
                "acme/app#7 issue_comment.created (d-2) is not stored",
                "acme/app#7 issues.opened (d-1) is not stored",
            ],
        ),
        ("messages", ["acme/app#7 is in no card", "acme/app#7 issue_comment.created (d-2) is in no thread"]),
    ],
)
def test_what_is_lost_is_named(even: Found, without: str, lost: list[str]) -> None:
    """An event without a row, an issue without a card and a comment without a reply are named."""
    missing = replace(even, **{without: []})
    assert list(balance(missing).lost) == lost
    assert not balance(missing).is_even


def test_what_is_doubled_is_named(even: Found) -> None:
    """A second row, card, place in a list, or reply is named."""
    listed = message("fold", issues=f"{APP}#8 {APP}#7 {APP}#7", moments="1 2 3")
    twice = replace(
        even,
        rows=[{"delivery_id": "d-1", "copies": 2}, *even.rows[1:]],
        messages=[*even.messages, *even.messages, listed],
    )
    assert list(balance(twice).doubled) == [
        "acme/app#7 issues.opened (d-1) is stored twice",
        "acme/app#7 has two cards",
        "acme/app#7 is listed twice",
        "acme/app#7 issue_comment.created (d-2) is twice in its thread",
    ]
    assert not balance(twice).is_even


def test_an_issue_in_a_list_needs_no_card(even: Found) -> None:
    """An issue that is listed once in a message of folded issues is shown."""
    listed = message("fold", issues=f"{APP}#7", moments="1")
    assert balance(replace(even, messages=[listed, even.messages[1]])).is_even


def test_what_is_out_of_date_is_named(even: Found) -> None:
    """Another state in BigQuery, and a card of an earlier moment, are named."""
    states = [{**even.states[0], "state": "closed"}]
    old = replace(even, states=states, messages=[card("2026-01-05T11:59:00.000000Z"), even.messages[1]])
    assert list(balance(old).outdated) == ["acme/app#7 differs in BigQuery", "acme/app#7 has an old card"]
    assert list(balance(replace(even, states=[])).outdated) == ["acme/app#7 differs in BigQuery"]
    assert not balance(old).is_even
