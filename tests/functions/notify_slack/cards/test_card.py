"""The card and the webhook's line: whom they mention, and that no payload can break out of them."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.notify_slack.cards import card
from functions.notify_slack.routing.routes import Destination
from local.slack.rules.mrkdwn import CONTROL
from ops.send import accounts
from tests.functions.notify_slack.cards.support import (
    DAY,
    GITHUB,
    LAYOUTS,
    LINK,
    MONA,
    PEOPLE,
    accepting_server,
    card_of,
    context_texts,
    event_of,
    lines,
    posted,
)
from tests.support.hostile_text import assert_inert, destinations, events, hostile_payloads, texts, wire
from tests.support.messages import NOON, an_issue

# Hostile payloads


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.data())
def test_no_payload_can_break_out_of_its_card(data: st.DataObject) -> None:
    """A card of any text obeys Slack's rules, mentions only the routes' people, and links only to GitHub."""
    event, action = data.draw(events)
    happened, destination = event_of(data.draw(hostile_payloads(action)), event), data.draw(destinations)
    made = card.build(happened, destination)
    assert_inert(made, GITHUB, destination)
    assert_inert(card.line(happened), GITHUB, Destination(channel="C1"))
    again = card.build(happened, destination, posted(wire(made)))
    assert wire(again) == wire(made)


def test_slack_accepts_every_card() -> None:
    """Every card is accepted by the strict stand-in, posted and updated through the real client."""

    @settings(derandomize=True, database=None, deadline=None, max_examples=40)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        event, action = data.draw(events)
        happened, destination = event_of(data.draw(hostile_payloads(action)), event), data.draw(destinations)
        made = card.build(happened, destination)
        ts = slack.post(destination.channel, made)
        slack.update(destination.channel, ts, made)
        assert [dict(block) for block in server.messages[-1].blocks] == wire(made)["blocks"]

    with accepting_server() as (server, slack):
        check()


FORMATTING = re.compile(r"(?<![*_~])(?:(?<![^\W_])[*_~]++|[*_~]++(?![^\W_]))|`")


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.text(st.sampled_from("*_~`|<>&ab1 .\n"), min_size=1, max_size=20))
def test_a_title_cannot_format_the_text_around_it(title: str) -> None:
    """Stars, bars and backticks in titles, names and labels neither end our bold text nor begin code."""
    payload = an_issue(title=title, labels=[title], author=accounts.Account(login=title)).opened().payload
    payload["repository"]["full_name"] = f"acme/{title}"
    text = CONTROL.sub(lambda found: found["label"] or "", lines(card_of(payload))[0])
    [frame] = re.findall("`[^`]*`", text)
    assert FORMATTING.findall(text.replace(frame, "")) == ["*", "*"]
    assert text.startswith(":large_green_circle: *acme/")


def test_formatting_characters_inside_a_word_stay() -> None:
    """An underscore in a name stays, so that a search finds the card; around words it is a look-alike."""
    title = "max_results user__name of `__init__` is *wrong*"
    message = card_of(an_issue(title=title).opened().payload)
    shown = lines(message)[0].partition("|")[2].partition(">")[0]
    assert shown == "max_results user__name of \u02cb\u02cd\u02cdinit\u02cd\u02cd\u02cb is \u2217wrong\u2217"


@pytest.mark.slow
@pytest.mark.parametrize("format_", LAYOUTS)
@pytest.mark.parametrize("character", ["a", "&", "|", "`", "\ud800", "漢", "a/", ".", "> ", "- ", "[", "!["])
def test_a_field_of_300_kb_keeps_the_card_within_the_limits(character: str, format_: str) -> None:
    """No length of any field makes a card that Slack would refuse."""
    huge = character * (300_000 // len(character))
    payload = an_issue(body=huge).opened().payload
    payload["issue"] |= {"title": huge, "labels": [{"name": huge}] * 7, "user": {"login": huge}}
    payload["issue"] |= {"assignees": [{"login": huge}] * 7, "milestone": {"title": huge}}
    payload["sender"]["login"] = huge
    payload["repository"]["full_name"] = huge if character == "a" else f"acme/{huge}"
    for action in ("opened", "reopened", "transferred"):
        card_of({**payload, "action": action}, format=format_)


@pytest.mark.parametrize(
    "name", ["../app", "acme/..", "acme/.", "acme", "acme/app/x", "acme/app?", "acme/a p", "a|b/c", "/app",
             "évil/app", "acme/" + "a" * 101, "acme/app\n"]
)  # fmt: skip
def test_a_name_that_is_no_repository_makes_no_link(name: str) -> None:
    """Only a name of the form owner/name, in GitHub's characters and without .., becomes part of a URL."""
    payload = an_issue().opened().payload
    payload["repository"]["full_name"] = name
    message = card_of(payload)
    assert "http" not in lines(message)[0]
    assert "Export fails" in lines(message)[0]
    assert "http" not in json.dumps(card_of(payload, format="full"))


