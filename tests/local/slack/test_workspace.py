"""The life of a message, driven by Slack's own client: posted, found, updated, replied to, deleted."""

import http.client
import json
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from local.slack.server import SlackServer

CHANNEL = "C0123456789"
OTHER, OLD, FOREIGN, QUIET = "C0OTHER0001", "C0ARCHIVED1", "C0FOREIGN01", "C0QUIET0001"
SECRET, HIDDEN = "C0SECRET001", "C0HIDDEN001"
CHANNELS = {id_: id_.lower() for id_ in (CHANNEL, OTHER, OLD, FOREIGN, QUIET, SECRET, HIDDEN)}
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*new* issue"}}]
METADATA = {"event_type": "issuewire_card", "event_payload": {"issue": "1296269#41", "schema": 1}}
NEWER = {"event_type": "issuewire_card", "event_payload": {"issue": "1296269#41", "schema": 2}}
MISSING = "1234567890.123456"


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1764000000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock():
    """Stand still at one moment."""
    return Clock()


@pytest.fixture
def slack(clock):
    """Run a workspace with two open channels, a private one, and others that are closed in Slack's ways."""
    with SlackServer(
        channels=CHANNELS,
        archived=[OLD],
        not_member=[FOREIGN, HIDDEN],
        restricted=[QUIET],
        private=[SECRET, HIDDEN],
        clock=clock,
    ) as server:
        yield server


@pytest.fixture
def web(slack):
    """Make Slack's own client."""
    return client(slack)


def client(slack: SlackServer) -> WebClient:
    """Make Slack's own client, without its retries."""
    return WebClient("xoxb-local", base_url=slack.url, timeout=20, retry_handlers=[])


def error_of(call: Any, *args: Any, **kwargs: Any) -> Any:
    """Give the answer of a call that must be refused."""
    with pytest.raises(SlackApiError) as refusal:
        call(*args, **kwargs)
    return refusal.value.response


def texts(answer: Any) -> list[str]:
    """Give the texts of a page."""
    return [message["text"] for message in answer["messages"]]


def post(web: WebClient, text: str, **arguments: Any) -> str:
    """Post to the channel and give the ts."""
    return web.chat_postMessage(channel=CHANNEL, text=text, **arguments)["ts"]


def test_history_gives_a_channels_own_messages_newest_first(web):
    """Neither replies nor the messages of another channel are in it."""
    first = post(web, "first")
    post(web, "second")
    post(web, "reply", thread_ts=first)
    web.chat_postMessage(channel=OTHER, text="elsewhere")
    answer = web.conversations_history(channel=CHANNEL)
    assert texts(answer) == ["second", "first"]
    assert (answer["has_more"], answer["response_metadata"]["next_cursor"]) == (False, "")
    assert texts(web.conversations_history(channel=OTHER)) == ["elsewhere"]


def test_history_shows_a_message_as_the_post_did(web):
    """Type, ts, text, blocks and the app are in it; thread and edit only where there are any."""
    answer = web.chat_postMessage(channel=CHANNEL, text="card", blocks=BLOCKS)
    (shown,) = web.conversations_history(channel=CHANNEL)["messages"]
    assert shown == answer["message"]
    assert (shown["type"], shown["ts"], shown["blocks"]) == ("message", answer["ts"], BLOCKS)
    assert shown["app_id"].startswith("A")
    assert shown["bot_id"] == web.auth_test()["bot_id"]
    assert {"edited", "thread_ts", "reply_count", "latest_reply", "metadata"}.isdisjoint(shown)


def test_metadata_is_shown_only_on_request(web):
    """Without include_all_metadata both history and replies tell its type alone."""
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


def test_a_parent_tells_of_its_replies(web):
    """thread_ts, reply_count and latest_reply stand on a message once it has replies."""
    parent = post(web, "card")
    post(web, "closed", thread_ts=parent)
    latest = post(web, "reopened", thread_ts=parent)
    (shown,) = web.conversations_history(channel=CHANNEL)["messages"]
    assert (shown["thread_ts"], shown["reply_count"], shown["latest_reply"]) == (parent, 2, latest)


