"""A value that is built on first use, once per process: no call is allowed before the server has forked."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Lock


def once[T](build: Callable[[], T]) -> Callable[[], T]:
    """Return a function that calls `build` once and returns the same value to every thread.

    An error of `build` is raised to the caller and not kept: the next call builds again.
    """
    lock = Lock()
    built: list[T] = []

    def get() -> T:
        if not built:
            with lock:
                if not built:
                    built.append(build())
        return built[0]

    return get


def once_async[T](build: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """Return the same for one event loop: a coroutine function that awaits `build` once."""
    lock = asyncio.Lock()
    built: list[T] = []

    async def get() -> T:
        if not built:
            async with lock:
                if not built:
                    built.append(await build())
        return built[0]

    return get
