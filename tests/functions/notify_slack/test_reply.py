"""The reply: which events are worth a line in the thread, and that no payload can make it say more."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.notify_slack import reply
from functions.notify_slack.message import Message
from functions.notify_slack.routes import Hearing
from local import github
from local.slack.rules import CONTROL, check_message
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.messages import NOON, an_issue

GITHUB = "https://github.com"
MONA = github.Person(login="mona")
OCTAVIA = github.Person(login="octavia")
LATER = NOON + timedelta(hours=3)


def due(event: github.Event) -> Message | None:
    """Return the reply to the event as it arrives."""
    body = json.dumps(event.payload).encode()
    read = IssueEvent.from_delivery(
        Delivery(delivery_id="d-1", event=event.name, body=body, received_at=LATER)
    )
    assert read.issue is not None
    return reply.due(read, read.issue, Hearing(channel="C1"), GITHUB)


def wire(message: Message | None) -> dict[str, Any]:
    """Return what the reply is on the wire."""
    assert message is not None
    return {
        "text": message.text,
        "blocks": list(message.blocks),
        "metadata": message.metadata,
    }


def test_a_comment_is_linked_and_begins() -> None:
    """The words lead to the comment; what follows is its beginning, plain and on one line."""
    body = "me too\n\n> *really* <!channel> " + "x" * 400
    message = wire(due(an_issue().commented(MONA, LATER, body)))
    number = github.number_for("acme/app#7/1")
    text = message["blocks"][0]["text"]["text"]
    assert text.startswith(
        f"mona <https://github.com/acme/app/issues/7#issuecomment-{number}|commented>: "
        "me too &gt; *really* &lt;!channel&gt; x"
    )
    assert text.endswith("x…")
    assert message["text"].startswith("mona commented: me too")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (an_issue().closed(MONA, LATER), "mona closed this as completed · 3 hours after opening"),
        (an_issue().reopened(MONA, LATER), "mona reopened this"),
        (an_issue().assigned(MONA, LATER, OCTAVIA), "mona assigned octavia"),
        (
            an_issue().transferred(MONA, LATER, github.Repository(full_name="acme/lib"), 3)[0],
            "mona transferred this to acme/lib#3",
        ),
    ],
)
def test_what_is_worth_a_line(event: github.Event, text: str) -> None:
    """Who did what, and the metadata by which the reply is known again."""
    message = wire(due(event))
    assert message["text"] == message["blocks"][0]["text"]["text"] == text
    assert message["metadata"] == {
        "event_type": "issuewire_reply",
        "event_payload": {
            "issue": f"{github.number_for('acme/app')}#7",
            "delivery_id": "d-1",
            "schema": 1,
        },
    }


def test_what_is_not() -> None:
    """The card says it already, and everything else is not worth a line."""
    issue = an_issue()
    comment = issue.commented(MONA, LATER, "x")
    edited = github.Event(name="issue_comment", payload={**comment.payload, "action": "edited"})
    others = [issue.opened(), issue.labeled(MONA, LATER, "bug"), issue.edited(MONA, LATER, "y"), edited]
    assert [due(event) for event in [*others, issue.deleted(MONA, LATER)]] == [None] * 5


hostile = st.lists(
    st.sampled_from(["<!channel>", "<@U1>", "<https://evil.example|x>", "&", "<", ">", "|", "`", "\0", "\n",
                     "\u202e", "\ud800", "x" * 400])
    | st.text(max_size=5)
).map("".join)  # fmt: skip


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(hostile, hostile, hostile)
def test_no_payload_can_break_out_of_its_reply(body: str, login: str, place: str) -> None:
    """Slack's rules hold, nobody is mentioned, and the one link goes to the comment."""
    person = github.Person(login=login)
    comment = an_issue().commented(MONA, LATER, body)
    comment.payload["sender"]["login"] = login
    moved = an_issue().closed(MONA, LATER)
    moved.payload.update({"action": "transferred", "changes": {"new_repository": {"full_name": place}}})
    for event in (comment, moved, an_issue().assigned(MONA, LATER, person)):
        message = json.loads(json.dumps(wire(due(event))))
        assert check_message({"channel": "C1", **message}) == []
        assert not CONTROL.search(message["text"])
        for construct in CONTROL.finditer(message["blocks"][0]["text"]["text"]):
            assert (construct["url"] or "").startswith(f"{GITHUB}/acme/app/issues/7#issuecomment-")
