"""History and threads, read by Slack's own client."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from local.slack.server import SlackServer
from tests.support.slack_clients import (
    BLOCKS,
    CHANNEL,
    METADATA,
    MISSING,
    OTHER,
    client,
    error_of,
    post,
    texts,
)


def test_history_has_the_channels_own_messages_newest_first(web):
    """It has neither replies nor the messages of another channel."""
    first = post(web, "first")
    post(web, "second")
    post(web, "reply", thread_ts=first)
    web.chat_postMessage(channel=OTHER, text="elsewhere")
    answer = web.conversations_history(channel=CHANNEL)
    assert texts(answer) == ["second", "first"]
    assert (answer["has_more"], answer["response_metadata"]["next_cursor"]) == (False, "")
    assert texts(web.conversations_history(channel=OTHER)) == ["elsewhere"]


def test_history_shows_a_message_as_the_post_did(web):
    """It has type, ts, text, blocks and app; thread, edit and metadata only if there are any."""
    answer = web.chat_postMessage(channel=CHANNEL, text="card", blocks=BLOCKS)
    (shown,) = web.conversations_history(channel=CHANNEL)["messages"]
    assert shown == answer["message"]
    assert (shown["type"], shown["ts"], shown["blocks"]) == ("message", answer["ts"], BLOCKS)
    assert shown["app_id"].startswith("A")
    assert shown["bot_id"] == web.auth_test()["bot_id"]
    assert {"edited", "thread_ts", "reply_count", "latest_reply", "metadata"}.isdisjoint(shown)


def test_metadata_is_shown_only_on_request(web):
    """Without include_all_metadata, history and replies show only its type."""
    ts = post(web, "card", metadata=METADATA)
    asked = web.conversations_history(channel=CHANNEL, include_all_metadata=True)
    assert asked["messages"][0]["metadata"] == METADATA
    asked = web.conversations_replies(channel=CHANNEL, ts=ts, include_all_metadata=True)
    assert asked["messages"][0]["metadata"] == METADATA
    for answer in (
        web.conversations_history(channel=CHANNEL),
        web.conversations_history(channel=CHANNEL, include_all_metadata=False),
        web.conversations_replies(channel=CHANNEL, ts=ts),
    ):
        assert answer["messages"][0]["metadata"] == {"event_type": METADATA["event_type"]}


def test_a_parent_shows_its_replies(web):
    """A message with replies has thread_ts, reply_count and latest_reply."""
    parent = post(web, "card")
    post(web, "closed", thread_ts=parent)
    latest = post(web, "reopened", thread_ts=parent)
    (shown,) = web.conversations_history(channel=CHANNEL)["messages"]
    assert (shown["thread_ts"], shown["reply_count"], shown["latest_reply"]) == (parent, 2, latest)


def test_the_official_client_follows_the_pages_of_history(web):
    """The client follows the cursors from page to page, each of at most limit messages."""
    for number in range(5):
        post(web, str(number))
    pages = [texts(page) for page in web.conversations_history(channel=CHANNEL, limit=2)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


def test_a_call_can_ask_for_a_time_range(web, clock):
    """Oldest and latest bound it, and belong to it only if inclusive."""
    stamps = []
    for number in range(4):
        clock.sleep(10)
        stamps.append(post(web, str(number)))
    span = {"channel": CHANNEL, "oldest": stamps[0], "latest": stamps[3]}
    assert texts(web.conversations_history(**span)) == ["2", "1"]
    assert texts(web.conversations_history(**span, inclusive=True)) == ["3", "2", "1", "0"]


def test_a_get_reads_like_a_post(slack, web):
    """A query string carries the same arguments as a form or JSON; a write by GET is refused."""
    post(web, "card", metadata=METADATA)
    headers = {"Authorization": "Bearer xoxb-local"}

    def get(path: str) -> Any:
        request = urllib.request.Request(slack.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    by_get = get(f"conversations.history?channel={CHANNEL}&limit=9&include_all_metadata=true")
    arguments = {"channel": CHANNEL, "limit": 9, "include_all_metadata": True}
    assert by_get == web.api_call("conversations.history", json=arguments).data
    assert by_get["messages"][0]["metadata"] == METADATA
    for method in ("chat.update", "chat.delete"):
        assert get(f"{method}?channel={CHANNEL}")["error"] == "invalid_post_type"


def test_replies_are_a_thread_with_its_parent_first(web):
    """The parent and then its replies, oldest first, also over pages; without replies the parent alone."""
    parent, lonely = post(web, "card"), post(web, "lonely")
    for number in range(4):
        post(web, str(number), thread_ts=parent)
    assert texts(web.conversations_replies(channel=CHANNEL, ts=parent)) == ["card", "0", "1", "2", "3"]
    pages = [texts(page) for page in web.conversations_replies(channel=CHANNEL, ts=parent, limit=2)]
    assert pages == [["card", "0"], ["1", "2"], ["3"]]
    shown = web.conversations_replies(channel=CHANNEL, ts=parent)["messages"]
    assert {message["thread_ts"] for message in shown} == {parent}
    assert [message.get("reply_count") for message in shown] == [4, None, None, None, None]
    assert texts(web.conversations_replies(channel=CHANNEL, ts=lonely)) == ["lonely"]


def test_a_thread_is_read_by_the_ts_of_its_parent(web):
    """An unknown ts, the ts of another channel's message and that of a reply are thread_not_found."""
    parent = post(web, "card")
    reply = post(web, "reply", thread_ts=parent)
    elsewhere = web.chat_postMessage(channel=OTHER, text="elsewhere")["ts"]
    for ts in (MISSING, reply, elsewhere):
        assert error_of(web.conversations_replies, channel=CHANNEL, ts=ts)["error"] == "thread_not_found"
    refused = error_of(web.api_call, "conversations.replies", json={"channel": CHANNEL})
    assert (refused["error"], refused["errors"]) == ("invalid_arguments", ["missing required field: ts"])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"limit": 1000}, "invalid_limit"),
        ({"cursor": "page2"}, "invalid_cursor"),
        ({"oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"latest": "now"}, "invalid_ts_latest"),
        ({"inclusive": "perhaps"}, "invalid_arguments"),
        ({"count": 10}, "invalid_arguments"),
    ],
)
def test_arguments_that_slack_would_misread_are_refused(web, arguments, error):
    """Both methods that read have the same errors, with Slack's names."""
    ts = post(web, "card")
    assert error_of(web.conversations_history, channel=CHANNEL, **arguments)["error"] == error
    assert error_of(web.conversations_replies, channel=CHANNEL, ts=ts, **arguments)["error"] == error


def test_history_lags_behind_the_post(clock):
    """History shows a message only once it is as old as the lag; its thread is there at once."""
    with SlackServer(history_lag=2.0, clock=clock) as slack:
        web = client(slack)
        ts = post(web, "card")
        clock.sleep(1.5)
        assert web.conversations_history(channel=CHANNEL)["messages"] == []
        assert texts(web.conversations_replies(channel=CHANNEL, ts=ts)) == ["card"]
        web.chat_update(channel=CHANNEL, ts=ts, text="updated")
        assert [message.text for message in slack.messages] == ["updated"]
        clock.sleep(0.5)
        assert texts(web.conversations_history(channel=CHANNEL)) == ["updated"]


def test_without_a_lag_history_has_the_newest_post(web):
    """This is so even if messages come faster than the clock ticks."""
    for number in range(3):
        post(web, str(number))
    assert texts(web.conversations_history(channel=CHANNEL)) == ["2", "1", "0"]
