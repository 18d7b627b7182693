"""Reads the body of an ASGI request within limits of size, time and memory.

The server itself has no limit: it would read a body of any size at any pace.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

from pipeline.errors import Rejected, Unavailable

# Returns the next ASGI event of a request: https://asgi.readthedocs.io/en/latest/specs/www.html
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

SMALL_BYTES = 256 * 1024  # a body up to this size takes nothing of the shared memory
MEMORY_WAIT_SECONDS = 2.0
DISCARD_BYTES = 32 * 1024 * 1024  # Cloud Run takes no more
DISCARD_SECONDS = 1.0


class RequestBody:
    """The body of one request as it arrives: `received` bytes so far, and whether it has `ended`."""

    def __init__(self, receive: Receive, announced: int | None) -> None:
        """Take the request's `receive` and its Content-Length."""
        self._receive = receive
        self.announced = announced
        self.received = 0
        self.ended = False
        self._discarded = False

    async def next_piece(self) -> bytes:
        """Return what has arrived. Raises Rejected 400 if the body breaks off or is wrongly framed."""
        event = await self._receive()
        if event["type"] != "http.request":
            raise Rejected(HTTPStatus.BAD_REQUEST, "body_broken", "The body broke off or is wrongly framed.")
        piece: bytes = event.get("body", b"")
        self.received += len(piece)
        self.ended = not event.get("more_body", False)
        return piece

    async def discard(self) -> None:
        """Read the rest and forget it, because a client reads no answer while it sends.

        Gives up after a second or 32 MiB; then the body has not ended. A second call does not wait again.
        """
        if self._discarded:
            return
        self._discarded = True
        with suppress(TimeoutError, Rejected):
            async with asyncio.timeout(DISCARD_SECONDS):
                while not self.ended and self.received <= DISCARD_BYTES:
                    await self.next_piece()


class BodyReader:
    """Reads bodies of up to `largest` bytes, each in `seconds`; all large ones together fit in `memory`."""

    def __init__(self, *, largest: int, seconds: float, memory: int) -> None:
        self._largest = largest
        self._seconds = seconds
        self._memory = _Memory(memory)

    @asynccontextmanager
    async def read(self, body: RequestBody) -> AsyncIterator[bytes | bytearray]:
        """Yield the whole body. Its memory is free again after the block.

        Raises Rejected 413 for a larger body, announced or not, and 400 for one that breaks off or is not
        complete in time. Raises Unavailable if other bodies need the memory.
        """
        taken: list[int] = []
        try:
            yield await self._read(body, taken)
        finally:
            self._memory.give_back(sum(taken))

    def check_size(self, size: int | None) -> None:
        """Raise Rejected 413 if a body of this size is too large."""
        if size is not None and size > self._largest:
            raise Rejected(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "body_too_large",
                f"The body is larger than {self._largest // 1024 // 1024} MiB.",
            )

    async def _read(self, body: RequestBody, taken: list[int]) -> bytes | bytearray:
        """Return the body. What it takes of the shared memory is added to `taken`."""
        self.check_size(body.announced)
        whole: bytes | bytearray = b""
        try:
            async with asyncio.timeout(self._seconds):
                if body.announced is not None and body.announced > SMALL_BYTES:
                    await self._take(body.announced, taken)
                while not body.ended:
                    piece = await body.next_piece()
                    self.check_size(body.received)
                    if body.received > SMALL_BYTES and not taken:
                        await self._take(self._largest, taken)
                    whole = _joined(whole, piece)
        except TimeoutError as error:
            raise Rejected(
                HTTPStatus.BAD_REQUEST, "body_slow", f"The body was not complete in {self._seconds:.0f} s."
            ) from error
        return whole

    async def _take(self, size: int, taken: list[int]) -> None:
        try:
            await self._memory.take(size, MEMORY_WAIT_SECONDS)
        except TimeoutError as error:
            raise Unavailable("overloaded", "Other large bodies are being read.") from error
        taken.append(size)


class _Memory:
    """Bytes that requests share. Who asks first is served first."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int, seconds: float) -> None:
        """Take bytes once they are free. Raises TimeoutError after `seconds`."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, granted))
        self._grant()
        try:
            async with asyncio.timeout(seconds):
                await granted
        except BaseException:
            # Granted in the same moment, or else those who waited behind may fit now.
            self.give_back(0 if granted.cancelled() else size)
            raise

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        self._free += size
        self._grant()

    def _grant(self) -> None:
        while self._waiting:
            size, granted = self._waiting[0]
            if not granted.done():
                if size > self._free:
                    return
                self._free -= size
                granted.set_result(None)
            self._waiting.popleft()


def _joined(body: bytes | bytearray, piece: bytes) -> bytes | bytearray:
    """Return both together. Most bodies are one piece, which is not copied; a large one grows in place."""
    if not body:
        return piece
    if isinstance(body, bytes):
        body = bytearray(body)
    body += piece
    return body
