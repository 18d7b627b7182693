"""A call waits for Slack's pauses, ends in time, and falls back to text, against the strict stand-in."""

from typing import Any

import pytest

from clients.slack import deadline
from clients.slack.client import Slack
from clients.slack.rate_limit import BURST
from local.slack.server import SlackServer
from tests.clients.slack.support import ALWAYS, CHANNEL, OTHER, TOKEN, Recorder, a_message, error_of
from tests.support.clock import FakeClock

# Rate limits


def test_posts_into_one_channel_start_a_second_apart(
    server: Recorder, client: Slack, waits: list[float]
) -> None:
    """In one channel ten posts pass at once, then one a second, replies included. Other calls do not wait."""
    parent = client.post(CHANNEL, a_message())
    for _ in range(BURST + 1):
        client.post(CHANNEL, a_message(), thread_ts=parent)
    assert waits == [1, 1]
    client.update(CHANNEL, parent, a_message())
    list(client.history(CHANNEL, ALWAYS, 1))
    list(client.replies(CHANNEL, parent, ALWAYS, 1))
    client.delete(CHANNEL, parent)
    client.post(OTHER, a_message())
    assert waits == [1, 1]
    assert len(server.requests) == BURST + 7


@pytest.mark.parametrize(("header", "pauses"), [("1", [1, 1]), ("2", [2]), ("0002", [2])])
def test_a_short_pause_is_waited_for_to_its_end(
    server: Recorder, client: Slack, waits: list[float], header: str, pauses: list[int]
) -> None:
    """A call is repeated only after the seconds that Slack asks for; one message is posted."""
    server.fail_next(len(pauses), status=429, headers={"Retry-After": header})
    client.post(CHANNEL, a_message())
    assert waits == pauses
    assert len(server.messages) == 1
    assert len(server.requests) == len(pauses) + 1


@pytest.mark.parametrize(("header", "pauses"), [("1", [1, 1]), ("2", [2]), ("3", [])])
def test_a_call_waits_for_a_moment_in_all(
    server: Recorder, client: Slack, waits: list[float], header: str, pauses: list[int]
) -> None:
    """The pauses of one call together last for a moment; what must wait longer fails at once."""
    server.fail_until_cleared(status=429, headers={"Retry-After": header})
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_ratelimited"
    assert waits == pauses
    assert len(server.requests) == len(pauses) + 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        *(
            {"Retry-After": text}
            for text in ("", "0", "-1", "soon", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 5000, "²")
        ),
    ],
)
def test_a_rate_limit_without_a_usable_pause_waits_a_second(
    server: Recorder, client: Slack, waits: list[float], headers: dict[str, str]
) -> None:
    """A rate limit with a missing or malformed header is waited for a second, and the message is posted."""
    server.fail_next(1, status=429, headers=headers)
    client.post(CHANNEL, a_message())
    assert waits == [1]
    assert len(server.messages) == 1


def test_a_long_pause_fails_at_once_and_is_remembered(
    server: Recorder, client: Slack, clock: FakeClock, waits: list[float]
) -> None:
    """A long pause fails the delivery at once; no other delivery calls before its end."""
    server.fail_next(1, status=429, headers={"Retry-After": "30"})
    error = error_of(lambda: client.post(CHANNEL, a_message()))
    assert error.reason == "slack_ratelimited"
    assert "another 30 s" in str(error)
    clock.sleep(19)
    assert "another 11 s" in str(error_of(lambda: client.post(CHANNEL, a_message())))
    assert len(server.requests) == 1
    client.post(OTHER, a_message())
    client.update(OTHER, server.messages[0].ts, a_message())
    clock.sleep(9)
    waits.clear()
    client.post(CHANNEL, a_message())
    assert waits == [2]


@pytest.mark.parametrize(("header", "pauses"), [("60", [60]), ("40", [40]), ("66", [])])
def test_a_patient_caller_waits_for_a_long_pause(
    server: Recorder, clock: FakeClock, waits: list[float], header: str, pauses: list[int]
) -> None:
    """The waits of one call together last as long as the caller allows, and what fits is done."""
    client = Slack(lambda: TOKEN, server.url, clock, clock.sleep, patience=65)
    server.fail_next(1, status=429, headers={"Retry-After": header})
    if pauses:
        client.post(CHANNEL, a_message())
        assert len(server.messages) == 1
    else:
        assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_ratelimited"
    assert waits == pauses


def test_a_pause_counts_for_a_method_in_all_channels_unless_it_posts(
    server: Recorder, client: Slack, waits: list[float]
) -> None:
    """A pause of a method that reads or updates counts in all channels; posts have one per channel."""
    server.fail_next(1, status=429, headers={"Retry-After": "60"}, method="conversations.history")
    for channel in (CHANNEL, OTHER):
        error = error_of(lambda channel=channel: list(client.history(channel, ALWAYS, 1)))
        assert error.reason == "slack_ratelimited"
        assert "accepts no conversations.history for another 60 s" in str(error)
    assert len(server.requests) == 1
    client.delete(CHANNEL, client.post(CHANNEL, a_message()))
    assert waits == []


