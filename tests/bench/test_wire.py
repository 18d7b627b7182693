"""The bench finds the end of each message on a kept-alive connection."""

import pytest

from bench import wire

ANSWER = b"HTTP/1.1 202 ACCEPTED\r\ncontent-length: 2\r\n\r\n{}"


def test_a_message_is_complete_with_its_body() -> None:
    """An answer is complete once all of its body is there, and the next one may follow."""
    assert wire.split(ANSWER[:20]) is None
    assert wire.split(ANSWER[:-1]) is None
    head, end = wire.split(ANSWER + b"HTTP") or (b"", 0)
    assert (wire.status_of(head), end) == (202, len(ANSWER))


def test_a_message_of_unknown_length_is_refused() -> None:
    """An answer whose end is unknown is refused, because it could be counted too early."""
    with pytest.raises(wire.Malformed):
        wire.split(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


def test_an_answer_without_a_body_needs_no_length() -> None:
    """204 has no body."""
    assert wire.split(b"HTTP/1.1 204 No Content\r\n\r\n") is not None


def test_a_request_is_read_as_it_is_written() -> None:
    """A request of the bench is one message, whose headers have hyphens."""
    request = wire.post(b"{}", X_GitHub_Event="issues")
    assert b"\r\nX-GitHub-Event: issues\r\n" in request
    assert wire.split(request) == (request[:-4], len(request))
