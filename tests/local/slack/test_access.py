"""Restricted channels, and scopes."""

import pytest

from local.slack.server import SlackServer
from tests.support.slack_clients import (
    CHANNEL,
    CHANNELS,
    FOREIGN,
    HIDDEN,
    MISSING,
    OLD,
    QUIET,
    SECRET,
    client,
    error_of,
    webhook,
)


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
    """An archived or restricted channel can be read but not written; a non-member can do neither.

    For an archived channel, chat.update has its own error, and its newest message tells of the archiving.
    """
    calls = [(web.conversations_history, {}, reading)]
    if reading:
        calls.append((web.conversations_replies, {"ts": MISSING}, reading))
    updating = "is_inactive" if writing == "is_archived" else writing
    calls.append((web.chat_update, {"ts": MISSING, "text": "a"}, updating or "message_not_found"))
    calls.append((web.chat_delete, {"ts": MISSING}, writing or "message_not_found"))
    for call, arguments, error in calls:
        if error is None:
            kinds = [message.get("subtype") for message in call(channel=channel, **arguments)["messages"]]
            assert kinds == (["channel_archive"] if channel == OLD else [])
        else:
            assert error_of(call, channel=channel, **arguments)["error"] == error


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
    """missing_scope has the needed scope and the app's scopes; it is checked before the arguments."""
    scopes = {"chat:write", "channels:history", "groups:history"} - {needed}
    with SlackServer(channels=CHANNELS, private=[SECRET], scopes=scopes) as slack:
        refused = error_of(client(slack).api_call, method, json=arguments)
        assert (refused["error"], refused["needed"]) == ("missing_scope", needed)
        assert refused["provided"] == ",".join(sorted(scopes))
        assert slack.messages == []


def test_auth_test_and_webhooks_need_no_scope():
    """auth.test needs no scope, and an incoming webhook has its own right to post."""
    with SlackServer(scopes=()) as slack:
        assert client(slack).auth_test()["ok"] is True
        assert client(slack).auth_test().headers["X-OAuth-Scopes"] == ""
        assert webhook(slack.webhook_url).send(text="a").body == "ok"
        assert error_of(client(slack).conversations_history, channel=CHANNEL)["provided"] == ""
