"""The stand-in for Slack, driven by Slack's own client library."""

import http.client
import json
import socket
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from local.slack.faults import Fault
from local.slack.message import Message
from local.slack.server import SlackServer
from tests.support.clock import FakeClock

TOKEN = "xoxb-local"
CHANNEL = "C0123456789"
OLD, FOREIGN, QUIET = "C0ARCHIVED1", "C0FOREIGN01", "C0QUIET0001"
CHANNELS = {CHANNEL: "bugs", OLD: "old", FOREIGN: "foreign", QUIET: "quiet"}
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*new* issue"}}]
METADATA = {"event_type": "issuewire_card", "event_payload": {"issue": "1296269#41", "schema": 1}}


@pytest.fixture
def slack():
    """Run a workspace with one open channel and three closed in Slack's three ways."""
    with SlackServer(channels=CHANNELS, archived=[OLD], not_member=[FOREIGN], restricted=[QUIET]) as server:
        yield server


def client(slack: SlackServer, token: str | None = TOKEN, timeout: int = 20) -> WebClient:
    """Make Slack's own client, without its retries."""
    return WebClient(token, base_url=slack.url, timeout=timeout, retry_handlers=[])


def hook(url: str) -> WebhookClient:
    """Make Slack's own webhook client, without its retries."""
    return WebhookClient(url, timeout=20, retry_handlers=[])


def error_of(call: Any, *args: Any, **kwargs: Any) -> Any:
    """Give the answer of a call that must be refused."""
    with pytest.raises(SlackApiError) as refusal:
        call(*args, **kwargs)
    return refusal.value.response


