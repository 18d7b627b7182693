"""As much of HTTP/1.1 as the load client and the stubs need: a message with a Content-Length."""

import re

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


class Malformed(Exception):
    """The other side sent what is not read here."""


def split(received: bytes | bytearray) -> tuple[bytes, int] | None:
    """Return the head of the first message and where the message ends, or None until all of it is there.

    Raises Malformed for a message whose end is unknown: one without a Content-Length that may have a body.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(received[: end + 2])
    length = _LENGTH.search(head)
    if length is None and not head.startswith((b"HTTP/1.1 204", b"GET ")):
        raise Malformed(f"a message without a Content-Length: {head[:80]!r}")
    end += 4 + (int(length[1]) if length else 0)
    return (head, end) if len(received) >= end else None


def status_of(head: bytes) -> int:
    """Return the status of an answer. Raises Malformed."""
    status = _STATUS.match(head)
    if status is None:
        raise Malformed(f"not an answer: {head[:80]!r}")
    return int(status[1])


def post(body: bytes, **headers: str) -> bytes:
    """Return a POST request to / with a JSON body; the underscores of a header's name become hyphens."""
    lines = [
        "POST / HTTP/1.1",
        "Host: 127.0.0.1",
        "User-Agent: bench",
        "Accept: */*",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def json_answer(body: bytes) -> bytes:
    """Return an answer 200 with this JSON body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
