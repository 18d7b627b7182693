"""Some events make or change a card, and the card event has what a card needs."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.notify_slack.routing.eligibility import CardEvent, NotShown
from ops.send import accounts, payloads
from pipeline.delivery import Delivery, Source
from pipeline.errors import Malformed
from pipeline.events import IssueEvent
from tests.support.messages import NOON, an_issue

KINDS = ("is_new", "is_opening", "is_arrival", "is_close", "is_final")
MONA = accounts.Account(login="mona")
RECEIVED = NOON + timedelta(hours=2)


def read(payload: dict[str, Any], event: str = "issues", source: Source = "webhook") -> CardEvent | NotShown:
    """Return what the function makes of the payload."""
    body = json.dumps(payload).encode()
    delivery = Delivery(delivery_id="d-1", event=event, body=body, received_at=RECEIVED, source=source)
    return CardEvent.of(IssueEvent.from_delivery(delivery))


def card_event(event: payloads.Event) -> CardEvent:
    """Return an event that has a card."""
    shown = read(event.payload, event.name)
    assert isinstance(shown, CardEvent)
    return shown


@pytest.mark.parametrize(
    "action", ["opened", "closed", "reopened", "labeled", "assigned", "edited", "deleted", "transferred",
               "pinned", "locked", "typed", "an action of the future"]
)  # fmt: skip
def test_every_action_of_an_issue_has_a_card(action: str) -> None:
    """Every action of an issue has a card, known and new ones alike."""
    assert isinstance(read({**an_issue().opened().payload, "action": action}), CardEvent)


@pytest.mark.parametrize("event", ["pull_request", "ping", "push", "ISSUES", "sub_issues"])
def test_every_other_event_has_no_card(event: str) -> None:
    """Only `issues` and `issue_comment` have a card, whatever the payload looks like."""
    assert isinstance(read(an_issue().opened().payload, event), NotShown)


def test_a_comment_changes_the_card_of_its_issue() -> None:
    """A comment changes the card of its issue; a comment on a pull request has no card."""
    comment = an_issue().commented(MONA, NOON, "me too")
    assert isinstance(read(comment.payload, comment.name), CardEvent)
    pull = an_issue(is_pull_request=True).commented(MONA, NOON, "me too")
    assert isinstance(read(pull.payload, pull.name), NotShown)


def reason_of(payload: dict[str, Any], event: str = "issues") -> str:
    """Return the reason why the event breaks the contract."""
    with pytest.raises(Malformed) as refusal:
        read(payload, event)
    return refusal.value.reason


@pytest.mark.parametrize("event", ["issues", "issue_comment"])
@pytest.mark.parametrize("bad", [None, {}, [], "x"])
def test_an_event_without_an_issue_or_a_repository_breaks_the_contract(event: str, bad: Any) -> None:
    """An event of issues without an issue, or without a repository, is an error and not left out."""
    payload = an_issue().commented(MONA, NOON, "x").payload
    assert reason_of({**payload, "issue": bad}, event) == "issue_missing"
    assert reason_of({**payload, "repository": bad}, event) == "repository_missing"


@pytest.mark.parametrize("bad", [None, "7", True, 7.0, []])
def test_an_event_without_an_identity_breaks_the_contract(bad: Any) -> None:
    """Without the issue's number, the repository's id or an action the card could never be found again."""
    payload = an_issue().opened().payload
    assert reason_of({**payload, "issue": {**payload["issue"], "number": bad}}) == "number_missing"
    assert reason_of({**payload, "repository": {**payload["repository"], "id": bad}}) == "repository_missing"
    if bad != "7":
        assert reason_of({**payload, "action": bad}) == "action_missing"


def test_what_is_left_out_on_purpose_needs_no_identity() -> None:
    """A ping, another event, history and a pull request stay left out, whatever they lack."""
    pull = an_issue(is_pull_request=True).opened().payload
    del pull["repository"], pull["issue"]["number"]
    assert isinstance(read({}, "ping"), NotShown)
    assert isinstance(read({}, "sub_issues"), NotShown)
    assert isinstance(read({}, "issues", "backfill"), NotShown)
    assert isinstance(read(pull), NotShown)


@pytest.mark.parametrize(
    ("source", "expected"),
    [("webhook", CardEvent), ("reconcile", CardEvent), ("replay", CardEvent), ("backfill", NotShown)],
)
def test_only_a_backfill_has_no_cards(source: Source, expected: type) -> None:
    """A delivery that was recovered has a card, and one of a backfill has none."""
    assert isinstance(read(an_issue().opened().payload, source=source), expected)


@pytest.mark.parametrize(
    ("payload", "event", "source", "reason"),
    [
        (
            an_issue().opened().payload,
            "push",
            "webhook",
            "no card is made of 'push.opened', only of issues and their comments",
        ),
        ({}, "ping", "webhook", "no card is made of 'ping', only of issues and their comments"),
        (an_issue().opened().payload, "issues", "backfill", "no card is made of history"),
        (
            an_issue(is_pull_request=True).opened().payload,
            "issues",
            "webhook",
            "no card is made of a pull request",
        ),
    ],
)
def test_an_event_without_a_card_has_its_reason(
    payload: dict[str, Any], event: str, source: Source, reason: str
) -> None:
    """An event without a card has a reason, which the log and `routes explain` show."""
    assert read(payload, event, source) == NotShown(reason=reason)


def test_a_card_event_names_its_issue() -> None:
    """The key of a card event has the repository's id, which a rename does not change, and the number."""
    event = card_event(an_issue().opened())
    assert (event.key, event.number) == (f"{accounts.number_for('acme/app')}#7", 7)


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        (an_issue().opened(), {"is_new", "is_opening"}),
        (an_issue().opened(old_issue={"number": 7}), {"is_opening", "is_arrival"}),
        (an_issue().opened(old_issue=None), {"is_opening", "is_arrival"}),
        (an_issue().opened(old_repository={}), {"is_opening", "is_arrival"}),
        (an_issue().closed(MONA, NOON), {"is_close"}),
        (an_issue().deleted(MONA, NOON), {"is_final"}),
        (an_issue().transferred(MONA, NOON, accounts.Repository(full_name="acme/lib"), 3)[0], {"is_final"}),
        (an_issue().reopened(MONA, NOON), set()),
        (an_issue().commented(MONA, NOON, "x"), set()),
    ],
)
def test_a_card_event_knows_what_kind_it_is(event: payloads.Event, kinds: set[str]) -> None:
    """A card event knows if it is new, an arrival, a close, or final; a deleted comment is none."""
    shown = card_event(event)
    assert {kind for kind in KINDS if getattr(shown, kind)} == kinds
    if event.name == "issue_comment":
        deleted = payloads.Event(name=event.name, payload={**event.payload, "action": "deleted"})
        assert not card_event(deleted).is_final


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [("created", 0, 1), ("created", 4, 5), ("edited", 4, 4), ("deleted", 1, 0), ("created", None, None)],
)
def test_a_comment_counts_from_its_own_event_on(action: str, before: int | None, after: int | None) -> None:
    """GitHub counts a comment only in the events after its own; the card counts it at once."""
    event = an_issue().commented(MONA, NOON, "x")
    payload = {**event.payload, "action": action}
    payload["issue"]["comments"] = before
    shown = read(payload, event.name)
    assert isinstance(shown, CardEvent)
    assert shown.comments == after


def test_a_deletion_is_shown_at_its_receipt() -> None:
    """An event is shown at updated_at, but a deletion at its receipt, because its updated_at is old."""
    assert card_event(an_issue().labeled(MONA, NOON, "bug")).shown_at == NOON
    assert card_event(an_issue().deleted(MONA, NOON)).shown_at == RECEIVED