def test_history_is_paged_by_the_official_client(web):
    """The client follows the cursors from page to page, each of at most limit messages."""
    for number in range(5):
        post(web, str(number))
    pages = [texts(page) for page in web.conversations_history(channel=CHANNEL, limit=2)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


def test_a_span_of_history_is_asked_for_by_time(web, clock):
    """Oldest and latest bound it, exclusively unless told otherwise."""
    stamps = []
    for number in range(4):
        clock.now += 10
        stamps.append(post(web, str(number)))
    span = {"channel": CHANNEL, "oldest": stamps[0], "latest": stamps[3]}
    assert texts(web.conversations_history(**span)) == ["2", "1"]
    assert texts(web.conversations_history(**span, inclusive=True)) == ["3", "2", "1", "0"]


def test_a_get_reads_like_a_post(slack, web):
    """A query string carries the same arguments as a form or JSON; a write by GET stays refused."""
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
    """Parent, then replies, oldest first, also over pages; a message without replies is its own thread."""
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


def test_a_thread_is_known_by_its_parent(web):
    """An unknown ts, that of another channel's message, and that of a reply are thread_not_found."""
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
def test_a_reading_that_slack_would_misread_is_refused(web, arguments, error):
    """Both methods that read have the same errors, each under Slack's name."""
    ts = post(web, "card")
    assert error_of(web.conversations_history, channel=CHANNEL, **arguments)["error"] == error
    assert error_of(web.conversations_replies, channel=CHANNEL, ts=ts, **arguments)["error"] == error


@pytest.mark.parametrize(
    ("channel", "reading", "writing"),
    [
        ("C0UNKNOWN01", "channel_not_found", "channel_not_found"),
        (FOREIGN, "not_in_channel", "not_in_channel"),
        (HIDDEN, "channel_not_found", "channel_not_found"),
        (OLD, None, "is_archived"),
        (QUIET, None, "restricted_action"),
        (SECRET, None, None),
    ],
)
def test_a_closed_channel_can_be_read_by_its_members_only(web, channel, reading, writing):
    """An archived or restricted channel is read but not written; an app outside does neither.

    Of an archived one, chat.update has a name of its own.
    """
    calls = [(web.conversations_history, {}, reading)]
    if reading:
        calls.append((web.conversations_replies, {"ts": MISSING}, reading))
    updating = "is_inactive" if writing == "is_archived" else writing
    calls.append((web.chat_update, {"ts": MISSING, "text": "a"}, updating or "message_not_found"))
    calls.append((web.chat_delete, {"ts": MISSING}, writing or "message_not_found"))
    for call, arguments, error in calls:
        if error is None:
            assert call(channel=channel, **arguments)["messages"] == []
        else:
            assert error_of(call, channel=channel, **arguments)["error"] == error


def test_an_update_takes_the_place_of_the_message(slack, web):
    """Ts and place in the channel stay; text, blocks and metadata are new."""
    ts = post(web, "open", metadata=METADATA)
    post(web, "later")
    answer = web.chat_update(channel=CHANNEL, ts=ts, text="closed", blocks=BLOCKS, metadata=NEWER)
    assert (answer["channel"], answer["ts"], answer["text"]) == (CHANNEL, ts, "closed")
    newest, shown = web.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"]
    assert shown == answer["message"]
    assert (shown["ts"], shown["text"], shown["blocks"], shown["metadata"]) == (ts, "closed", BLOCKS, NEWER)
    assert [(message.ts, message.text) for message in slack.messages] == [
        (ts, "closed"),
        (newest["ts"], "later"),
    ]


def test_only_an_update_without_blocks_counts_as_edited(slack, web, clock):
    """Slack puts no mark beside a message whose blocks are new."""
    ts = post(web, "open")
    clock.now += 60
    shown = web.chat_update(channel=CHANNEL, ts=ts, text="closed")["message"]
    assert shown["edited"] == {"ts": "1764000060.000000", "user": shown["bot_id"]}
    assert "(edited)" in slack.page()
    shown = web.chat_update(channel=CHANNEL, ts=ts, text="closed", blocks=BLOCKS)["message"]
    assert "edited" not in shown
    assert "(edited)" not in slack.page()


def test_an_update_keeps_metadata_unless_told_and_blocks_only_when_told(slack, web):
    """Metadata stays when it is not given and goes with {}; a text without blocks removes the blocks."""
    ts = post(web, "open", blocks=BLOCKS, metadata=METADATA)
    web.chat_update(channel=CHANNEL, ts=ts, text="closed")
    assert (slack.messages[0].metadata, slack.messages[0].blocks) == (METADATA, ())
    web.chat_update(channel=CHANNEL, ts=ts, text="closed", metadata={})
    assert slack.messages[0].metadata is None
    assert (
        "metadata" not in web.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"][0]
    )


def test_an_update_of_a_reply_stays_in_its_thread(web):
    """And an update of a parent leaves its thread as it is."""
    parent = post(web, "card")
    reply = post(web, "reply", thread_ts=parent)
    web.chat_update(channel=CHANNEL, ts=reply, text="better reply")
    answer = web.chat_update(channel=CHANNEL, ts=parent, text="better card")
    assert (answer["message"]["reply_count"], answer["message"]["latest_reply"]) == (1, reply)
    thread = web.conversations_replies(channel=CHANNEL, ts=parent)
    assert texts(thread) == ["better card", "better reply"]
    assert texts(web.conversations_history(channel=CHANNEL)) == ["better card"]


def test_an_update_is_as_strict_as_a_post(slack, web):
    """A refused one changes nothing, and says why in Slack's words."""
    ts = post(web, "open", blocks=BLOCKS, metadata=METADATA)
    before = slack.messages
    bad = [{"type": "section", "text": {"type": "mrkdwn", "text": "a" * 3001}}]
    for arguments, error in (
        ({"text": "a", "blocks": bad}, "invalid_blocks"),
        ({"text": "a < b"}, "invalid_arguments"),
        ({"text": "a", "metadata": {"event_type": "card"}}, "invalid_metadata_schema"),
        ({"text": "a", "unfurl_links": False}, "invalid_arguments"),
        ({"text": " "}, "no_text"),
    ):
        refused = error_of(web.api_call, "chat.update", json={"channel": CHANNEL, "ts": ts, **arguments})
        assert refused["error"] == error
    assert slack.messages == before


@pytest.mark.parametrize(
    ("method", "foreign"),
    [("chat.update", "cant_update_message"), ("chat.delete", "cant_delete_message")],
)
def test_only_what_the_app_posted_itself_can_be_changed(slack, web, method, foreign):
    """A message of a webhook is not the token's, and one of another channel is not found."""
    WebhookClient(slack.webhook_url, timeout=20, retry_handlers=[]).send(text="by webhook")
    elsewhere = web.chat_postMessage(channel=OTHER, text="elsewhere")["ts"]
    content = {"text": "a"} if method == "chat.update" else {}
    for ts, error in (
        (slack.messages[0].ts, foreign),
        (elsewhere, "message_not_found"),
        (MISSING, "message_not_found"),
    ):
        refused = error_of(web.api_call, method, json={"channel": CHANNEL, "ts": ts, **content})
        assert refused["error"] == error
    refused = error_of(web.api_call, method, json={"channel": CHANNEL, **content})
    assert refused["errors"] == ["missing required field: ts"]
    assert [message.text for message in slack.messages] == ["by webhook", "elsewhere"]


def test_a_deleted_message_is_gone(slack, web):
    """From the history, from the messages and from the page; a second deletion finds nothing."""
    ts = post(web, "doomed")
    post(web, "spared")
    answer = web.chat_delete(channel=CHANNEL, ts=ts)
    assert (answer["channel"], answer["ts"]) == (CHANNEL, ts)
    assert texts(web.conversations_history(channel=CHANNEL)) == ["spared"]
    assert [message.text for message in slack.messages] == ["spared"]
    assert "doomed" not in slack.page()
    assert "spared" in slack.page()
    assert error_of(web.chat_delete, channel=CHANNEL, ts=ts)["error"] == "message_not_found"
    assert error_of(web.chat_update, channel=CHANNEL, ts=ts, text="a")["error"] == "message_not_found"
    assert error_of(web.conversations_replies, channel=CHANNEL, ts=ts)["error"] == "thread_not_found"


def test_a_reply_to_a_deleted_message_falls_into_the_channel(web):
    """Slack calls it ok; that no thread_ts comes back is the only sign."""
    ts = post(web, "doomed")
    web.chat_delete(channel=CHANNEL, ts=ts)
    answer = web.chat_postMessage(channel=CHANNEL, text="reply", thread_ts=ts)
    assert "thread_ts" not in answer["message"]
    assert texts(web.conversations_history(channel=CHANNEL)) == ["reply"]


def test_a_deleted_parent_leaves_a_tombstone_until_its_last_reply_goes(slack, web):
    """History and replies show subtype tombstone in its place, with nothing of what it said."""
    parent = post(web, "card", blocks=BLOCKS, metadata=METADATA)
    reply = post(web, "reply", thread_ts=parent)
    post(web, "later")
    web.chat_delete(channel=CHANNEL, ts=parent)
    _, tombstone = web.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"]
    assert (tombstone["subtype"], tombstone["ts"]) == ("tombstone", parent)
    assert (tombstone["thread_ts"], tombstone["reply_count"]) == (parent, 1)
    assert {"blocks", "metadata", "bot_id", "app_id"}.isdisjoint(tombstone)
    assert web.conversations_replies(channel=CHANNEL, ts=parent)["messages"][0] == tombstone
    assert [message.text for message in slack.messages] == ["reply", "later"]
    another = web.chat_postMessage(channel=CHANNEL, text="another", thread_ts=parent)
    assert another["message"]["thread_ts"] == parent
    for ts in (reply, another["ts"]):
        web.chat_delete(channel=CHANNEL, ts=ts)
    assert texts(web.conversations_history(channel=CHANNEL)) == ["later"]


@pytest.mark.parametrize(
    ("method", "arguments", "needed"),
    [
        ("chat.postMessage", {"channel": CHANNEL, "text": "a"}, "chat:write"),
        ("chat.update", {"channel": CHANNEL, "ts": MISSING, "text": "a"}, "chat:write"),
        ("chat.delete", {"channel": CHANNEL, "ts": MISSING}, "chat:write"),
        ("conversations.history", {"channel": CHANNEL}, "channels:history"),
        ("conversations.history", {"channel": SECRET}, "groups:history"),
        ("conversations.replies", {"channel": CHANNEL, "ts": MISSING}, "channels:history"),
        ("conversations.replies", {"channel": SECRET, "ts": MISSING}, "groups:history"),
        ("conversations.history", {"channel": ["C"]}, "channels:history"),
    ],
)
def test_a_method_without_its_scope_names_the_scope(method, arguments, needed):
    """missing_scope tells what is needed and what the app was given; the scope is looked at first."""
    scopes = {"chat:write", "channels:history", "groups:history"} - {needed}
    with SlackServer(channels=CHANNELS, private=[SECRET], scopes=scopes) as slack:
        refused = error_of(client(slack).api_call, method, json=arguments)
        assert (refused["error"], refused["needed"]) == ("missing_scope", needed)
        assert refused["provided"] == ",".join(sorted(scopes))
        assert slack.messages == []


def test_a_token_is_tested_without_any_scope():
    """auth.test needs none, and an incoming webhook has its own right to post."""
    with SlackServer(scopes=()) as slack:
        assert client(slack).auth_test()["ok"] is True
        assert WebhookClient(slack.webhook_url, timeout=20, retry_handlers=[]).send(text="a").body == "ok"
        assert error_of(client(slack).conversations_history, channel=CHANNEL)["provided"] == ""


def test_history_lags_behind_the_post(clock):
    """A message is in the history only once it is as old as the lag; its thread is there at once."""
    with SlackServer(history_lag=2.0, clock=clock) as slack:
        web = client(slack)
        ts = post(web, "card")
        clock.now += 1.5
        assert web.conversations_history(channel=CHANNEL)["messages"] == []
        assert texts(web.conversations_replies(channel=CHANNEL, ts=ts)) == ["card"]
        web.chat_update(channel=CHANNEL, ts=ts, text="updated")
        assert [message.text for message in slack.messages] == ["updated"]
        clock.now += 0.5
        assert texts(web.conversations_history(channel=CHANNEL)) == ["updated"]


def test_without_a_lag_history_has_what_was_just_posted(web):
    """Also when messages come faster than the clock ticks."""
    for number in range(3):
        post(web, str(number))
    assert texts(web.conversations_history(channel=CHANNEL)) == ["2", "1", "0"]


METHODS = {
    "chat.update": {"text": "updated"},
    "chat.delete": {},
    "conversations.history": {},
    "conversations.replies": {},
}


@pytest.mark.parametrize("method", METHODS)
def test_a_fault_meets_the_method_it_is_for(slack, web, method):
    """Only that method is limited, once, with Slack's own words; then it works."""
    ts = post(web, "card")
    named = {} if method == "conversations.history" else {"ts": ts}
    arguments = {"channel": CHANNEL, **named, **METHODS[method]}
    slack.fail_next(method=method, status=429, headers={"Retry-After": "7"})
    post(web, "untouched")
    limited = error_of(web.api_call, method, json=arguments)
    assert (limited.status_code, limited.headers["Retry-After"], limited["error"]) == (
        429,
        "7",
        "ratelimited",
    )
    assert [message.text for message in slack.messages] == ["card", "untouched"]
    assert web.api_call(method, json=arguments)["ok"] is True
    assert [name for name, _ in slack.requests][-2:] == [method, method]


@pytest.mark.parametrize(("method", "left"), [("chat.update", ["updated"]), ("chat.delete", [])])
def test_an_update_or_a_deletion_may_happen_though_its_answer_is_lost(slack, web, method, left):
    """With after the work is done; without, nothing is; the client sees the same."""
    arguments = {"channel": CHANNEL, "ts": post(web, "card"), **METHODS[method]}
    lost = (http.client.RemoteDisconnected, ConnectionResetError)
    slack.fail_next(method=method, drop=True)
    with pytest.raises(lost):
        web.api_call(method, json=arguments)
    assert [message.text for message in slack.messages] == ["card"]
    slack.fail_next(method=method, drop=True, after=True)
    with pytest.raises(lost):
        web.api_call(method, json=arguments)
    assert [message.text for message in slack.messages] == left
