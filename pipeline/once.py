"""A value that is built on first use, once per process: no call is allowed before the server has forked."""

from collections.abc import Callable
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
