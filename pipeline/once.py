"""A value built on first use, once per process: clients must not exist before the server has forked."""

from collections.abc import Callable
from threading import Lock


def once[T](build: Callable[[], T]) -> Callable[[], T]:
    """Return a function that calls `build` at its first call and hands out the same value to every thread.

    An error rises to the caller and is not kept: the next call builds again.
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
