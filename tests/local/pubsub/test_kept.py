"""A topic retains its last messages within a limit."""

from datetime import UTC, datetime, timedelta

import pytest
from google.pubsub_v1 import types

from local.pubsub import kept
from local.pubsub.kept import Kept

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_the_newest_messages_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages since a time are returned in their order, as far as the limit of bytes allows."""
    monkeypatch.setattr(kept, "MAX_BYTES", 5)
    messages = Kept()
    for number in range(4):
        moment = NOON + timedelta(seconds=number)
        messages.add(types.PubsubMessage(data=b"%d." % number, publish_time=moment))
    assert [each.data for each in messages.since(NOON)] == [b"2.", b"3."]
    assert [each.data for each in messages.since(NOON + timedelta(seconds=3))] == [b"3."]