def raw(
    slack: SlackServer, verb: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    """Send one request as it stands; a header's underscores become dashes."""
    connection = http.client.HTTPConnection(urlsplit(slack.console_url).netloc, timeout=20)
    try:
        connection.request(
            verb, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_posted_message_is_answered_as_slack_does_and_kept_as_sent(slack):
    """The answer holds channel, ts and message; what is kept has every part that was posted."""
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


def test_the_token_is_tested(slack):
    """auth.test names the bot; without a token it is not_authed, with another invalid_auth."""
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
def test_a_channel_that_cannot_be_posted_to_is_refused_by_name(slack, channel, error):
    """Unknown, named instead of given by id, archived, not joined, or restricted."""
    assert error_of(client(slack).chat_postMessage, channel=channel, text="a")["error"] == error
    assert slack.messages == []


def test_a_missing_channel_is_not_found(slack):
    """A post that names no channel has the same error as one to an unknown channel."""
    assert error_of(client(slack).api_call, "chat.postMessage", json={"text": "a"})["error"] == (
        "channel_not_found"
    )


def test_a_refused_message_is_explained_but_not_kept(slack, caplog):
    """response_metadata has Slack's sentences, the log has them too, and the request is still on record."""
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
    """Bad JSON, a method nobody serves, and a write by GET: each is ok false with its error."""
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
    """A thread is a kept message of the channel that is no reply itself."""
    post = client(slack).chat_postMessage
    parent = post(channel=CHANNEL, text="card")["ts"]
    reply = post(channel=CHANNEL, text="closed", thread_ts=parent)
    assert reply["message"]["thread_ts"] == parent
    assert [message.thread_ts for message in slack.messages] == [None, parent]
    for missing in (reply["ts"], "1234567890.123456"):
        refused = error_of(post, channel=CHANNEL, text="a", thread_ts=missing)
        assert refused["error"] == "thread_not_found"


def test_a_timestamp_is_never_given_twice():
    """Ts is the message's identity: it grows even when the clock stands still or goes back."""
    hours = iter([1764000000.5, 1764000000.5, 1763000000.0])
    with SlackServer(clock=lambda: next(hours)) as slack:
        for _ in range(3):
            client(slack).chat_postMessage(channel=CHANNEL, text="a")
        assert [message.ts for message in slack.messages] == [
            "1764000000.500000",
            "1764000000.500001",
            "1764000000.500002",
        ]


def test_a_webhook_posts_to_its_channel(slack):
    """An incoming webhook answers ok as text and names no message; a form with a payload works too."""
    answer = hook(slack.webhook_url).send(text="new issue", blocks=BLOCKS)
    assert (answer.status_code, answer.body) == (200, "ok")
    form = b"payload=%7B%22text%22%3A%22a%22%7D"
    path = urlsplit(slack.webhook_url).path
    assert raw(slack, "POST", path, form, Content_Type="application/x-www-form-urlencoded") == (200, b"ok")
    assert [(message.channel, message.text, message.via) for message in slack.messages] == [
        (CHANNEL, "new issue", "webhook"),
        (CHANNEL, "a", "webhook"),
    ]
    assert slack.requests[0] == ("webhook", {"text": "new issue", "blocks": BLOCKS})


@pytest.mark.parametrize(
    ("message", "status", "error"),
    [
        ({"blocks": []}, 400, "no_text"),
        ({"text": " "}, 400, "no_text"),
        ({"text": "a < b"}, 400, "invalid_payload"),
        ({"text": "a", "channel": CHANNEL}, 400, "invalid_payload"),
        ({"text": "a", "blocks": [{"type": "headline"}]}, 400, "invalid_blocks"),
        ({"text": "a", "blocks": {}}, 400, "invalid_blocks_format"),
    ],
)
def test_a_webhook_refuses_in_plain_text(slack, message, status, error):
    """What the payload got wrong is a 400 with the error as its body."""
    answer = hook(slack.webhook_url).send_dict(message)
    assert (answer.status_code, answer.body) == (status, error)
    assert slack.messages == []


@pytest.mark.parametrize(
    ("channel", "status", "error"),
    [
        ("C0UNKNOWN01", 404, "channel_not_found"),
        (OLD, 410, "channel_is_archived"),
        (QUIET, 403, "action_prohibited"),
    ],
)
def test_a_webhook_whose_channel_is_closed_says_so_by_status(slack, channel, status, error):
    """A channel that was deleted, archived or restricted has its own status."""
    answer = hook(slack.webhook_for(channel)).send(text="a")
    assert (answer.status_code, answer.body) == (status, error)


def test_a_webhook_that_does_not_exist_or_is_sent_no_json_is_refused(slack):
    """A revoked URL is 404 no_service; a body that is no JSON object is 400 invalid_payload."""
    answer = hook(slack.webhook_url + "x").send(text="a")
    assert (answer.status_code, answer.body) == (404, "no_service")
    path = urlsplit(slack.webhook_url).path
    for body in (b"text", b"[]"):
        answer_to = raw(slack, "POST", path, body, Content_Type="application/json")
        assert answer_to == (400, b"invalid_payload")


def test_a_rate_limit_can_be_scripted_and_the_client_waits_for_it(slack):
    """429 with Retry-After, then the truth: the official handler needs two calls for one message."""
    slack.fail_next(1, status=429, headers={"Retry-After": "0"})
    web = client(slack)
    web.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    web.chat_postMessage(channel=CHANNEL, text="a")
    assert len(slack.requests) == 2
    assert len(slack.messages) == 1


def test_the_answer_of_a_fault_is_what_slack_would_say(slack):
    """Status, headers and body come as scripted, else as Slack words them, for methods and webhooks."""
    post, send = client(slack).chat_postMessage, hook(slack.webhook_url).send
    slack.fail_next(status=429, headers={"Retry-After": "7"})
    limited = error_of(post, channel=CHANNEL, text="a")
    assert (limited.status_code, limited.headers["Retry-After"], limited["error"]) == (
        429,
        "7",
        "ratelimited",
    )
    slack.fail_next(status=503, body="<h1>down</h1>")
    assert error_of(post, channel=CHANNEL, text="a").status_code == 503
    slack.fail_next(error="account_inactive")
    assert error_of(post, channel=CHANNEL, text="a")["error"] == "account_inactive"
    slack.fail_next(status=429)
    slack.fail_next(status=500)
    slack.fail_next(error="no_service")
    slack.fail_next(error="rollup_error")
    slack.fail_next(status=502, body="bad gateway")
    answers = [send(text="a") for _ in range(5)]
    assert [(answer.status_code, answer.body) for answer in answers] == [
        (429, "rate_limited"),
        (500, "rollup_error"),
        (404, "no_service"),
        (500, "rollup_error"),
        (502, "bad gateway"),
    ]
    assert slack.messages == []
    assert len(slack.requests) == 8
    assert send(text="a").body == "ok"


def test_a_dropped_call_keeps_nothing_and_one_dropped_after_keeps_the_message(slack):
    """The client cannot tell the two apart: that is how duplicates arise."""
    post = client(slack).chat_postMessage
    slack.fail_next(drop=True)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(channel=CHANNEL, text="lost")
    slack.fail_next(drop=True, after=True)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(channel=CHANNEL, text="kept")
    assert [message.text for message in slack.messages] == ["kept"]
    assert len(slack.requests) == 2


def test_half_an_answer_is_cut_in_its_middle(slack):
    """Its length is announced, and the connection ends before it has come."""
    post = client(slack).chat_postMessage
    slack.fail_next(half=True, after=True)
    with pytest.raises(http.client.IncompleteRead) as cut:
        post(channel=CHANNEL, text="kept")
    assert cut.value.partial.startswith(b'{"ok": true')
    slack.fail_next(half=True, status=500)
    with pytest.raises(http.client.IncompleteRead):
        post(channel=CHANNEL, text="lost")
    assert [message.text for message in slack.messages] == ["kept"]


def test_more_posts_than_a_burst_are_limited_and_who_comes_too_early_is_noted():
    """Three at once, then one a second and channel; a post before the pause is over is hasty."""
    clock = FakeClock()
    with SlackServer(channels=CHANNELS, burst=3, clock=clock) as slack:
        post = client(slack).chat_postMessage
        for _ in range(3):
            post(channel=CHANNEL, text="a")
        limited = error_of(post, channel=CHANNEL, text="a")
        assert (limited.status_code, limited["error"]) == (429, "ratelimited")
        assert limited.headers["Retry-After"] == "1"
        assert slack.over_limit == []
        assert post(channel=OLD, text="a")["ok"]
        error_of(post, channel=CHANNEL, text="a")
        assert slack.over_limit == [("chat.postMessage", CHANNEL)]
        clock.sleep(1)
        assert post(channel=CHANNEL, text="a")["ok"]
        assert len(slack.messages) == 5
        assert len(slack.over_limit) == 1


def test_a_scripted_pause_is_one_too(slack):
    """A 429 of the script asks for its Retry-After, per method, and per channel only for posts."""
    slack.fail_next(status=429, headers={"Retry-After": "30"}, method="conversations.history")
    history = client(slack).conversations_history
    error_of(history, channel=CHANNEL)
    client(slack).chat_postMessage(channel=CHANNEL, text="a")
    assert slack.over_limit == []
    error_of(history, channel=FOREIGN)
    assert slack.over_limit == [("conversations.history", "")]


def test_an_error_after_the_work_keeps_the_message(slack):
    """fatal_error: some aspect of the operation may have succeeded."""
    slack.fail_next(error="fatal_error", after=True)
    assert error_of(client(slack).chat_postMessage, channel=CHANNEL, text="a")["error"] == "fatal_error"
    assert len(slack.messages) == 1


def test_a_hanging_call_outlasts_the_clients_patience(slack):
    """The client gives up on its own timeout; with after the message is in the channel all the same."""
    impatient = client(slack, timeout=1)
    slack.fail_next(hang=60)
    with pytest.raises(TimeoutError):
        impatient.chat_postMessage(channel=CHANNEL, text="lost")
    slack.fail_next(hang=60, after=True)
    with pytest.raises(TimeoutError):
        impatient.chat_postMessage(channel=CHANNEL, text="kept")
    assert [message.text for message in slack.messages] == ["kept"]


def test_a_late_answer_is_the_true_one(slack):
    """A hang with after ends in the answer the call earned."""
    slack.fail_next(hang=0.01, after=True)
    answer = client(slack).chat_postMessage(channel=CHANNEL, text="a")
    assert answer["ts"] == slack.messages[0].ts


def test_a_fault_can_be_for_one_method(slack):
    """A script for webhooks leaves the API alone."""
    slack.fail_next(method="webhook", status=500)
    client(slack).chat_postMessage(channel=CHANNEL, text="a")
    assert hook(slack.webhook_url).send(text="a").status_code == 500
    assert hook(slack.webhook_url).send(text="a").status_code == 200


def test_an_outage_lasts_until_it_is_cleared(slack):
    """Every call fails, after the queue is done, until clear_faults."""
    post = client(slack).chat_postMessage
    slack.fail_until_cleared(status=503)
    slack.fail_next(error="internal_error")
    assert error_of(post, channel=CHANNEL, text="a").status_code == 200
    for _ in range(3):
        assert error_of(post, channel=CHANNEL, text="a").status_code == 503
    slack.fail_next(5, status=500)
    slack.clear_faults()
    assert post(channel=CHANNEL, text="a")["ok"] is True
    assert len(slack.messages) == 1


def test_a_fault_that_does_nothing_is_a_mistake(slack):
    """A script needs a status, an error, a hang, a drop or half of an answer; a misspelt one is refused."""
    with pytest.raises(ValueError, match="a fault needs"):
        Fault(after=True)
    with pytest.raises(ValueError, match="a fault needs"):
        Fault(half=True)
    with pytest.raises(TypeError, match="statu"):
        slack.fail_next(statu=500)


def test_the_page_and_the_messages_are_served(slack):
    """A browser gets the cards, a script gets them as JSON."""
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
        }
    ]
    assert len(slack.requests) == 1  # only calls to Slack are on record


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Content_Length": "2000001"}, 413), ({"Content_Length": "-1"}, 411), ({"Content_Length": "x"}, 411)],
)
def test_a_body_of_no_or_excessive_length_is_not_read(slack, headers, status):
    """The answer comes before the body would."""
    assert raw(slack, "POST", "/api/auth.test", None, **headers)[0] == status


