"""Answers that take long, and that the stop of the playground does not wait for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

TICK_SECONDS: Final = 0.1


class NoAnswer(Exception):
    """A part did not do what it was asked for; the text says why."""


def in_background[Result](act: Callable[[], Result]) -> Future[Result]:
    """Start `act` in a thread that ends with the program; return what it will return or raise."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except BaseException as error:  # noqa: BLE001 - it is raised by the thread that waits
            future.set_exception(error)

    threading.Thread(target=run, name="playground-answer", daemon=True).start()
    return future


def unless_stopped[Result](act: Callable[[], Result], stopping: threading.Event) -> Result:
    """Return what `act` returns, and raise what it raises; raises NoAnswer if the stop comes first."""
    future = in_background(act)
    while True:
        try:
            return future.result(TICK_SECONDS)
        except TimeoutError:
            if future.done():
                raise
            if stopping.is_set():
                raise NoAnswer("make serve is being stopped") from None
