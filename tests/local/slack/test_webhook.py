"""Incoming webhooks of the local Slack."""

from urllib.parse import urlsplit

import pytest

from tests.support.slack_clients import BLOCKS, CHANNEL, OLD, QUIET, raw, webhook


def test_a_webhook_posts_to_its_channel(slack):
    """An incoming webhook answers ok as text and names no message; a form with a payload works too."""
    answer = webhook(slack.webhook_url).send(text="new issue", blocks=BLOCKS)
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
    """A wrong payload is a 400 with the error as its body."""
    answer = webhook(slack.webhook_url).send_dict(message)
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
def test_a_webhook_reports_a_closed_channel_by_status(slack, channel, status, error):
    """A channel that was deleted, archived or restricted has its own status."""
    answer = webhook(slack.webhook_for(channel)).send(text="a")
    assert (answer.status_code, answer.body) == (status, error)


def test_a_revoked_webhook_and_a_body_without_json_are_refused(slack):
    """A revoked URL is 404 no_service; a body that is not a JSON object is 400 invalid_payload."""
    answer = webhook(slack.webhook_url + "x").send(text="a")
    assert (answer.status_code, answer.body) == (404, "no_service")
    path = urlsplit(slack.webhook_url).path
    for body in (b"text", b"[]"):
        answer_to = raw(slack, "POST", path, body, Content_Type="application/json")
        assert answer_to == (400, b"invalid_payload")
