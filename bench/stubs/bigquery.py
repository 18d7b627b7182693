"""A stub of BigQuery that confirms every insertAll after a fixed time.

It does not imitate tables, errors, other calls or compression: it takes every POST for an insertAll, counts
its rows, and answers that all of them are stored.
"""

import asyncio
import time
from typing import Any

from bench import wire

_STORED = wire.json_answer(b'{"kind": "bigquery#tableDataInsertAllResponse"}')


def count_rows(body: bytes | bytearray) -> int:
    """Return how many rows an insertAll has. A quote within a payload is escaped, so it is not counted."""
    return body.count(b'"json":')


class BigQuery:
    """The stub; `rows` counts the rows that it has confirmed, and `stored_at` is the time of the last."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self.rows = 0
        self.calls = 0
        self.stored_at = 0.0

    async def start(self) -> int:
        """Listen, and return the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def answer(self, transport: asyncio.Transport, body: bytearray) -> None:
        """Answer a call after the delay."""
        rows = count_rows(body)
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._store, transport, rows)
        else:
            self._store(transport, rows)

    def _store(self, transport: asyncio.Transport, rows: int) -> None:
        self.rows += rows
        self.calls += 1
        self.stored_at = time.monotonic()
        if not transport.is_closing():
            transport.write(_STORED)


class _Connection(asyncio.Protocol):
    def __init__(self, bigquery: BigQuery) -> None:
        self._bigquery = bigquery
        self._received = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        message = wire.split(self._received)
        if message is not None:
            head, end = message
            body = self._received[len(head) + 2 : end]
            del self._received[:end]
            self._bigquery.answer(self._transport, body)
