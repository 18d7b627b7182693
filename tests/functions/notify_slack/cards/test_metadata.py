"""Only metadata in our own format identifies a message."""

from typing import Any

import pytest

from clients.slack.metadata import card_key
from functions.notify_slack.cards import burst_message, metadata

KINDS = (metadata.CARD, metadata.REPLY, burst_message.BURST)


@pytest.mark.parametrize(
    "written",
    [
        *(None, "x", ["x"], 7, {}, {"event_type": "theirs", "event_payload": {"issue": "1#7"}}),
        *(
            {"event_type": kind, "event_payload": content}
            for kind in KINDS
            for content in (None, "x", ["x"], 7)
        ),
    ],
)
def test_metadata_of_other_apps_is_ignored(written: Any) -> None:
    """Metadata in another format, which any app may post, identifies no card, reply or burst message."""
    theirs = {"ts": "1767614400.000001", "text": "x", "blocks": [], "metadata": written}
    assert metadata.read_card(theirs, "1#7") is None
    assert not card_key(theirs)
    assert not metadata.is_reply(theirs, "d-1")
    assert burst_message.read(theirs) is None
