"""A message that is not in the format of our burst messages is not read as one."""

from collections.abc import Iterator
from typing import Any

import pytest

from functions.notify_slack.cards import burst_message


def malformed_bursts() -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """Yield payloads and blocks that are in no burst message of ours."""
    text = {"type": "plain_text", "text": "hello"}
    readable = [{"type": "section", "text": text}] * 2
    for moments in ("a b", "1e3", [1, 2], {"at": 1}, "\u00b2"):
        yield {"issues": "1#1", "moments": moments}, readable
    yield {"issues": "1#1"}, readable
    yield {"moments": "1"}, readable
    yield {"text": "hello"}, readable
    for block in ({"type": "divider"}, {"type": "context", "elements": [text]}):
        yield {"issues": "1#1", "moments": "1"}, [block, block]


@pytest.mark.parametrize(("payload", "blocks"), [*malformed_bursts()])
def test_a_malformed_burst_message_is_not_read(payload: Any, blocks: list[dict[str, Any]]) -> None:
    """A malformed burst message, which any app may post, is not read as one."""
    metadata = {"event_type": burst_message.BURST, "event_payload": payload}
    message = {"ts": "1767614400.000001", "text": "Theirs", "blocks": blocks, "metadata": metadata}
    assert burst_message.read(message) is None
