"""The routes of the local Slack, called by Slack's own client."""

import json
import urllib.error
import urllib.request

import pytest

from local.slack.message import Message
from local.slack.server import SlackServer
from tests.support.slack_clients import (
    BLOCKS,
    CHANNEL,
    FOREIGN,
    METADATA,
    OLD,
    QUIET,
    TOKEN,
    client,
    error_of,
    raw,
)


def test_a_posted_message_is_answered_as_in_slack_and_stored_as_sent(slack):
    """The answer has channel, ts and message; the stored message has every part of the post."""
    answer = client(slack).chat_postMessage(
        channel=CHANNEL, text="new issue", blocks=BLOCKS, metadata=METADATA, unfurl_links=False
    )
    assert answer["ok"] is True
    assert answer["channel"] == CHANNEL
    assert answer["message"]["text"] == "new issue"
    assert answer["message"]["blocks"] == BLOCKS
    assert answer["message"]["metadata"] == METADATA
    assert slack.messages == [
        Message(
            channel=CHANNEL,
            ts=answer["ts"],
            text="new issue",
            blocks=tuple(BLOCKS),
            metadata=METADATA,
            thread_ts=None,
            via="api",
        )
    ]
    assert slack.requests == [
        (
            "chat.postMessage",
            {
                "channel": CHANNEL,
                "text": "new issue",
                "blocks": BLOCKS,
                "metadata": METADATA,
                "unfurl_links": False,
            },
        )
    ]


def test_a_form_is_read_like_json(slack):
    """Slack's older encoding gives the same message, with or without /api before the method."""
    form = {"channel": CHANNEL, "text": "a", "blocks": json.dumps(BLOCKS), "metadata": json.dumps(METADATA)}
    client(slack).api_call("chat.postMessage", data=form)
    body = f"channel={CHANNEL}&text=a&unfurl_links=false".encode()
    status, answer = raw(
        slack,
        "POST",
        "/chat.postMessage",
        body,
        Authorization=f"Bearer {TOKEN}",
        Content_Type="application/x-www-form-urlencoded",
    )
    assert (status, json.loads(answer)["ok"]) == (200, True)
    first, second = slack.messages
    assert (first.blocks, first.metadata, second.text) == (tuple(BLOCKS), METADATA, "a")


def test_the_token_is_checked(slack):
    """auth.test names the bot; no token is not_authed, another token invalid_auth."""
    assert client(slack).auth_test()["bot_id"].startswith("B")
    assert error_of(client(slack, None).auth_test)["error"] == "not_authed"
    assert error_of(client(slack, "xoxb-other").auth_test)["error"] == "invalid_auth"
    assert error_of(client(slack, "xoxb-other").chat_postMessage, channel=CHANNEL, text="a")["error"] == (
        "invalid_auth"
    )
    assert raw(slack, "POST", "/api/auth.test", b"", Authorization=TOKEN)[1] == (
        b'{"ok": false, "error": "invalid_auth"}'
    )


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0UNKNOWN01", "channel_not_found"),
        ("#bugs", "channel_not_found"),
        (OLD, "is_archived"),
        (FOREIGN, "not_in_channel"),
        (QUIET, "restricted_action"),
    ],
)
def test_a_post_into_a_closed_channel_is_refused_by_name(slack, channel, error):
    """The channel is unknown, given by name instead of id, archived, not joined, or restricted."""
    assert error_of(client(slack).chat_postMessage, channel=channel, text="a")["error"] == error
    assert slack.messages == []


def test_a_missing_channel_is_not_found(slack):
    """A post that names no channel gets the same error as one into an unknown channel."""
    assert error_of(client(slack).api_call, "chat.postMessage", json={"text": "a"})["error"] == (
        "channel_not_found"
    )