def test_one_connection_carries_many_calls(slack):
    """HTTP/1.1 connections are kept alive."""
    connection = http.client.HTTPConnection(urlsplit(slack.console_url).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for _ in range(2):
        connection.request("POST", "/api/auth.test", b"", headers)
        first = connection.sock
        response = connection.getresponse()
        assert json.loads(response.read())["ok"] is True
        assert connection.sock is first
    connection.close()


def test_many_posts_at_once_are_all_kept(slack):
    """Twenty threads, twenty messages, twenty identities."""
    post = client(slack).chat_postMessage
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: post(channel=CHANNEL, text=str(n)), range(20)))
    assert {answer["ts"] for answer in answers} == {message.ts for message in slack.messages}
    assert sorted(int(message.text) for message in slack.messages) == list(range(20))


def test_stop_leaves_nothing_behind():
    """Idle connections and hanging calls end, every thread is gone, and the port refuses."""
    before = set(threading.enumerate())
    slack = SlackServer()
    address = urlsplit(slack.start()).netloc
    idle = http.client.HTTPConnection(address, timeout=20)
    idle.request("GET", "/messages.json")
    idle.getresponse().read()
    slack.fail_next(hang=600)
    waiting = http.client.HTTPConnection(address, timeout=20)
    waiting.request("POST", "/api/auth.test", b"")
    while not slack.requests:  # until the call has arrived
        threading.Event().wait(0.01)
    slack.stop()
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=20)
    idle.close()
    waiting.close()


def test_a_restart_keeps_port_and_messages():
    """An outage of the whole of Slack: refused connections, then the same address and memory."""
    slack = SlackServer()
    url = slack.start()
    post = client(slack).chat_postMessage
    post(channel=CHANNEL, text="before")
    slack.stop()
    slack.stop()
    with pytest.raises(urllib.error.URLError):
        post(channel=CHANNEL, text="lost")
    assert slack.start() == url
    try:
        post(channel=CHANNEL, text="after")
        with pytest.raises(RuntimeError, match="already running"):
            slack.start()
    finally:
        slack.stop()
    assert [message.text for message in slack.messages] == ["before", "after"]


def test_addresses_exist_from_the_start_on():
    """Asking for an address before the start is a mistake of the program, named as one."""
    with pytest.raises(RuntimeError, match="before it is started"):
        _ = SlackServer().url
