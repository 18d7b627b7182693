"""Some events have a reply in the card's thread, and no payload can break out of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.slack.blocks import Message
from functions.notify_slack.cards import thread_reply
from functions.notify_slack.routing.routes import Destination
from ops.send import accounts, payloads
from tests.functions.notify_slack.cards.support import GITHUB, MONA, accepting_server, event_of
from tests.support import hostile_text as hostile
from tests.support.hostile_text import wire
from tests.support.messages import NOON, an_issue

KIM = accounts.Account(login="kim")
OCTAVIA = accounts.Account(login="octavia")
LATER = NOON + timedelta(hours=3)


def reply_to(event: payloads.Event, **destination: Any) -> Message | None:
    """Return the reply to the event."""
    return thread_reply.build(event_of(event.payload, event.name), Destination(channel="C1", **destination))


def texts_of(message: Message | None) -> tuple[str, str]:
    """Return the notification's text and the text of the reply's one block."""
    assert message is not None
    [block] = wire(message)["blocks"]
    return message.text, block["text"]["text"]


def test_a_comment_is_linked_and_shows_its_beginning() -> None:
    """The word "commented" links to the comment, whose beginning follows as plain text on one line."""
    body = "me **too**\n\n- *really* &lt;!channel> <!-- x --> " + "x" * 400
    notice, text = texts_of(reply_to(an_issue().commented(MONA, LATER, body)))
    number = accounts.number_for("acme/app#7/1")
    assert text.startswith(
        f"mona <https://github.com/acme/app/issues/7#issuecomment-{number}|commented>: "
        "me too • really &lt;!channel&gt; x"
    )
    assert text.endswith("x…")
    assert notice.startswith("mona commented: me too")


def test_a_comment_without_text_shows_no_excerpt() -> None:
    """The reply to a comment without text, such as a picture alone, has no excerpt."""
    notice, _ = texts_of(reply_to(an_issue().commented(MONA, LATER, "![a picture](https://x.example/a.png)")))
    assert notice == "mona commented"


def test_a_comment_cannot_format_the_reply() -> None:
    """Formatting characters in a comment become look-alikes, as in a title."""
    notice, _ = texts_of(reply_to(an_issue().commented(MONA, LATER, r"\*really\* `a`")))
    assert notice == "mona commented: \u2217really\u2217 a"


@pytest.mark.parametrize(
    ("comment", "end"),
    [
        ({"comment": {"body": "x"}}, ": x"),
        ({"comment": {"id": 0, "body": "x"}}, ": x"),
        ({"comment": None}, ""),
        ({}, ""),
    ],
)
def test_a_comment_without_an_id_has_no_link(comment: dict[str, Any], end: str) -> None:
    """A comment without an id has a reply without a link."""
    payload = an_issue().commented(MONA, LATER, "x").payload
    del payload["comment"]
    event = payloads.Event(name="issue_comment", payload={**payload, **comment})
    assert texts_of(reply_to(event)) == (f"mona commented{end}",) * 2


# Replies that follow their comment


def posted(event: payloads.Event, *, in_burst: bool = False) -> dict[str, Any]:
    """Return the reply to the event as Slack returns it."""
    message = reply_to(event)
    assert message is not None
    return wire(thread_reply.for_burst(message, event_of(event.payload, event.name)) if in_burst else message)


def changed(event: payloads.Event, action: str, body: str = "", **comment: Any) -> payloads.Event:
    """Return a later event about the comment of an event; `body` is its new text."""
    payload = {**event.payload, "action": action, "sender": KIM.as_json()}
    payload["comment"] = {**payload["comment"], **({"body": body} if body else {}), **comment}
    return payloads.Event(name=event.name, payload=payload)


def corrected(reply: dict[str, Any], event: payloads.Event, *, in_burst: bool = False) -> Message | None:
    """Return what the reply says after the event."""
    return thread_reply.corrected(reply, event_of(event.payload, event.name), in_burst=in_burst)


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


def test_a_quotation_is_left_out() -> None:
    """The text that a comment quotes is omitted, because it is in the thread already."""
    notice, _ = texts_of(reply_to(an_issue().commented(MONA, LATER, "> does it fail?\n\nYes, it does.")))
    assert notice == "mona commented: Yes, it does."


def test_only_the_assignee_is_mentioned() -> None:
    """A reply about an assignment mentions the assignee; no other reply mentions people."""
    people = {"octavia": "U1OCTAVIA", "mona": "U1MONA"}
    event = an_issue().assigned(MONA, LATER, accounts.Account(login="Octavia"))
    assert texts_of(reply_to(event, people=people)) == ("mona assigned <@U1OCTAVIA>",) * 2
    for other in (an_issue().closed(MONA, LATER), an_issue().commented(MONA, LATER, "@octavia <@U1MONA>")):
        assert "<@" not in texts_of(reply_to(other, people=people))[1]


def test_a_new_issue_whose_card_exists_mentions_the_routes_people() -> None:
    """A new issue whose card exists has a reply only if the route mentions people."""
    event, mention = an_issue().opened(), ("U1MONA", "S1TEAM")
    assert reply_to(event) is None
    assert texts_of(reply_to(event, mention=mention)) == ("new issue · cc <@U1MONA> <!subteam^S1TEAM>",) * 2
    assert texts_of(reply_to(an_issue().reopened(MONA, LATER), mention=mention))[1] == "mona reopened this"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (an_issue().closed(MONA, LATER), "mona closed this as completed · 3 hours after opening"),
        (an_issue().reopened(MONA, LATER), "mona reopened this"),
        (an_issue().assigned(MONA, LATER, OCTAVIA), "mona assigned octavia"),
        (
            an_issue().transferred(MONA, LATER, accounts.Repository(full_name="acme/lib"), 3)[0],
            "mona transferred this to acme/lib#3",
        ),
    ],
)
def test_a_reply_says_who_did_what(event: payloads.Event, text: str) -> None:
    """A reply says who did what, and its metadata identifies the issue and the delivery."""
    message = reply_to(event)
    assert texts_of(message) == (text, text)
    assert message is not None
    assert message.metadata == {
        "event_type": "issuewire_reply",
        "event_payload": {
            "issue": f"{accounts.number_for('acme/app')}#7",
            "delivery_id": "d-1",
            "schema": 1,
        },
    }


def test_other_events_have_no_reply() -> None:
    """Other events have no reply and notify no one; the card shows them."""
    issue = an_issue()
    comment = issue.commented(MONA, LATER, "x")
    edited = payloads.Event(name="issue_comment", payload={**comment.payload, "action": "edited"})
    others = [issue.opened(), issue.labeled(MONA, LATER, "bug"), issue.edited(MONA, LATER, "y"), edited]
    assert [reply_to(event) for event in [*others, issue.deleted(MONA, LATER)]] == [None] * 5


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.data())
def test_no_payload_can_break_out_of_its_reply(data: st.DataObject) -> None:
    """A reply of any text obeys Slack's rules, mentions only the routes' people, and links to the comment."""
    name, action = data.draw(hostile.events)
    happened = event_of(data.draw(hostile.hostile_payloads(action)), name)
    destination = data.draw(hostile.destinations)
    message = thread_reply.build(happened, destination)
    if message is not None:
        hostile.assert_inert(message, GITHUB, destination)
        assert texts_of(message)[1].count("https://github.com/") <= 1


def test_slack_accepts_every_reply() -> None:
    """Every reply is accepted by the strict stand-in, posted through the real client."""

    @settings(derandomize=True, database=None, deadline=None, max_examples=40)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        payload, destination = data.draw(hostile.hostile_payloads("created")), data.draw(hostile.destinations)
        happened = event_of(payload, "issue_comment")
        message = thread_reply.build(happened, destination)
        assert message is not None
        slack.post(destination.channel, message)
        assert [dict(block) for block in server.messages[-1].blocks] == wire(message)["blocks"]

    with accepting_server() as (server, slack):
        check()
