"""A value that is built on first use, once per process."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.once import once


def test_nothing_is_built_before_the_first_call() -> None:
    """A value is built at the first call, so that no client connects before the server forks."""
    built: list[int] = []
    get = once(lambda: built.append(1))
    assert built == []
    get()
    assert built == [1]


def test_every_thread_gets_the_same_value() -> None:
    """Threads that call at the same time get the same value, built once; it may be None or empty."""
    for value in (object(), None, ()):
        barrier = threading.Barrier(16)
        twice = threading.Event()
        built: list[object] = []

        def build(value: object = value, twice=twice, built: list[object] = built) -> object:
            built.append(value)
            if len(built) > 1:
                twice.set()
            twice.wait(0.1)  # time for another thread to get in, which it must not
            return value

        get = once(build)

        def ask(barrier: threading.Barrier = barrier, get=get) -> object:
            barrier.wait(timeout=10)
            return get()

        with ThreadPoolExecutor(16) as pool:
            values = [future.result() for future in [pool.submit(ask) for _ in range(16)]]
        assert all(found is value for found in values)
        assert len(built) == 1


def test_an_error_is_not_kept() -> None:
    """An error is raised to the caller, and the next call builds again."""
    outcomes: list[Exception | str] = [OSError("down"), OSError("still down"), "up"]

    def build() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    get = once(build)
    for _ in range(2):
        with pytest.raises(OSError, match="down"):
            get()
    assert get() == get() == "up"
