"""Caps gRPC's reconnect backoff, so that recovery is quick once a service is reachable again.

By default the pauses between attempts grow to two minutes, and every call within a pause fails at once. Keys:
https://grpc.github.io/grpc/core/group__grpc__arg__keys.html.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import google.auth
import grpc  # type: ignore[import-untyped]  # grpcio ships no types

Option = tuple[str, Any]

QUICK_RECONNECT: tuple[Option, ...] = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 3_000),  # the time allowed for one attempt, not a pause
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


def with_quick_reconnect[C](create: Callable[..., C]) -> Callable[..., C]:
    """Return a transport's `create_channel` that adds QUICK_RECONNECT to the client's own options."""

    def channel(host: str, *, options: Sequence[Option] = (), **arguments: Any) -> C:
        return create(host, options=[*options, *QUICK_RECONNECT], **arguments)

    return channel


async def open_transport(transport: Any, plaintext: str | None) -> Any:
    """Return an official client's asyncio transport, or one to a stand-in at `plaintext`, host:port.

    Raises GoogleAuthError if there are no credentials. A thread looks for them, because that may be a call.
    """
    if plaintext:
        return transport(channel=with_quick_reconnect(grpc.aio.insecure_channel)(plaintext))
    credentials, _ = await asyncio.to_thread(google.auth.default, default_scopes=transport.AUTH_SCOPES)
    return transport(credentials=credentials, channel=with_quick_reconnect(transport.create_channel))
