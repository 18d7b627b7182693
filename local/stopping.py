"""Ctrl-C, SIGTERM or a closed terminal ends a program with one line, and status 128 + the signal's number."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LINE = "Stopped; nothing is left running."


class Stopped(BaseException):
    """A signal, by its number, asks the program to stop; `except Exception` does not catch it."""


def status(number: int) -> int:
    """Return the exit status; make would report any but 0, so that its targets set the one after Ctrl-C."""
    if number == signal.SIGINT:
        return int(os.environ.get("STATUS_AFTER_CTRL_C", 128 + number))
    return 128 + number


def exit_at_once() -> None:
    """Let a signal end the program where it is. Call it before the imports, and when nothing is running.

    An exception could be lost here: a module may catch it around an import of its own.
    """
    _install(_exit)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextlib.contextmanager
def stopping(say: Callable[[str], None]) -> Iterator[None]:
    """Raise Stopped in the block when a signal comes. After its cleaning, `say` one line and exit."""
    _install(stop)
    try:
        yield
    except Stopped as stopped:
        say(LINE)
        sys.exit(status(stopped.args[0]))
    finally:
        if signal.getsignal(signal.SIGTERM) is stop:  # no signal has come
            sys.stdout.flush()
            exit_at_once()


def stop(number: int, frame: FrameType | None) -> None:
    """Raise Stopped, and ignore further signals: a second Ctrl-C must not interrupt the cleaning."""
    if _in_finalizer(frame):
        signal.signal(signal.SIGALRM, lambda _, later: stop(number, later))
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        return
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Let the first signal wait until the block ends; in another thread than the main one, do nothing.

    A child that is started in the block inherits no signal as ignored, not even under nohup: handlers are
    not inherited.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    deferred: list[int] = []
    try:
        with handling_signals(lambda number, _: deferred.append(number)):
            yield
    finally:
        for number in deferred[:1]:
            signal.raise_signal(number)


@contextlib.contextmanager
def handling_signals(handler: Any) -> Iterator[None]:
    """Let `handler`, or SIG_IGN, take the signals that stop a program, until the block ends."""
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _install(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in SIGNALS:
        # nohup ignores a hang-up, so that what it starts outlives its terminal.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def _exit(number: int, _frame: FrameType | None) -> None:
    os.write(sys.__stdout__.fileno() if sys.__stdout__ else 2, f"{LINE}\n".encode())
    os._exit(status(number))


def _in_finalizer(frame: FrameType | None) -> bool:
    """Return whether a signal's handler was called within a `__del__`: Python drops what is raised there."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