@pytest.mark.parametrize("seconds", ["99999999", "601"])
def test_no_pause_is_kept_for_longer_than_ten_minutes(
    server: Recorder, client: Slack, clock: FakeClock, seconds: str
) -> None:
    """A pause ends after ten minutes, even if Slack names an absurd one."""
    server.fail_next(1, status=429, headers={"Retry-After": seconds})
    assert "another 600 s" in str(error_of(lambda: client.post(CHANNEL, a_message())))
    clock.sleep(600)
    client.post(CHANNEL, a_message())
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"error": "ratelimited", "headers": {"Retry-After": "2"}},
        {"error": "rate_limited", "headers": {"retry-after": "2"}},
        {"status": 429, "headers": {"RETRY-AFTER": "2"}, "body": "<html>slow down</html>"},
        {"status": 429, "headers": {"Retry-After": "2"}, "body": "[]"},
        {"status": 429, "headers": {"Retry-After": "2"}, "body": ""},
    ],
    ids=str,
)
def test_a_rate_limit_is_recognised_by_its_status_or_its_code(
    server: Recorder, client: Slack, waits: list[float], fault: dict[str, Any]
) -> None:
    """A rate limit is recognised by its status alone, or by Slack's code."""
    server.fail_next(1, **fault)
    client.post(CHANNEL, a_message())
    assert waits == [2]


def test_a_single_instance_is_never_rate_limited() -> None:
    """A single instance is never rate limited over many posts, because it counts as Slack does."""
    clock = FakeClock()
    channels = {CHANNEL: "issues", OTHER: "other"}
    with SlackServer(channels=channels, token=TOKEN, burst=BURST, clock=clock) as server:
        client = Slack(lambda: TOKEN, server.url, clock, clock.sleep)
        for number in range(4 * BURST):
            client.post(CHANNEL if number % 3 else OTHER, a_message())
        assert len(server.requests) == len(server.messages) == 4 * BURST


def test_instances_that_overlap_are_limited_and_respect_each_pause() -> None:
    """Two instances are limited by Slack, but no call is early and no message is lost."""
    clock = FakeClock()
    with SlackServer(channels={CHANNEL: "issues"}, token=TOKEN, burst=BURST, clock=clock) as server:
        clients = [Slack(lambda: TOKEN, server.url, clock, clock.sleep) for _ in range(2)]
        for number in range(4 * BURST):
            clients[number % 2].post(CHANNEL, a_message())
        assert len(server.requests) > len(server.messages) == 4 * BURST
        assert server.over_limit == []


# Deadlines


def test_a_call_that_cannot_end_in_time_does_not_start(
    server: Recorder, client: Slack, clock: FakeClock
) -> None:
    """A call with less than a second left is not sent, and the error says why."""
    with deadline.limit(0.9, clock):
        error = error_of(lambda: client.post(CHANNEL, a_message()))
        assert error.reason == "slack_deadline"
        assert "No time is left" in str(error)
        assert error_of(lambda: list(client.history(CHANNEL, ALWAYS, 1))).reason == "slack_deadline"
    assert server.requests == []
    client.post(CHANNEL, a_message())


def test_a_wait_that_cannot_end_in_time_does_not_start(
    server: Recorder, client: Slack, clock: FakeClock, waits: list[float]
) -> None:
    """A wait that would pass the deadline is an error at once, for a channel's turn and for a pause."""
    for _ in range(BURST):
        client.post(CHANNEL, a_message())
    with deadline.limit(1.9, clock):
        error = error_of(lambda: client.post(CHANNEL, a_message()))
    assert error.reason == "slack_busy"
    assert len(server.requests) == BURST
    server.fail_next(1, status=429, headers={"Retry-After": "9"}, method="chat.update")
    with deadline.limit(9.5, clock):
        error = error_of(lambda: client.update(CHANNEL, server.messages[0].ts, a_message()))
    assert error.reason == "slack_ratelimited"
    assert waits == []


def test_a_call_takes_no_longer_than_its_delivery_may(
    server: Recorder, client: Slack, clock: FakeClock
) -> None:
    """The timeout of a call is at most the remaining time: an answer after three seconds is late."""
    server.fail_next(1, hang=3.0, after=True)
    with deadline.limit(1.0, clock):
        assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_unreachable"
    assert len(server.messages) == 1


# Text without blocks


@pytest.mark.parametrize(
    "code",
    [
        *("block_mismatch", "invalid_arguments", "invalid_attachments", "invalid_blocks"),
        *("invalid_blocks_format", "invalid_payload", "msg_blocks_too_long", "msg_too_long", "no_text"),
    ],
)
def test_a_message_that_slack_calls_invalid_is_sent_as_its_text(
    server: Recorder, client: Slack, code: str
) -> None:
    """A message that Slack calls invalid is sent as its text, with its metadata, so that it can be found."""
    server.fail_next(1, error=code)
    client.post(CHANNEL, a_message())
    [message] = server.messages
    assert message.text == "Export fails"
    assert message.blocks == ()
    assert message.metadata == a_message().metadata
    assert "unfurl_links" in server.requests[1][1]
    assert len(server.requests) == 2


def test_an_update_falls_back_to_its_text_too(server: Recorder, client: Slack) -> None:
    """An update that Slack calls invalid replaces text and metadata, and removes the old blocks."""
    ts = client.post(CHANNEL, a_message())
    server.fail_next(1, error="invalid_blocks", method="chat.update")
    client.update(CHANNEL, ts, a_message("Text alone"))
    [message] = server.messages
    assert (message.text, message.blocks, message.metadata) == ("Text alone", (), a_message().metadata)


def test_a_text_that_slack_calls_invalid_too_is_raised(server: Recorder, client: Slack) -> None:
    """A text that Slack calls invalid too is an error after the second attempt."""
    server.fail_next(2, error="invalid_blocks")
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_invalid_blocks"
    assert len(server.requests) == 2
