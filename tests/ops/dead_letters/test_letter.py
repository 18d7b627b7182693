"""A held message reads well whatever is in it."""

from datetime import timedelta

import pytest

from clients.pubsub.held_messages import HeldMessage
from ops.dead_letters.letter import Letter, choose, summary
from tests.support.messages import NOON

DEAD = "CloudPubSubDeadLetterSource"


def letter(data: bytes = b"{}", message_id: str = "7", **attributes: str) -> Letter:
    """Return a letter that was held at noon."""
    return Letter.of(HeldMessage(message_id=message_id, held_at=NOON, data=data, attributes=attributes))


@pytest.mark.parametrize(
    ("data", "attributes", "text"),
    [
        (b'{"a": "\xc3\xbc"}', {}, '{\n  "a": "ü"\n}'),
        (b"{", {}, "{"),
        (b"\xff", {}, "\N{REPLACEMENT CHARACTER}"),
        (b"not packed", {"content_encoding": "gzip"}, "(The message's data is not gzip.)"),
        (b"[]", {}, "[]"),
        (b"\x1b[2J\tx\n", {}, "\N{REPLACEMENT CHARACTER}[2J\tx\n"),
        (b'{"a": "\xc2\x9b2J"}', {}, '{\n  "a": "\N{REPLACEMENT CHARACTER}2J"\n}'),
    ],
)
def test_any_body_can_be_shown(data: bytes, attributes: dict[str, str], text: str) -> None:
    """A body is shown as indented JSON, or as the text that it is."""
    assert letter(data, **attributes).text == text


def test_a_message_without_attributes_is_listed() -> None:
    """A message that names nothing is listed by its own id."""
    found = letter()
    assert list(found.lines(NOON + timedelta(hours=3), None)) == [
        "7  an unknown event",
        "  someone gave up; received 3\N{NO-BREAK SPACE}h ago",
    ]
    assert found.as_json(NOON, None)["delivery_id"] is None


def test_a_terminal_obeys_no_message() -> None:
    """What would steer a terminal is replaced in every text of a message."""
    escape = "\x1b]0;x\x07"
    found = letter(delivery_id=escape, event=escape, repository=escape, **{f"{DEAD}Subscription": escape})
    assert "\x1b" not in "".join(found.lines(NOON, None))


def test_what_is_known_is_listed() -> None:
    """A line has the event and the repository, also without an action and an issue."""
    found = letter(event="push", repository="acme/app", delivery_id="d-1", redriven="2")
    first, second, third = found.lines(NOON, "slack_failed: no")
    assert first == "d-1  push  acme/app"
    assert second.endswith("; driven again 2 times")
    assert third == "  slack_failed: no"


def test_letters_are_chosen_by_either_id() -> None:
    """An id of a delivery means every held copy of it; one that none has is named."""
    slack, rows, other = (
        letter(message_id="1", delivery_id="d"),
        letter(message_id="2", delivery_id="d"),
        letter(),
    )
    assert choose([slack, rows, other], ["d"]) == ([slack, rows], [])
    assert choose([slack, rows, other], ["2", "7", "none"]) == ([rows, other], ["none"])


def test_a_summary_counts_by_subscription() -> None:
    """The summary names the subscriptions that gave up, with their numbers."""
    gave_up = {f"{DEAD}Subscription": "stream-bq"}
    assert summary([letter(), letter(**gave_up), letter(**gave_up)]) == "3 messages (stream-bq 2, unknown 1)"
    assert summary([]) == "0 messages"
