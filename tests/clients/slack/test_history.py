"""The history around a message shows what was posted shortly before it."""

from datetime import timedelta

from clients.slack.blocks import Message, section
from clients.slack.history import messages_before
from tests.support.workspace import running_workspace


def test_a_message_of_minutes_ago_is_found_after_a_post() -> None:
    """A look after a post reads minutes back, because another instance may be slow, and stops at the post."""
    message = Message(text="x", blocks=(section("x"),), metadata={"event_type": "x", "event_payload": {}})
    with running_workspace() as workspace:
        channel = workspace.channel()
        channel.slack.post(channel.id, message)
        channel.clock.pass_until(channel.clock.now + timedelta(minutes=2))
        first = channel.slack.post(channel.id, message)
        channel.clock.pass_until(channel.clock.now + timedelta(minutes=9))
        second = channel.slack.post(channel.id, message)
        channel.clock.pass_until(channel.clock.now + timedelta(seconds=1))
        channel.slack.post(channel.id, message)
        before = messages_before(channel.slack, channel.id, second, channel.clock.sleep)
    assert [each["ts"] for each in before] == [first]
