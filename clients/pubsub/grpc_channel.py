"""How soon a gRPC channel that lost its neighbour tries again; an outage must not outlive itself.

gRPC's own pauses between two tries grow to two minutes, and every call in a pause fails at once. Keys:
https://grpc.github.io/grpc/core/group__grpc__arg__keys.html.
"""

from collections.abc import Callable, Sequence
from typing import Any

Option = tuple[str, Any]

RECONNECT: tuple[Option, ...] = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 3_000),  # what one try may take, not a pause
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


def reconnecting[C](create: Callable[..., C]) -> Callable[..., C]:
    """Return `create` of a client's transport with RECONNECT beside the options that the client sets."""

    def channel(host: str, *, options: Sequence[Option] = (), **arguments: Any) -> C:
        return create(host, options=[*options, *RECONNECT], **arguments)

    return channel
