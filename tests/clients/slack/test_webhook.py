"""An incoming webhook posts like the bot client, against the strict stand-in."""

from pathlib import Path
from typing import Any

import pytest

from clients.slack import deadline
from clients.slack.client import Slack
from clients.slack.webhook import IncomingWebhook, is_webhook_url
from pipeline.settings import RotatingToken
from tests.clients.slack.support import CHANNEL, TOKEN, Recorder, a_message, error_of
from tests.support.clock import FakeClock


def test_a_webhook_posts_without_metadata(server: Recorder, webhook: IncomingWebhook) -> None:
    """A webhook posts the message without its metadata into one channel; links show no preview."""
    webhook.post(a_message())
    [message] = server.messages
    assert (message.channel, message.via, message.metadata) == (CHANNEL, "webhook", None)
    assert len(message.blocks) == 1
    assert server.requests[0][1]["unfurl_links"] is False
    assert server.requests[0][1]["unfurl_media"] is False


@pytest.mark.parametrize(
    ("token", "is_url"),
    [
        ("https://hooks.slack.com/services/T/B/x", True),
        ("HTTPS://hooks.slack.com/services/T/B/x", True),
        ("http://127.0.0.1/services/T/B/x", True),
        ("xoxb-local", False),
        ("xoxb-https://", False),
    ],
)
def test_a_token_that_begins_with_http_is_a_webhooks_url(token: str, *, is_url: bool) -> None:
    """A token that begins with http is a webhook's URL; any other is a bot token."""
    assert is_webhook_url(token) is is_url


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"error": "no_service"}, "slack_no_service"),
        ({"status": 404, "body": "no_service\n"}, "slack_no_service"),
        ({"error": "channel_is_archived"}, "slack_channel_is_archived"),
        ({"error": "invalid_token"}, "slack_invalid_token"),
        ({"status": 500, "body": "rollup_error"}, "slack_rollup_error"),
        ({"status": 503, "body": "<html>"}, "slack_http_503"),
        ({"status": 200, "body": "<html>a captive portal</html>"}, "slack_http_200"),
        ({"status": 500, "body": "ok"}, "slack_ok"),
        ({"drop": True}, "slack_unreachable"),
        ({"drop": True, "after": True}, "slack_unreachable"),
    ],
)
def test_a_post_without_a_confirmation_is_raised_and_never_sent_again(
    server: Recorder, webhook: IncomingWebhook, fault: dict[str, Any], reason: str
) -> None:
    """A post without a confirmation is sent once; the reason is the webhook's plain text or status."""
    server.fail_next(1, **fault)
    assert error_of(lambda: webhook.post(a_message())).reason == reason
    assert len(server.requests) == 1


def test_a_webhook_is_rate_limited_and_falls_back_like_the_api(
    server: Recorder, webhook: IncomingWebhook, waits: list[float]
) -> None:
    """A webhook waits for pauses and falls back to text as the bot client does."""
    server.fail_next(1, status=429, headers={"Retry-After": "2"})
    server.fail_next(1, status=400, body="invalid_blocks")
    webhook.post(a_message())
    assert waits == [2, 1]
    assert [(message.blocks, message.text) for message in server.messages] == [((), "Export fails")]


def test_a_call_takes_no_longer_than_its_delivery_may(
    server: Recorder, webhook: IncomingWebhook, clock: FakeClock
) -> None:
    """The timeout of a call is at most the remaining time: an answer after three seconds is late."""
    server.fail_next(1, hang=3.0, after=True)
    with deadline.limit(1.0, clock):
        assert error_of(lambda: webhook.post(a_message())).reason == "slack_unreachable"
    assert len(server.messages) == 1


def test_a_confirmation_may_end_with_a_newline(server: Recorder, webhook: IncomingWebhook) -> None:
    """A confirmation may end with a newline, which a proxy may add."""
    server.fail_next(1, status=200, body="ok\n")
    webhook.post(a_message())
    assert len(server.requests) == 1


def test_a_webhook_that_was_removed_names_the_remedy(server: Recorder) -> None:
    """The error about a removed webhook names the remedy and never the URL, which is a secret."""
    webhook = IncomingWebhook(lambda: f"{server.console_url}services/T0LOCAL00/{CHANNEL}/wrong")
    error = error_of(lambda: webhook.post(a_message()))
    assert error.reason == "slack_no_service"
    assert "make a new one" in str(error)


def test_a_bot_token_in_place_of_the_url_is_not_quoted(server: Recorder) -> None:
    """A bot token in place of the URL is an error that does not quote it, and nothing is sent."""
    webhook = IncomingWebhook(lambda: TOKEN)
    assert error_of(lambda: webhook.post(a_message())).reason == "slack_invalid_token"
    assert server.requests == []


def test_a_token_that_becomes_a_webhooks_url_needs_no_restart(server: Recorder, tmp_path: Path) -> None:
    """The bot client and the webhook read the token's file for every post."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    token = RotatingToken(name="SLACK_TOKEN", file=file)
    client, webhook = Slack(token.read, server.url), IncomingWebhook(token.read)
    client.post(CHANNEL, a_message())
    file.write_text(server.webhook_url)
    webhook.post(a_message())
    assert [message.via for message in server.messages] == ["api", "webhook"]
