"""One event loop for the tests of asynchronous code: an open channel belongs to the loop that opened it."""

import asyncio
import atexit
from collections.abc import Coroutine
from typing import Any

_runner = asyncio.Runner()
atexit.register(_runner.close)


def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run until it is done, and return its result."""
    return _runner.run(coroutine)
