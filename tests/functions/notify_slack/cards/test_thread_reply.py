"""Some events have a reply in the card's thread, and no payload can break out of it."""

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


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        ("![a chart](https://x.example/a.png)", "mona commented: a chart"),
        ('<img src="https://x.example/a.png">', "mona commented: a picture"),
        ("<!-- hint -->", "mona commented"),
    ],
)
def test_a_comment_that_is_a_picture_says_what_it_shows(body: str, notice: str) -> None:
    """A picture alone is told by its alternative text; a comment without anything to see has no excerpt."""
    assert texts_of(reply_to(an_issue().commented(MONA, LATER, body)))[0] == notice


@pytest.mark.parametrize(
    ("assignee", "assignees", "text"),
    [
        (None, ["kim"], "mona assigned kim"),
        ({}, ["kim"], "mona assigned kim"),
        (None, ["kim", "ann"], "mona assigned this"),
        (None, [], "mona assigned this"),
        ({"login": "kim"}, ["ann", "kim"], "mona assigned kim"),
        ({"login": "Mona"}, ["Mona"], "mona took this"),
        (None, ["mona"], "mona took this"),
    ],
)
def test_an_assignment_names_whom_it_is_about(assignee: Any, assignees: list[str], text: str) -> None:
    """GitHub may leave out the assignee; who assigns oneself takes the issue."""
    event = an_issue().assigned(MONA, LATER, OCTAVIA)
    event.payload["assignee"] = assignee
    event.payload["issue"]["assignees"] = [{"login": login} for login in assignees]
    assert texts_of(reply_to(event)) == (text, text)


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
