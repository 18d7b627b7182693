"""The bot client posts, changes, removes and reads messages, against the strict stand-in."""

import json
from pathlib import Path
from typing import Any

import pytest

from clients.slack import client as client_module
from clients.slack.blocks import Message, section
from clients.slack.client import Slack, TimeRange
from clients.slack.mrkdwn import escape
from local.slack.server import SlackServer
from pipeline.settings import RotatingToken
from tests.clients.slack.support import ALWAYS, CHANNEL, TOKEN, Recorder, a_message, error_of

# Posting


def test_a_message_is_stored_as_it_was_made(server: Recorder, client: Slack) -> None:
    """A post stores text, blocks and metadata, shows no preview of links, and returns its timestamp."""
    made = a_message()
    timestamp = client.post(CHANNEL, made)
    [message] = server.messages
    assert message.ts == timestamp
    assert message.text == made.text
    assert list(message.blocks) == list(made.blocks)
    assert message.metadata == made.metadata
    [(method, arguments)] = server.requests
    assert method == "chat.postMessage"
    assert arguments["channel"] == CHANNEL
    assert arguments["unfurl_links"] is False
    assert arguments["unfurl_media"] is False


@pytest.mark.parametrize(
    "title",
    [
        "<!channel> &amp; <https://evil.example|x> | \u202e\u200b",
        "<" * 300_000,
        "👩\u200d💻" * 500,
        "\ud800\0",
        "",
    ],
)
def test_an_escaped_title_is_accepted(server: Recorder, client: Slack, title: str) -> None:
    """A title of any text is accepted by the strict stand-in at the first request."""
    text = escape(title, 250, empty="(no title)")
    client.post(CHANNEL, Message(text=text, blocks=(section(text),), metadata=a_message().metadata))
    assert len(server.requests) == len(server.messages) == 1


@pytest.mark.parametrize("answer", ['{"ok": true}', '{"ok": true, "ts": null}', '{"ok": true, "ts": "now"}'])
def test_a_post_without_a_timestamp_is_not_confirmed(server: Recorder, client: Slack, answer: str) -> None:
    """A post whose answer has no timestamp is an error, because the message could not be found again."""
    server.fail_next(1, status=200, body=answer)
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_unreachable"


def test_a_reply_whose_parent_is_gone_is_removed(server: Recorder, client: Slack) -> None:
    """A reply that Slack posts to the channel, because its parent is missing, is removed."""
    timestamp = client.post(CHANNEL, a_message())
    client.delete(CHANNEL, timestamp)
    error = error_of(lambda: client.post(CHANNEL, a_message(), thread_ts=timestamp))
    assert error.reason == "slack_thread_not_found"
    assert "the next delivery posts it again" in str(error)
    assert server.messages == []


def test_a_reply_whose_answer_shows_no_message_stays(server: Recorder, client: Slack) -> None:
    """A reply is removed only if Slack shows that it is in no thread."""
    server.fail_next(1, body='{"ok": true, "ts": "1764000000.000001"}', status=200)
    assert client.post(CHANNEL, a_message(), thread_ts="1764000000.000000") == "1764000000.000001"
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", ["invalid_metadata_format", "invalid_metadata_schema", "metadata_too_large"])
def test_a_message_is_never_posted_without_its_metadata(server: Recorder, client: Slack, code: str) -> None:
    """A message is never posted without its metadata, because each event would post one more."""
    server.fail_next(1, error=code)
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason == f"slack_{code}"
    assert server.messages == []


# Changing and removing


def test_a_message_is_changed_and_removed(server: Recorder, client: Slack) -> None:
    """An update replaces the text; removing a missing message succeeds, and updating it fails."""
    timestamp = client.post(CHANNEL, a_message())
    client.update(CHANNEL, timestamp, a_message("Import fails"))
    [message] = server.messages
    assert message.text == "Import fails"
    client.delete(CHANNEL, timestamp)
    client.delete(CHANNEL, timestamp)
    assert server.messages == []
    error = error_of(lambda: client.update(CHANNEL, timestamp, a_message()))
    assert error.reason == "slack_message_not_found"


def test_a_message_that_cannot_be_removed_is_raised(server: Recorder, client: Slack) -> None:
    """A message that cannot be removed is an error, unless it does not exist."""
    timestamp = client.post(CHANNEL, a_message())
    server.fail_next(1, error="cant_delete_message", method="chat.delete")
    assert error_of(lambda: client.delete(CHANNEL, timestamp)).reason == "slack_cant_delete_message"
    assert len(server.messages) == 1


# Reading


