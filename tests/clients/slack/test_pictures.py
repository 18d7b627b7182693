"""Uploaded pictures, and the messages that show them, against the strict stand-in."""

import logging
from collections.abc import Iterator

import pytest

from clients.slack.blocks import Message, picture, section
from clients.slack.client import Slack
from local.slack.server import SlackServer
from tests.clients.slack.support import CHANNEL, TOKEN, Recorder, a_message, error_of
from tests.support.clock import FakeClock

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def with_picture(file_id: str) -> Message:
    """Return a message that shows an uploaded picture."""
    metadata = {"event_type": "issuewire_test", "event_payload": {"day": "2026-12-01"}}
    blocks = (section("The week"), picture(file_id, "Open issues"))
    return Message(text="The week", blocks=blocks, metadata=metadata)


@pytest.fixture(scope="module")
def slow() -> Iterator[tuple[SlackServer, Slack, FakeClock]]:
    """Return a stand-in that processes a picture for two seconds, and a client on its clock."""
    clock = FakeClock()
    with SlackServer(channels={CHANNEL: "issues"}, token=TOKEN, file_delay=2.0, clock=clock) as server:
        yield server, Slack(lambda: TOKEN, server.url, clock, clock.sleep), clock


def test_an_uploaded_picture_is_shown_in_a_message(server: Recorder, client: Slack) -> None:
    """An upload is private and posts nothing; the message's block then shows it, in one message."""
    file_id = client.upload("backlog.png", PNG, "Open issues")
    assert server.messages == []
    client.post(CHANNEL, with_picture(file_id))
    [message] = server.messages
    assert message.blocks[-1] == {"type": "image", "slack_file": {"id": file_id}, "alt_text": "Open issues"}
    assert [method for method, _ in server.requests] == [
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
        "chat.postMessage",
    ]


def test_a_message_waits_until_slack_has_processed_its_picture(
    slow: tuple[SlackServer, Slack, FakeClock],
) -> None:
    """While Slack still processes a picture, the message is tried again; it is posted once, with it."""
    server, client, clock = slow
    client.post(CHANNEL, with_picture(client.upload("backlog.png", PNG, "Open issues")))
    [message] = server.messages
    assert "slack_file" in message.blocks[-1]
    assert clock.sleeps == [0.0, 1.0, 2.0]


def test_a_message_loses_a_picture_that_slack_never_shows(
    server: Recorder, client: Slack, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """A picture that Slack does not show after seven seconds is left out, with one warning; blocks stay."""
    with caplog.at_level(logging.WARNING):
        client.post(CHANNEL, with_picture("F0UNKNOWN"))
    [message] = server.messages
    assert [block["type"] for block in message.blocks] == ["section"]
    assert sum(waits) == 7.0
    assert [
        (record.levelname, record.message) for record in caplog.records if record.name == "issuewire"
    ] == [("WARNING", "Slack does not show the picture; sending the message without it")]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"method": "files.getUploadURLExternal", "error": "file_uploads_disabled"}, "file_uploads_disabled"),
        ({"method": "files.getUploadURLExternal", "status": 200, "body": '{"ok": true}'}, "unreachable"),
        (
            {
                "method": "files.getUploadURLExternal",
                "status": 200,
                "body": '{"ok": true, "upload_url": "file:///etc/passwd", "file_id": "F1"}',
            },
            "unreachable",
        ),
        ({"method": "upload", "status": 500}, "http_500"),
        ({"method": "upload", "drop": True}, "unreachable"),
        ({"method": "files.completeUploadExternal", "error": "fatal_error"}, "fatal_error"),
    ],
)
def test_an_upload_that_fails_refuses_no_message(
    server: Recorder, client: Slack, fault: dict[str, object], reason: str
) -> None:
    """A failed upload raises with Slack's reason; messages go on, and the next upload is tried at once."""
    server.fail_next(1, **fault)
    error = error_of(lambda: client.upload("backlog.png", PNG, "Open issues"))
    assert error.reason == f"slack_{reason}"
    client.post(CHANNEL, with_picture(client.upload("backlog.png", PNG, "Open issues")))


def test_an_app_without_the_scope_is_told_which_and_posts_on() -> None:
    """Without files:write an upload names the scope and how to get it; messages go on."""
    scopes = {"chat:write", "channels:history", "groups:history"}
    with SlackServer(channels={CHANNEL: "issues"}, token=TOKEN, scopes=scopes) as server:
        client = Slack(lambda: TOKEN, server.url)
        error = error_of(lambda: client.upload("backlog.png", PNG, "Open issues"))
        assert error.reason == "slack_missing_scope"
        assert "lacks the scope files:write; install the app again from config/slack-app.yaml" in str(error)
        client.post(CHANNEL, a_message())
