"""A stub of Pub/Sub that confirms every Publish after a fixed time.

It does not imitate topics, errors, other calls, HTTP/2's compression, padding or flow control towards the
client: it reads no header, takes every call for a Publish, and answers an id for each of its messages.
"""

import asyncio
import itertools
from typing import Any

_PREFACE = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
_DATA, _HEADERS, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 4, 6, 8
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_WINDOW = 2**31 - 1
_REFILL = 2**28
_MESSAGES = 0x12  # the tag of PublishRequest.messages
_MESSAGE_ID = b"\x0a\x10"  # the tag of PublishResponse.message_ids, and the length of our ids
_STATUS_200 = b"\x88\x0f\x10\x10application/grpc"
_GRPC_OK = b"\x00\x0bgrpc-status\x010"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame of HTTP/2."""
    return b"%b%b%b" % (
        (len(payload) << 16 | kind << 8 | flags).to_bytes(5, "big"),
        stream.to_bytes(4, "big"),
        payload,
    )


def count_messages(request: bytes | bytearray) -> int:
    """Return how many messages a PublishRequest has. All its fields have a length."""
    position = count = 0
    while position < len(request):
        tag, position = _varint(request, position)
        length, position = _varint(request, position)
        position += length
        count += tag == _MESSAGES
    return count


def _varint(data: bytes | bytearray, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


class PubSub:
    """The stub; `published` counts the messages that it has confirmed, `calls` the calls."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._ids = itertools.count(10**15)
        self.published = 0
        self.calls = 0

    async def start(self) -> int:
        """Listen, and return the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def answer(self, connection: "_Connection", stream: int, request: bytes | bytearray) -> None:
        """Answer a call after the delay."""
        count = count_messages(request[5:])
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._confirm, connection, stream, count)
        else:
            self._confirm(connection, stream, count)

    def _confirm(self, connection: "_Connection", stream: int, count: int) -> None:
        ids = b"".join(b"%b%d" % (_MESSAGE_ID, number) for number in itertools.islice(self._ids, count))
        self.published += count
        self.calls += 1
        message = b"\x00" + len(ids).to_bytes(4, "big") + ids
        connection.write(
            frame(_HEADERS, _END_HEADERS, stream, _STATUS_200)
            + frame(_DATA, 0, stream, message)
            + frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, _GRPC_OK)
        )


class _Connection(asyncio.Protocol):
    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub
        self._received = bytearray()
        self._requests: dict[int, bytearray] = {}
        self._unread = 0
        self._greeted = False
        self._transport: Any = None

    def write(self, data: bytes) -> None:
        """Send frames, unless the client has left."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        settings = b"\x00\x04%b\x00\x05\x00\xff\xff\xff" % _WINDOW.to_bytes(4, "big")
        window = (_WINDOW - 65_535).to_bytes(4, "big")
        self.write(frame(_SETTINGS, 0, 0, settings) + frame(_WINDOW_UPDATE, 0, 0, window))

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        if not self._greeted:
            if len(received) < _PREFACE:
                return
            del received[:_PREFACE]
            self._greeted = True
        position = 0
        while len(received) - position >= 9:
            end = position + 9 + int.from_bytes(received[position : position + 3], "big")
            if len(received) < end:
                break
            kind, flags = received[position + 3], received[position + 4]
            stream = int.from_bytes(received[position + 5 : position + 9], "big")
            self._take(kind, flags, stream, received[position + 9 : end])
            position = end
        del received[:position]

    def _take(self, kind: int, flags: int, stream: int, payload: bytearray) -> None:
        if kind == _DATA:
            self._unread += len(payload)
            self._requests.setdefault(stream, bytearray()).extend(payload)
            if flags & _END_STREAM:
                self._pubsub.answer(self, stream, self._requests.pop(stream))
            if self._unread > _REFILL:
                self.write(frame(_WINDOW_UPDATE, 0, 0, self._unread.to_bytes(4, "big")))
                self._unread = 0
        elif kind in {_SETTINGS, _PING} and not flags & _ACK:
            self.write(frame(kind, _ACK, 0, bytes(payload) if kind == _PING else b""))
