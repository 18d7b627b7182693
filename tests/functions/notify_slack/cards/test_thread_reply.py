"""The reply: which events are worth a line in the thread, and that no payload can make it say more."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.slack.blocks import Message
from clients.slack.client import Slack
from functions.notify_slack.cards import thread_reply
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from local.slack.server import SlackServer
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support import hostile_text as hostile
from tests.support.hostile_text import wire
from tests.support.messages import NOON, an_issue
from tests.support.workspace import card_event

GITHUB = "https://github.com"
MONA = accounts.Account(login="mona")
OCTAVIA = accounts.Account(login="octavia")
LATER = NOON + timedelta(hours=3)


def read(payload: dict[str, Any], name: str) -> CardEvent:
    """Return the event as the function reads it."""
    body = json.dumps(payload).encode()
    delivery = Delivery(delivery_id="d-1", event=name, body=body, received_at=LATER)
    return card_event(IssueEvent.from_delivery(delivery))


def due(event: payloads.Event, **destination: Any) -> Message | None:
    """Return the reply to the event."""
    return thread_reply.build(read(event.payload, event.name), Destination(channel="C1", **destination))


def shown(message: Message | None) -> tuple[str, str]:
    """Return notice and text of a reply: it is one paragraph."""
    assert message is not None
    [block] = wire(message)["blocks"]
    return message.text, block["text"]["text"]


def test_a_comment_is_linked_and_begins() -> None:
    """The words lead to the comment; what follows is its beginning, plain and on one line."""
    body = "me **too**\n\n- *really* &lt;!channel> <!-- x --> " + "x" * 400
    notice, text = shown(due(an_issue().commented(MONA, LATER, body)))
    number = accounts.number_for("acme/app#7/1")
    assert text.startswith(
        f"mona <https://github.com/acme/app/issues/7#issuecomment-{number}|commented>: "
        "me too • really &lt;!channel&gt; x"
    )
    assert text.endswith("x…")
    assert notice.startswith("mona commented: me too")


def test_a_comment_without_words_is_a_comment() -> None:
    """A picture alone has no beginning to show."""
    notice, _ = shown(due(an_issue().commented(MONA, LATER, "![a picture](https://x.example/a.png)")))
    assert notice == "mona commented"


def test_a_comment_formats_nothing() -> None:
    """Marks that its author escaped are look-alikes, as in a title."""
    notice, _ = shown(due(an_issue().commented(MONA, LATER, r"\*really\* `a`")))
    assert notice == "mona commented: \u2217really\u2217 a"


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ({"comment": {"body": "x"}}, ": x"),
        ({"comment": {"id": 0, "body": "x"}}, ": x"),
        ({"comment": None}, ""),
        ({}, ""),
    ],
)
def test_a_comment_that_does_not_say_which_it_is_has_no_link(comment: dict[str, Any], said: str) -> None:
    """An address would lead nowhere; that somebody commented is told all the same."""
    payload = an_issue().commented(MONA, LATER, "x").payload
    del payload["comment"]
    event = payloads.Event(name="issue_comment", payload={**payload, **comment})
    assert shown(due(event)) == (f"mona commented{said}",) * 2


def test_a_comment_shows_what_is_new_in_it() -> None:
    """What it quotes is in the thread already."""
    notice, _ = shown(due(an_issue().commented(MONA, LATER, "> does it fail?\n\nYes, it does.")))
    assert notice == "mona commented: Yes, it does."


def test_who_is_given_the_issue_is_mentioned() -> None:
    """Nobody else is, whoever is known."""
    people = {"octavia": "U1OCTAVIA", "mona": "U1MONA"}
    event = an_issue().assigned(MONA, LATER, accounts.Account(login="Octavia"))
    assert shown(due(event, people=people)) == ("mona assigned <@U1OCTAVIA>",) * 2
    for other in (an_issue().closed(MONA, LATER), an_issue().commented(MONA, LATER, "@octavia <@U1MONA>")):
        assert "<@" not in shown(due(other, people=people))[1]


def test_a_new_issue_is_shown_to_whom_the_route_names() -> None:
    """Where the card was there already; to nobody when it names nobody, and on no later event."""
    event, mention = an_issue().opened(), ("U1MONA", "S1TEAM")
    assert due(event) is None
    assert shown(due(event, mention=mention)) == ("new issue · cc <@U1MONA> <!subteam^S1TEAM>",) * 2
    assert shown(due(an_issue().reopened(MONA, LATER), mention=mention))[1] == "mona reopened this"


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
def test_what_is_worth_a_line(event: payloads.Event, text: str) -> None:
    """Who did what, and the metadata by which the reply is known again."""
    message = due(event)
    assert shown(message) == (text, text)
    assert message is not None
    assert message.metadata == {
        "event_type": "issuewire_reply",
        "event_payload": {
            "issue": f"{accounts.number_for('acme/app')}#7",
            "delivery_id": "d-1",
            "schema": 1,
        },
    }


def test_what_is_not() -> None:
    """The card says it already, and everything else is not worth a line."""
    issue = an_issue()
    comment = issue.commented(MONA, LATER, "x")
    edited = payloads.Event(name="issue_comment", payload={**comment.payload, "action": "edited"})
    others = [issue.opened(), issue.labeled(MONA, LATER, "bug"), issue.edited(MONA, LATER, "y"), edited]
    assert [due(event) for event in [*others, issue.deleted(MONA, LATER)]] == [None] * 5


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.data())
def test_no_payload_can_break_out_of_its_reply(data: st.DataObject) -> None:
    """Slack's rules hold, only the routes mention anybody, and the one link goes to the comment."""
    name, action = data.draw(hostile.events)
    happened = read(data.draw(hostile.hostile_payloads(action)), name)
    destination = data.draw(hostile.destinations)
    message = thread_reply.build(happened, destination)
    if message is not None:
        hostile.assert_inert(message, GITHUB, destination)
        assert shown(message)[1].count("https://github.com/") <= 1


def test_slack_takes_whatever_a_stranger_comments() -> None:
    """Posted through the real client, no reply is refused by the strict stand-in."""

    @settings(derandomize=True, database=None, deadline=None, max_examples=40)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        payload, destination = data.draw(hostile.hostile_payloads("created")), data.draw(hostile.destinations)
        happened = read(payload, "issue_comment")
        message = thread_reply.build(happened, destination)
        assert message is not None
        slack.post(destination.channel, message)
        assert [dict(block) for block in server.messages[-1].blocks] == wire(message)["blocks"]

    with SlackServer(clock=iter(range(1_767_614_400, 1_867_614_400)).__next__) as server:
        slack = Slack(lambda: "xoxb-local", server.url)
        check()
