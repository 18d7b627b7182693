"""An event loop with a virtual clock: a test of waiting and timeouts takes no time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer if nothing else is to do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.before_a_jump: Callable[[], None] = lambda: None
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None) -> Any:
            if timeout is None:
                pytest.fail("the loop would wait forever")
            if timeout > 0:
                self.before_a_jump()
                self.now += timeout
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        """Return the virtual time."""
        return self.now


def run(main: Coroutine[Any, Any, None], before_a_jump: Callable[[], None] = lambda: None) -> None:
    """Run the coroutine, and call the function whenever time is about to pass. No callback may fail."""
    problems: list[Any] = []
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        loop.before_a_jump = before_a_jump
        loop.set_exception_handler(lambda _loop, context: problems.append(context))
        runner.run(main)
    assert problems == []