def test_history_and_replies_are_read_in_pages(
    server: Recorder, client: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """History is newest first and a thread oldest first, with metadata, and no page more than asked for."""
    monkeypatch.setattr(client_module, "PAGE", 2)
    parent = client.post(CHANNEL, a_message())
    replies = [client.post(CHANNEL, a_message(), thread_ts=parent) for _ in range(3)]
    latest = [client.post(CHANNEL, a_message()) for _ in range(3)]
    time_range = TimeRange(oldest=parent, latest=latest[-1])
    pages = list(client.history(CHANNEL, time_range, 5))
    assert [[message["ts"] for message in page] for page in pages] == [
        [latest[2], latest[1]],
        [latest[0], parent],
    ]
    assert pages[1][1]["metadata"] == a_message().metadata
    assert len(list(client.history(CHANNEL, time_range, 1))) == 1
    thread = [message["ts"] for page in client.replies(CHANNEL, parent, ALWAYS, 5) for message in page]
    assert thread == [parent, *replies]
    arguments = server.requests[-1][1]
    assert {"oldest", "latest", "inclusive", "limit"} <= arguments.keys()


@pytest.mark.parametrize("answer", ["[]", "null", '{"ok": true}', '{"ok": true, "messages": 7}'])
def test_a_history_without_messages_is_raised(server: Recorder, client: Slack, answer: str) -> None:
    """A malformed answer is an error and not an empty channel."""
    server.fail_next(1, status=200, body=answer)
    assert error_of(lambda: list(client.history(CHANNEL, ALWAYS, 1))).reason.startswith("slack_")


@pytest.mark.parametrize("ts", [None, 7, "", "nan", "1e99", "-1.000000", "99999999999999.000000"])
def test_a_message_without_a_timestamp_is_skipped(server: Recorder, client: Slack, ts: Any) -> None:
    """A message without a timestamp is skipped, and the others are read."""
    usable = {"ts": "1767614400.000001"}
    answer = {"ok": True, "messages": [usable, {"ts": ts}, {}, "no message"]}
    server.fail_next(1, status=200, body=json.dumps(answer))
    assert list(client.history(CHANNEL, ALWAYS, 1)) == [[usable]]


@pytest.mark.parametrize(
    "more", [{}, {"response_metadata": None}, {"response_metadata": {"next_cursor": None}}]
)
def test_a_page_that_names_no_next_one_is_the_last(
    server: Recorder, client: Slack, more: dict[str, Any]
) -> None:
    """A page is the last one if its cursor is missing or null, in any of Slack's forms."""
    server.fail_next(1, status=200, body=json.dumps({"ok": True, "messages": [], **more}))
    assert list(client.history(CHANNEL, ALWAYS, 5)) == [[]]
    assert len(server.requests) == 1


# Refusals


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("account_inactive", "install it again"),
        ("channel_not_found", "check the channel's id in routes.toml or team.toml"),
        ("invalid_auth", "store the bot token again"),
        ("is_archived", "unarchive the channel"),
        ("missing_scope", "install the app again from config/slack-app.yaml"),
        ("not_allowed_token_type", "store a bot token"),
        ("not_authed", "store the bot token"),
        ("not_in_channel", "invite the app"),
        ("restricted_action", "ask an administrator"),
        ("token_expired", "store a fresh token"),
        ("token_revoked", "install the app again"),
        ("not_documented", "docs.slack.dev"),
        ("fatal_error", "tried again"),
    ],
)
def test_a_refusal_is_raised_with_its_remedy(server: Recorder, client: Slack, code: str, remedy: str) -> None:
    """The error of a refusal has Slack's code and the remedy; nothing is sent a second time."""
    server.fail_next(1, error=code)
    error = error_of(lambda: client.post(CHANNEL, a_message()))
    assert error.reason == f"slack_{code}"
    assert code in str(error)
    assert remedy in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        ("C2", "is_archived"),
        ("C3", "not_in_channel"),
        ("C4", "restricted_action"),
        ("C9", "channel_not_found"),
    ],
)
def test_a_channel_that_cannot_be_posted_to_is_raised(
    server: Recorder, client: Slack, channel: str, reason: str
) -> None:
    """A channel that is archived, restricted, not joined or unknown is an error with Slack's code."""
    assert error_of(lambda: client.post(channel, a_message())).reason == f"slack_{reason}"
    assert server.messages == []


@pytest.mark.parametrize("code", ["<script>", "x" * 300, "a b", "", 7, None, ["x"], {"a": 1}])
def test_a_malformed_error_code_is_replaced_by_the_status(server: Recorder, client: Slack, code: Any) -> None:
    """Only a well-formed code becomes a reason, which is counted."""
    server.fail_next(1, status=200, body=json.dumps({"ok": False, "error": code}))
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_http_200"


def test_a_missing_scope_is_named() -> None:
    """The error about a missing scope names the scope and the file that grants it."""
    with SlackServer(channels={CHANNEL: "issues"}, token=TOKEN, scopes={"chat:write"}) as server:
        client = Slack(lambda: TOKEN, server.url)
        error = error_of(lambda: list(client.history(CHANNEL, ALWAYS, 1)))
    assert error.reason == "slack_missing_scope"
    assert "lacks the scope channels:history" in str(error)
    assert "config/slack-app.yaml" in str(error)


# The token


def test_a_rotated_token_is_used_without_a_restart(server: Recorder, tmp_path: Path) -> None:
    """The token's file is read for every call."""
    file = tmp_path / "token"
    file.write_text("xoxb-old\n")
    client = Slack(RotatingToken(name="SLACK_TOKEN", file=file).read, server.url)
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_invalid_auth"
    file.write_text(f"{TOKEN}\n")
    client.post(CHANNEL, a_message())
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "slack_token_blank"),
        (b"xoxb-one\nxoxb-two\n", "slack_token_malformed"),
        (None, "slack_token_unreadable"),
    ],
)
def test_a_token_file_without_a_usable_token_is_raised(
    server: Recorder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes | None,
    reason: str,
) -> None:
    """The error about an unusable token names SLACK_TOKEN_FILE, not the content; nothing is sent."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    client = Slack(RotatingToken(name="SLACK_TOKEN", file=file).read, server.url)
    error = error_of(lambda: client.post(CHANNEL, a_message()))
    assert error.reason == reason
    assert "SLACK_TOKEN_FILE" in str(error)
    assert server.requests == []
    assert "xox" not in caplog.text
