"""The ways in which a call to the local Slack can fail."""

import http.client

import pytest
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from local.slack.faults import Fault
from tests.support.slack_clients import CHANNEL, client, error_of, post, webhook

METHODS = {
    "chat.update": {"text": "updated"},
    "chat.delete": {},
    "conversations.history": {},
    "conversations.replies": {},
}


def test_the_official_client_waits_for_a_rate_limit(slack):
    """After a 429 with Retry-After its handler calls again: two calls for one message."""
    slack.fail_next(1, status=429, headers={"Retry-After": "0"})
    web = client(slack)
    web.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    web.chat_postMessage(channel=CHANNEL, text="a")
    assert len(slack.requests) == 2
    assert len(slack.messages) == 1


def test_a_fault_answers_in_slacks_words(slack):
    """Status, headers and body are those of the fault, else what Slack answers to a method or a webhook."""
    post, send = client(slack).chat_postMessage, webhook(slack.webhook_url).send
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


def test_a_dropped_call_stores_nothing_and_one_dropped_after_stores_the_message(slack):
    """The client cannot distinguish the two: this is how duplicates arise."""
    post = client(slack).chat_postMessage
    slack.fail_next(drop=True)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(channel=CHANNEL, text="lost")
    slack.fail_next(drop=True, after=True)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(channel=CHANNEL, text="kept")
    assert [message.text for message in slack.messages] == ["kept"]
    assert len(slack.requests) == 2


def test_half_an_answer_ends_in_its_middle(slack):
    """The answer announces its whole length, and the connection closes before that."""
    post = client(slack).chat_postMessage
    slack.fail_next(half=True, after=True)
    with pytest.raises(http.client.IncompleteRead) as cut:
        post(channel=CHANNEL, text="kept")
    assert cut.value.partial.startswith(b'{"ok": true')
    slack.fail_next(half=True, status=500)
    with pytest.raises(http.client.IncompleteRead):
        post(channel=CHANNEL, text="lost")
    assert [message.text for message in slack.messages] == ["kept"]


def test_an_error_after_the_call_stores_the_message(slack):
    """After fatal_error, some aspect of the operation may have succeeded."""
    slack.fail_next(error="fatal_error", after=True)
    assert error_of(client(slack).chat_postMessage, channel=CHANNEL, text="a")["error"] == "fatal_error"
    assert len(slack.messages) == 1


def test_a_hanging_call_outlasts_the_clients_timeout(slack):
    """The client gives up on its own timeout; with after, the message is in the channel anyway."""
    quick_client = client(slack, timeout=1)
    slack.fail_next(hang=60)
    with pytest.raises(TimeoutError):
        quick_client.chat_postMessage(channel=CHANNEL, text="lost")
    slack.fail_next(hang=60, after=True)
    with pytest.raises(TimeoutError):
        quick_client.chat_postMessage(channel=CHANNEL, text="kept")
    assert [message.text for message in slack.messages] == ["kept"]


def test_a_late_answer_is_the_true_one(slack):
    """A hang with after ends in the true answer."""
    slack.fail_next(hang=0.01, after=True)
    answer = client(slack).chat_postMessage(channel=CHANNEL, text="a")
    assert answer["ts"] == slack.messages[0].ts


def test_a_fault_can_be_for_one_method(slack):
    """A fault for webhooks does not fail a method."""
    slack.fail_next(method="webhook", status=500)
    client(slack).chat_postMessage(channel=CHANNEL, text="a")
    assert webhook(slack.webhook_url).send(text="a").status_code == 500
    assert webhook(slack.webhook_url).send(text="a").status_code == 200


def test_an_outage_lasts_until_it_is_cleared(slack):
    """After the queue is used up, every call fails until clear_faults."""
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
    """A fault needs a status, an error, a hang, a drop or half of an answer; a misspelt field is refused."""
    with pytest.raises(ValueError, match="a fault needs"):
        Fault(after=True)
    with pytest.raises(ValueError, match="a fault needs"):
        Fault(half=True)
    with pytest.raises(TypeError, match="statu"):
        slack.fail_next(statu=500)


@pytest.mark.parametrize("method", METHODS)
def test_a_fault_fails_only_its_method(slack, web, method):
    """Only that method is limited, once, in Slack's own words; then it works."""
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
def test_an_update_or_a_deletion_can_succeed_without_an_answer(slack, web, method, left):
    """With after the call is carried out, without it is not; the client sees the same."""
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
