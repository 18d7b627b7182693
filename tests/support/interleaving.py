"""Threads of which one runs at a time, in an order that a seed decides, so that a race repeats."""

import random
import threading
from collections.abc import Callable, Sequence


class Interleaving:
    """Runs `threads` threads; each of them calls `step` wherever another one may go on instead."""

    def __init__(self, seed: int, threads: int) -> None:
        self.random = random.Random(seed)
        self._changed = threading.Condition()
        self._alive = threads
        self._waiting: set[int] = set()
        self._running = -1

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Run the works to their end, each in a thread. Raises the first error of any."""
        errors: list[BaseException] = []

        def begin(index: int, work: Callable[[], None]) -> None:
            try:
                self.step(index)
                work()
            except BaseException as error:  # noqa: BLE001 - raised below, in the caller's thread
                errors.append(error)
            finally:
                self._leave()

        threads = [threading.Thread(target=begin, args=pair) for pair in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def step(self, index: int) -> None:
        """Let the next thread run, and return once it is this one's turn."""
        with self._changed:
            self._waiting.add(index)
            self._choose()
            self._changed.wait_for(lambda: self._running == index)

    def _leave(self) -> None:
        with self._changed:
            self._alive -= 1
            self._choose()

    def _choose(self) -> None:
        if len(self._waiting) == self._alive and self._waiting:
            self._running = self.random.choice(sorted(self._waiting))
            self._waiting.discard(self._running)
            self._changed.notify_all()
