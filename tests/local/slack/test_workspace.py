"""A message is updated, replied to and deleted by Slack's own client."""

import pytest

from local.slack.rendering.terminal import as_text
from tests.support.slack_clients import (
    BLOCKS,
    CHANNEL,
    METADATA,
    MISSING,
    OTHER,
    error_of,
    post,
    texts,
    webhook,
)

NEWER = {"event_type": "issuewire_card", "event_payload": {"issue": "1296269#41", "schema": 2}}


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
    """Slack does not mark a message whose blocks are new."""
    ts = post(web, "open")
    clock.sleep(60)
    shown = web.chat_update(channel=CHANNEL, ts=ts, text="closed")["message"]
    assert shown["edited"] == {"ts": "1764000060.000000", "user": shown["bot_id"]}
    assert "(edited)" in slack.page()
    shown = web.chat_update(channel=CHANNEL, ts=ts, text="closed", blocks=BLOCKS)["message"]
    assert "edited" not in shown
    assert "(edited)" not in slack.page()


def test_an_update_keeps_metadata_by_default_but_not_blocks(slack, web):
    """Metadata stays if it is not given, and {} removes it; a text without blocks removes the blocks."""
    ts = post(web, "open", blocks=BLOCKS, metadata=METADATA)
    web.chat_update(channel=CHANNEL, ts=ts, text="closed")
    assert (slack.messages[0].metadata, slack.messages[0].blocks) == (METADATA, ())
    web.chat_update(channel=CHANNEL, ts=ts, text="closed", metadata={})
    assert slack.messages[0].metadata is None
    assert (
        "metadata" not in web.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"][0]
    )


def test_an_update_of_a_reply_stays_in_its_thread(web):
    """An update of a parent does not change its thread either."""
    parent = post(web, "card")
    reply = post(web, "reply", thread_ts=parent)
    web.chat_update(channel=CHANNEL, ts=reply, text="better reply")
    answer = web.chat_update(channel=CHANNEL, ts=parent, text="better card")
    assert (answer["message"]["reply_count"], answer["message"]["latest_reply"]) == (1, reply)
    thread = web.conversations_replies(channel=CHANNEL, ts=parent)
    assert texts(thread) == ["better card", "better reply"]
    assert texts(web.conversations_history(channel=CHANNEL)) == ["better card"]


def test_an_update_is_as_strict_as_a_post(slack, web):
    """A refused update changes nothing, and explains in Slack's words."""
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
def test_only_a_message_that_the_app_posted_itself_can_be_changed(slack, web, method, foreign):
    """A webhook's message does not belong to the token, and one of another channel is not found."""
    webhook(slack.webhook_url).send(text="by webhook")
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
    """It is neither in the history nor in the messages nor on the page; a second deletion finds nothing."""
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


def test_a_reply_to_a_deleted_message_goes_to_the_channel(web):
    """Slack answers ok; the missing thread_ts is the only sign."""
    ts = post(web, "doomed")
    web.chat_delete(channel=CHANNEL, ts=ts)
    answer = web.chat_postMessage(channel=CHANNEL, text="reply", thread_ts=ts)
    assert "thread_ts" not in answer["message"]
    assert texts(web.conversations_history(channel=CHANNEL)) == ["reply"]


def test_a_deleted_parent_leaves_a_tombstone_until_its_last_reply_goes(slack, web):
    """History and replies show subtype tombstone in its place, with nothing of its content."""
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


def test_an_update_with_attachments_alone_keeps_the_rest(slack, web):
    """An update with attachments alone keeps text, blocks and metadata; one without keeps the attachments."""
    ts = post(web, "a", blocks=BLOCKS, metadata=METADATA)
    mark = {"color": "#b34700", "text": "waiting for *2* days", "fallback": "waiting for 2 days"}
    web.chat_update(channel=CHANNEL, ts=ts, attachments=[mark])
    [message] = slack.messages
    assert (message.text, message.blocks, message.metadata) == ("a", tuple(BLOCKS), METADATA)
    assert 'fill="#b34700"/></svg><div class="text">waiting for <b>2</b> days</div>' in slack.page()
    assert as_text(message).endswith("▌ waiting for 2 days")
    web.chat_update(channel=CHANNEL, ts=ts, text="b", blocks=BLOCKS)
    [shown] = web.conversations_history(channel=CHANNEL)["messages"]
    assert shown["attachments"] == [{"id": 1, **mark}]
    web.chat_update(channel=CHANNEL, ts=ts, text="b", blocks=BLOCKS, attachments=[])
    [shown] = web.conversations_history(channel=CHANNEL)["messages"]
    assert "attachments" not in shown
    for wrong in ([{**mark, "color": "red"}], [{**mark, "text": "a < b"}], [{"text": "a", "fallback": "a"}]):
        answer = error_of(web.chat_update, channel=CHANNEL, ts=ts, attachments=wrong)
        assert answer["error"] == "invalid_arguments"
    assert error_of(web.chat_update, channel=CHANNEL, ts=ts, attachments=[])["error"] == "no_text"
