"""Caps gRPC's reconnect backoff, so that recovery is quick once a service is reachable again.

By default the pauses between attempts grow to two minutes, and every call within a pause fails at once. Keys:
https://grpc.github.io/grpc/core/group__grpc__arg__keys.html.
"""

from collections.abc import Callable, Sequence
from typing import Any

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