def test_the_link_ignores_the_payloads_url() -> None:
    """GITHUB_URL, the repository and the number make the link; html_url is ignored."""
    payload = an_issue().opened().payload
    payload["issue"]["html_url"] = "https://evil.example/"
    message = card_of(payload, github_url="https://github.acme.example/here")
    assert "<https://github.acme.example/here/acme/app/issues/7|Export fails>" in lines(message)[0]


@pytest.mark.parametrize("format_", LAYOUTS)
def test_urls_in_titles_do_not_become_links(format_: str) -> None:
    """All mrkdwn is verbatim, so Slack leaves URLs, #names and @names as text."""

    def mrkdwn(value: Any) -> list[dict[str, Any]]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        here = [value] if isinstance(value, dict) and value.get("type") == "mrkdwn" else []
        return here + [element for each in inner for element in mrkdwn(each)]

    message = card_of(an_issue(title="see https://evil.example").closed(MONA, NOON).payload, format=format_)
    assert all(element["verbatim"] is True for element in mrkdwn(message["blocks"]))
    assert len(mrkdwn(message["blocks"])) >= 2


# Metadata


def test_the_metadata_follows_the_contract() -> None:
    """The metadata of a card has the repository's id and the issue's number, which identify it."""
    payload = an_issue().closed(MONA, NOON + timedelta(hours=1)).payload
    assert card_of(payload)["metadata"] == {
        "event_type": "issuewire_card",
        "event_payload": {
            "issue": f"{accounts.number_for('acme/app')}#7",
            "updated_at": "2026-01-05T13:00:00.000000Z",
            "deliveries": ["d-1"],
            "schema": 1,
        },
    }


# Mentions


@pytest.mark.parametrize("format_", LAYOUTS)
def test_only_assignees_are_mentioned(format_: str) -> None:
    """Only assignees in [people] are mentioned; the author and the closing account are shown by name."""
    issue = an_issue(author=MONA)
    issue.assigned(MONA, NOON, accounts.Account(login="W1"))
    issue.assigned(MONA, NOON, accounts.Account(login="stranger"))
    message = card_of(issue.closed(MONA, NOON).payload, format=format_, people=PEOPLE)
    assert sum(text.count("<@") for text in texts(message)) == 1
    assert any("<@W1>, stranger" in text for text in texts(message))
    assert "<" not in message["text"]


@pytest.mark.parametrize("format_", LAYOUTS)
def test_a_new_issue_mentions_the_routes_people(format_: str) -> None:
    """Users and user groups are mentioned where the card is posted, and not in the notification's text.

    An update of the card shows them no more, and its first block's id still names them.
    """
    issue, mention = an_issue(), ("U1MONA", "W2", "S1TEAM")
    message = card_of(issue.opened().payload, format=format_, mention=mention)
    assert context_texts(message)[0].endswith("cc <@U1MONA> <@W2> <!subteam^S1TEAM>")
    assert "<" not in message["text"]
    later = card_of(issue.labeled(MONA, NOON, "bug").payload, format=format_, before=message)
    assert not any("<@" in text or "cc " in text for text in texts(later))
    assert posted(later).mentioned == posted(message).mentioned == mention


# The line of an incoming webhook


def line_of(payload: dict[str, Any]) -> str:
    """Return the line that an incoming webhook posts."""
    made = card.line(event_of(payload))
    assert_inert(made, GITHUB, Destination(channel="webhook"))
    [block] = wire(made)["blocks"]
    return block["text"]["text"]


@pytest.mark.parametrize(
    ("action", "has_line", "has_line_if_muted"),
    [("opened", True, False), ("closed", True, False), ("reopened", True, False), ("labeled", False, False)],
)
def test_only_opened_closed_and_reopened_have_a_line(
    action: str, *, has_line: bool, has_line_if_muted: bool
) -> None:
    """Only opened, closed and reopened have a line, and none if every route mutes the sender."""
    event = event_of({**an_issue().opened().payload, "action": action})
    assert card.has_line(event, Destination(channel="webhook")) is has_line
    muted = Destination(channel="webhook", replies=False, makes_card=False)
    assert card.has_line(event, muted) is has_line_if_muted


def test_the_line_says_what_happened_and_mentions_no_one() -> None:
    """The line names who closed or reopened the issue, because there is no card, and mentions no one."""
    issue = an_issue(labels=["bug"])
    assert line_of(issue.opened().payload) == (
        f":large_green_circle: *acme/app#7* {LINK} · new by octavia · `bug`"
    )
    assert line_of(issue.closed(MONA, NOON + timedelta(hours=2)).payload) == (
        f":white_check_mark: *acme/app#7* {LINK} · octavia, {DAY} · `bug`"
        " · closed as completed by mona · 2 hours after opening"
    )
    assert line_of(issue.reopened(MONA, NOON).payload) == (
        f":large_green_circle: *acme/app#7* {LINK} · octavia, {DAY} · `bug` · reopened by mona"
    )