def test_a_refused_message_is_explained_but_not_stored(slack, caplog):
    """response_metadata and the log have Slack's sentences, and the request is still recorded."""
    bad = [{"type": "section", "text": {"type": "mrkdwn", "text": "a" * 3001}}]
    answer = error_of(client(slack).chat_postMessage, channel=CHANNEL, text="a", blocks=bad)
    sentence = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"][-1] == f"[ERROR] {sentence}"
    assert answer["errors"][-1] == sentence
    assert "refused chat.postMessage: invalid_blocks: failed" in caplog.text
    assert sentence in caplog.text
    assert slack.messages == []
    assert [name for name, _ in slack.requests] == ["chat.postMessage"]


def test_an_unreadable_or_unknown_call_is_refused(slack):
    """Bad JSON, an unknown method and a write by GET are ok false, each with its own error."""
    auth = {"Authorization": f"Bearer {TOKEN}"}
    _, answer = raw(slack, "POST", "/api/chat.postMessage", b"{", Content_Type="application/json", **auth)
    assert json.loads(answer)["error"] == "invalid_json"
    assert error_of(client(slack).api_call, "chat.scream", json={})["error"] == "unknown_method"
    _, answer = raw(slack, "GET", f"/api/chat.postMessage?channel={CHANNEL}&text=a", **auth)
    assert json.loads(answer)["error"] == "invalid_post_type"
    assert slack.requests == [
        ("chat.postMessage", {}),
        ("chat.scream", {}),
        ("chat.postMessage", {"channel": CHANNEL, "text": "a"}),
    ]
    assert slack.messages == []


def test_a_reply_needs_a_parent_in_its_channel(slack):
    """The parent of a reply is a stored message of the channel that is not a reply itself."""
    post = client(slack).chat_postMessage
    parent = post(channel=CHANNEL, text="card")["ts"]
    reply = post(channel=CHANNEL, text="closed", thread_ts=parent)
    assert reply["message"]["thread_ts"] == parent
    assert [message.thread_ts for message in slack.messages] == [None, parent]
    for missing in (reply["ts"], "1234567890.123456"):
        refused = error_of(post, channel=CHANNEL, text="a", thread_ts=missing)
        assert refused["error"] == "thread_not_found"


def test_no_two_messages_have_the_same_ts():
    """Ts identifies a message: it grows even if the clock does not move or goes back."""
    hours = iter([1764000000.5, 1764000000.5, 1763000000.0])
    with SlackServer(clock=lambda: next(hours)) as slack:
        for _ in range(3):
            client(slack).chat_postMessage(channel=CHANNEL, text="a")
        assert [message.ts for message in slack.messages] == [
            "1764000000.500000",
            "1764000000.500001",
            "1764000000.500002",
        ]


def test_the_page_and_the_messages_are_served(slack):
    """A browser gets the cards, a program gets them as JSON."""
    client(slack).chat_postMessage(channel=CHANNEL, text="a", blocks=BLOCKS, metadata=METADATA)
    with urllib.request.urlopen(slack.console_url, timeout=20) as page:
        assert page.headers.get_content_type() == "text/html"
        assert "<b>new</b> issue" in page.read().decode()
    kept = json.loads(raw(slack, "GET", "/messages.json")[1])
    assert kept == [
        {
            "channel": CHANNEL,
            "ts": slack.messages[0].ts,
            "text": "a",
            "blocks": BLOCKS,
            "metadata": METADATA,
            "thread_ts": None,
            "via": "api",
            "edited": None,
            "attachments": [],
        }
    ]
    assert len(slack.requests) == 1  # only calls to Slack are on record


def test_the_page_is_drawn_again_only_after_a_change(slack):
    """A browser that reloads the page costs nothing while no message is new, updated or deleted."""
    ts = client(slack).chat_postMessage(channel=CHANNEL, text="first")["ts"]
    page = slack.page()
    assert slack.page() is page
    client(slack).chat_update(channel=CHANNEL, ts=ts, text="second")
    assert "second" in slack.page()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Content_Length": "2000001"}, 413), ({"Content_Length": "-1"}, 411), ({"Content_Length": "x"}, 411)],
)
def test_a_body_without_a_length_or_with_an_excessive_one_is_not_read(slack, headers, status):
    """The answer comes before the body."""
    assert raw(slack, "POST", "/api/auth.test", None, **headers)[0] == status
