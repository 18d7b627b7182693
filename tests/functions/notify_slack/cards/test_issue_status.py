"""A card shows whether its issue is open, closed, deleted or transferred, and by whom."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from ops.send import accounts, payloads
from tests.functions.notify_slack.cards.support import (
    ANN,
    DAY,
    LAYOUTS,
    LINK,
    MONA,
    card_of,
    context_texts,
    lines,
    with_late_event,
)
from tests.support.hostile_text import texts
from tests.support.messages import NOON, an_issue


def context_texts_of_all(message: dict[str, Any]) -> list[str]:
    """Return the texts of all context blocks."""
    blocks = [block for block in message["blocks"] if block["type"] == "context"]
    return [element["text"] for block in blocks for element in block["elements"]]


def test_a_deleted_or_transferred_issue_says_so() -> None:
    """The card of a deleted or transferred issue names who did it; the new place is text, not a link."""
    message = card_of(an_issue(labels=["bug"], comments=2).deleted(MONA, NOON).payload)
    assert message["text"] == "Deleted: acme/app#7"
    assert lines(message) == (":wastebasket: *acme/app#7*", "deleted by mona")
    event, _ = an_issue().transferred(MONA, NOON, accounts.Repository(full_name="acme/lib"), 3)
    message = card_of(event.payload)
    assert message["text"] == "Transferred: acme/app#7 Export fails"
    assert lines(message) == (
        f":rocket: *acme/app#7* {LINK} · octavia, {DAY}",
        "transferred to acme/lib#3 by mona",
    )


@pytest.mark.parametrize("format_", LAYOUTS)
def test_a_deleted_issue_keeps_only_its_number(format_: str) -> None:
    """The card of a deleted issue has neither its title nor its text, labels or people."""
    issue = an_issue(title="secret-1", body="secret-2", labels=["secret-3"])
    issue.assigned(MONA, NOON, accounts.Account(login="secret-4"))
    payload = issue.deleted(MONA, NOON).payload
    payload["issue"]["milestone"] = {"title": "secret-5"}
    message = card_of(payload, format=format_)
    assert "acme/app#7" in message["blocks"][0]["text"]["text"]
    assert "secret" not in json.dumps(message)


def test_a_deleted_comment_does_not_delete_its_issue() -> None:
    """An issue with a deleted comment stays open, although both events have the action deleted."""
    comment = an_issue(comments=1).commented(MONA, NOON, "x")
    message = card_of({**comment.payload, "action": "deleted"}, comment.name)
    assert message["text"] == "Open issue: acme/app#7 Export fails"


@pytest.mark.parametrize(
    ("reason", "mark", "words"),
    [
        ("completed", ":white_check_mark:", " as completed"),
        ("not_planned", ":no_entry_sign:", " as not planned"),
        ("duplicate", ":no_entry_sign:", " as a duplicate"),
        (None, ":white_check_mark:", ""),
        ("vanished", ":white_check_mark:", ""),
        ("<!channel>", ":white_check_mark:", ""),
    ],
)
def test_a_closed_issue_shows_its_reason(reason: Any, mark: str, words: str) -> None:
    """The card of a closed issue shows if it was completed or put aside, and omits an unknown reason."""
    message = card_of(an_issue(comments=1).closed(MONA, NOON + timedelta(days=3), reason).payload)
    assert message["text"] == f"Closed{words}: acme/app#7 Export fails"
    assert lines(message) == (
        f"{mark} *acme/app#7* {LINK} · octavia, {DAY}",
        f"closed{words} by mona · 3 days after opening",
        "· 1 comment",
    )


def test_a_reopened_issue_is_open() -> None:
    """A reopened issue is open, even with the closed_at that GitHub does not clear."""
    issue = an_issue()
    closed = card_of(issue.closed(MONA, NOON + timedelta(days=1)).payload)
    payload = issue.reopened(MONA, NOON + timedelta(days=2)).payload
    payload["issue"]["closed_at"] = closed["blocks"][1]["block_id"].removeprefix("closed:")
    message = card_of(payload, before=closed)
    assert message["text"] == "Open issue: acme/app#7 Export fails"
    assert lines(message) == (f":large_green_circle: *acme/app#7* {LINK} · octavia, {DAY}",)


@pytest.mark.parametrize("format_", LAYOUTS)
@pytest.mark.parametrize("action", ["closed", "reopened", "labeled"])
def test_only_opened_says_new(action: str, format_: str) -> None:
    """The card of any other event does not say that the issue is new."""
    message = card_of({**an_issue().opened().payload, "action": action}, format=format_)
    assert not any(re.search(r"\bnew\b", text, re.IGNORECASE) for text in texts(message))


@pytest.mark.parametrize("format_", LAYOUTS)
def test_an_arrival_by_transfer_is_not_new(format_: str) -> None:
    """An issue that came by transfer shows its real date and its origin, which later events keep."""
    old = {"old_issue": {"number": 7}, "old_repository": {"full_name": "acme/legacy", "private": False}}
    issue = an_issue(created_at=NOON - timedelta(days=700))
    arrived = card_of(issue.opened(**old).payload, format=format_)
    assert arrived["text"].startswith("Open issue: ")
    assert not any(re.search(r"\bnew\b", text, re.IGNORECASE) for text in texts(arrived))
    assert any("2024-02-05" in text for text in texts(arrived))
    assert context_texts_of_all(arrived)[-1] == "transferred from acme/legacy#7"
    later = card_of(issue.labeled(MONA, NOON, "bug").payload, before=arrived, format=format_)
    assert context_texts_of_all(later)[-1] == "transferred from acme/legacy#7"
    assert "legacy" not in str(card_of(issue.deleted(MONA, NOON).payload, before=later, format=format_))


def test_a_late_arrival_adds_the_origin() -> None:
    """An arrival that comes after a newer event adds where the issue is from, once."""
    issue = an_issue()
    arrival = issue.opened(old_issue={"number": 7}, old_repository={"full_name": "a/b", "private": False})
    message = card_of(issue.labeled(MONA, NOON, "bug").payload)
    for _ in range(2):
        message = with_late_event(message, arrival)
        assert context_texts_of_all(message) == ["transferred from a/b#7"]


@pytest.mark.parametrize(
    ("old", "words"),
    [
        ({"old_issue": None, "old_repository": None}, "another repository"),
        ({"old_issue": {"number": 7}, "old_repository": {"full_name": "a/b", "private": True}},
         "a private repository"),
        ({"old_issue": None, "old_repository": {"full_name": "a/b", "private": False}}, "a/b"),
    ],
)  # fmt: skip
def test_an_origin_is_named_as_far_as_it_may_be(old: dict[str, Any], words: str) -> None:
    """A private repository that a public issue came from has no name on its card."""
    message = card_of(an_issue().opened(**old).payload)
    assert context_texts_of_all(message) == [f"transferred from {words}"]


# Who closed the issue


def test_later_events_keep_who_closed_the_issue() -> None:
    """Who closed the issue, which only the close itself says, is carried over to later cards."""
    issue = an_issue()
    closed = card_of(issue.closed(MONA, NOON + timedelta(hours=3), "not_planned").payload)
    assert closed["blocks"][1]["block_id"] == "closed:2026-01-05T15:00:00.000000Z"
    commented = issue.commented(ANN, NOON + timedelta(hours=4), "why?")
    message = card_of(commented.payload, commented.name, before=closed)
    labeled = issue.labeled(ANN, NOON + timedelta(hours=5), "bug")
    message = card_of(labeled.payload, before=message)
    assert message["text"] == "Closed as not planned: acme/app#7 Export fails"
    assert lines(message)[1:] == ("closed as not planned by mona · 3 hours after opening", "· 1 comment")


def test_a_card_without_the_close_names_no_one() -> None:
    """A card without the close shows when and why the issue was closed, but not by whom."""
    issue = an_issue()
    issue.closed(MONA, NOON + timedelta(hours=3), "not_planned")
    message = card_of(issue.labeled(ANN, NOON + timedelta(hours=4), "bug").payload)
    assert lines(message)[1:] == ("closed as not planned · 3 hours after opening",)


@pytest.mark.parametrize("format_", LAYOUTS)
def test_a_late_close_adds_who_closed_the_issue(format_: str) -> None:
    """A late close adds who closed the issue; an older close and any other late event change nothing."""
    issue, hour = an_issue(), timedelta(hours=1)
    before = issue.closed(ANN, NOON + hour)
    issue.reopened(ANN, NOON + 2 * hour)
    close = issue.closed(MONA, NOON + 3 * hour)
    labeled = issue.labeled(ANN, NOON + 4 * hour, "bug")
    message = card_of(labeled.payload, format=format_)
    changed = with_late_event(message, close)
    assert context_texts(changed)[0] == "closed as completed by mona · 3 hours after opening"
    assert context_texts(changed)[1:] == context_texts(message)[1:]
    assert changed["blocks"][:-1] == message["blocks"][:-1]
    assert with_late_event(changed, labeled)["blocks"] == changed["blocks"]
    stale = payloads.Event(
        name=close.name, payload={**close.payload, "issue": {**close.payload["issue"], "state": "open"}}
    )
    for event in (before, labeled, stale, issue.commented(MONA, NOON, "x")):
        assert with_late_event(message, event)["blocks"] == message["blocks"]


def test_of_two_closes_in_one_second_the_last_is_named() -> None:
    """If two closes have the same second, the card names the one that arrives later."""
    issue = an_issue()
    first = card_of(issue.closed(MONA, NOON).payload)
    issue.reopened(MONA, NOON)
    message = card_of(issue.closed(ANN, NOON).payload, before=first)
    assert lines(message)[1].startswith("closed as completed by ann")


def test_a_second_close_is_not_credited_to_the_first_closer() -> None:
    """After a reopening, the card of a closed issue names no one until the second close arrives."""
    issue, hour = an_issue(), timedelta(hours=1)
    first = card_of(issue.closed(MONA, NOON + hour).payload)
    issue.reopened(MONA, NOON + 2 * hour)
    issue.closed(ANN, NOON + 3 * hour)
    message = card_of(issue.labeled(MONA, NOON + 4 * hour, "bug").payload, before=first)
    assert lines(message)[1] == "closed as completed · 3 hours after opening"


@pytest.mark.parametrize(("reason", "words"), [("not_planned", " as not planned"), (None, "")])
def test_a_changed_reason_replaces_the_first(reason: str | None, words: str) -> None:
    """The card shows the current reason if the reason of a close was changed."""
    issue = an_issue()
    closed = card_of(issue.closed(MONA, NOON, "completed").payload)
    issue.state_reason = reason
    message = card_of(issue.labeled(ANN, NOON, "bug").payload, before=closed)
    assert lines(message)[1] == f"closed{words} · less than a minute after opening"


@pytest.mark.parametrize("elements", [None, [], [{}], [{"text": 5}], [{"type": "image"}], "x"])
def test_a_block_that_slack_returns_in_another_shape_is_ignored(elements: Any) -> None:
    """An unexpected element in place of the closer's name is ignored."""
    issue = an_issue()
    closed = card_of(issue.closed(MONA, NOON).payload)
    closed["blocks"][1]["elements"] = elements
    message = card_of(issue.labeled(ANN, NOON, "bug").payload, before=closed)
    assert lines(message)[1] == "closed as completed · less than a minute after opening"
    assert with_late_event(closed, issue.closed(MONA, NOON))["blocks"] == closed["blocks"]
