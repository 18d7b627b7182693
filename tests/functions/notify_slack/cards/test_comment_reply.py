"""The reply about a comment follows the comment's edits and its deletion."""

import json
from datetime import timedelta
from typing import Any

import pytest

from clients.slack.blocks import Message
from functions.notify_slack.cards import comment_reply, reply_line, thread_reply
from functions.notify_slack.routing.routes import Destination
from ops.send import accounts, payloads
from tests.functions.notify_slack.cards.support import MONA, event_of
from tests.support.hostile_text import wire
from tests.support.messages import NOON, an_issue

KIM = accounts.Account(login="kim")
LATER = NOON + timedelta(hours=3)


def posted(event: payloads.Event, *, in_burst: bool = False) -> dict[str, Any]:
    """Return the reply to the event as Slack returns it."""
    read = event_of(event.payload, event.name)
    message = thread_reply.build(read, Destination(channel="C1"))
    assert message is not None
    return wire(reply_line.for_burst(message, read) if in_burst else message)


def changed(event: payloads.Event, action: str, body: str = "", **comment: Any) -> payloads.Event:
    """Return a later event about the comment of an event; `body` is its new text."""
    payload = {**event.payload, "action": action, "sender": KIM.as_json()}
    payload["comment"] = {**payload["comment"], **({"body": body} if body else {}), **comment}
    return payloads.Event(name=event.name, payload=payload)


def corrected(reply: dict[str, Any], event: payloads.Event, *, in_burst: bool = False) -> Message | None:
    """Return what the reply says after the event."""
    return comment_reply.corrected(reply, event_of(event.payload, event.name), in_burst=in_burst)


@pytest.mark.parametrize(("in_burst", "start"), [(False, ""), (True, "acme/app#7: ")])
def test_a_reply_follows_an_edit_and_a_deletion(*, in_burst: bool, start: str) -> None:
    """An edit changes the reply under the name of its author; a deletion leaves only that there was one."""
    comment = an_issue().commented(MONA, LATER, "the password is hunter2")
    reply = posted(comment, in_burst=in_burst)
    edited = corrected(reply, changed(comment, "edited", "removed"), in_burst=in_burst)
    assert edited is not None
    assert edited.text == f"{start}mona commented: removed"
    assert "|commented>: removed" in json.dumps(wire(edited))
    assert "hunter2" not in json.dumps(wire(edited))
    deleted = corrected(wire(edited), changed(comment, "deleted"), in_burst=in_burst)
    assert deleted is not None
    assert deleted.text == f"{start}kim deleted a comment"
    assert "removed" not in json.dumps(wire(deleted))
    assert wire(deleted)["metadata"] == wire(edited)["metadata"] == reply["metadata"]


def test_a_reply_ignores_what_is_older_or_about_something_else() -> None:
    """A late edit, an edit of another comment and an event of another issue leave a reply as it is."""
    issue = an_issue()
    comment = issue.commented(MONA, LATER, "first")
    reply = posted(changed(comment, "created", updated_at="2026-01-05T16:00:00Z"))
    assert corrected(reply, changed(comment, "edited", "x", updated_at="2026-01-05T15:59:59Z")) is None
    assert corrected(reply, changed(comment, "edited", "x", id=5)) is None
    assert corrected(reply, changed(comment, "deleted", id=None)) is None
    assert corrected(reply, an_issue(number=8).deleted(MONA, LATER)) is None
    assert corrected(posted(issue.closed(MONA, LATER)), changed(comment, "deleted")) is None


def test_a_deleted_comment_does_not_come_back() -> None:
    """An edit that arrives after the deletion changes nothing, and the deletion is told once."""
    comment = an_issue().commented(MONA, LATER, "first")
    deleted = corrected(posted(comment), changed(comment, "deleted"))
    assert deleted is not None
    for action in ("edited", "deleted"):
        assert corrected(wire(deleted), changed(comment, action, updated_at="2026-02-01T00:00:00Z")) is None


def test_the_deletion_of_an_issue_takes_its_comments_back() -> None:
    """The comments of a deleted issue are deleted with it, and GitHub sends no event for each."""
    issue = an_issue()
    comment = issue.commented(MONA, LATER, "first")
    gone = corrected(posted(comment), issue.deleted(KIM, LATER))
    assert gone is not None
    assert gone.text == "kim deleted a comment"


@pytest.mark.parametrize("blocks", [None, [], [{}], [{"block_id": 5}], ["x"], "x"])
def test_a_reply_of_another_shape_is_corrected(blocks: Any) -> None:
    """A reply whose blocks have another shape is corrected; its metadata says what it is about."""
    comment = an_issue().commented(MONA, LATER, "first")
    message = corrected({**posted(comment), "blocks": blocks}, changed(comment, "edited", "second"))
    assert message is not None
    assert message.text == "mona commented: second"


def test_the_metadata_of_a_reply_names_its_comment() -> None:
    """The metadata of a reply about a comment has the comment's id, by which the reply is found again."""
    comment = an_issue().commented(MONA, LATER, "first")
    payload = posted(comment)["metadata"]["event_payload"]
    assert payload["comment_id"] == comment.payload["comment"]["id"]
