"""python -m bench.load: the load client, which sends a connection's next request when its answer has come.

A question names the port, the number of connections, the files with the requests, the expected statuses, and
either the seconds or the number of requests. Every answer is counted; a wrong one ends the slice.
"""

import asyncio
import functools
import itertools
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench import wire
from bench.deliveries import PLACEHOLDER
from bench.worker import Json, answer_questions

LAST_ANSWER_SECONDS = 30.0


@functools.cache
def template(file: str) -> tuple[bytes, ...]:
    """Return the parts of a request around its placeholders."""
    return tuple(Path(file).read_bytes().split(PLACEHOLDER))


class Slice:
    """One slice of load: what is sent, and what came back."""

    _numbers = itertools.count(1)

    def __init__(self, question: Json) -> None:
        self._templates = itertools.cycle([template(file) for file in question["files"]])
        self._seconds: float = question.get("seconds", 1e9)
        self._left: int = question.get("requests", 10**9)
        self._expected: list[int] = question["expected"]
        self._began = self._ended = 0.0
        self._open = 0
        self._done = asyncio.Event()
        self._took: list[float] = []
        self._wrong: Counter[str] = Counter()

    async def run(self, port: int, connections: int) -> Json:
        """Connect first, then send until the end; wait for the last answers."""
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(lambda: Connection(self), "127.0.0.1", port)
            for _ in range(connections)
        ]
        self._open = connections
        self._began = time.perf_counter()
        for _, connection in made:
            connection.send_next()
        try:
            limit = min(self._seconds, 600) + LAST_ANSWER_SECONDS
            await asyncio.wait_for(self._done.wait(), limit)
        except TimeoutError:
            self._wrong["no answer"] += 1
        for transport, _ in made:
            transport.abort()
        return self._result()

    def next_request(self) -> bytes | None:
        """Return the next request, or None at the end."""
        self._left -= 1
        if self._left < 0 or self._wrong or time.perf_counter() - self._began > self._seconds:
            self._open -= 1
            if not self._open:
                self._done.set()
            return None
        return (b"%012d" % next(self._numbers)).join(next(self._templates))

    def answered(self, status: int, began: float) -> None:
        """Count an answer."""
        self._ended = time.perf_counter()
        self._took.append(self._ended - began)
        if status not in self._expected:
            self.failed(f"status {status}")

    def failed(self, what: str) -> None:
        """Count what is not the expected answer, and end the slice."""
        self._wrong[what] += 1
        self._done.set()

    def _result(self) -> Json:
        took = sorted(self._took) or [0.0]
        return {
            "answered": len(self._took),
            "per_second": len(self._took) / (self._ended - self._began),
            "p50": statistics.median(took),
            "p99": took[int(len(took) * 0.99)],
            "wrong": dict(self._wrong),
        }


class Connection(asyncio.Protocol):
    """One kept-alive connection, with one request at a time."""

    def __init__(self, slice_: Slice) -> None:
        self._slice = slice_
        self._received = bytearray()
        self._sent_at: float | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio has switched Nagle's delay off."""
        self._transport = transport

    def send_next(self) -> None:
        """Send the next request, if there is one."""
        request = self._slice.next_request()
        self._sent_at = None if request is None else time.perf_counter()
        if request is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Count a complete answer and send the next request."""
        self._received += data
        try:
            message = wire.split(self._received)
            if message is None:
                return
            head, end = message
            del self._received[:end]
            assert self._sent_at is not None
            self._slice.answered(wire.status_of(head), self._sent_at)
        except wire.Malformed as error:
            self._slice.failed(str(error))
            return
        self.send_next()

    def connection_lost(self, _error: Exception | None) -> None:
        """Count a connection that ends before its answer."""
        if self._sent_at is not None:
            self._slice.failed("the connection was closed")


async def answer(question: Json) -> Json:
    """Run one slice."""
    return await Slice(question).run(question["port"], question["connections"])


if __name__ == "__main__":
    asyncio.run(answer_questions(answer))
