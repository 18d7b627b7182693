"""Signals that are ignored from the start, as under nohup or in a shell's background."""

import signal
import sys
from collections.abc import Iterable

_IGNORE = """import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])"""

# Put it before the absolute path of a program.
NOHUP = (sys.executable, "-c", _IGNORE)


def ignored() -> list[int]:
    """Return which of the signals this process ignores."""
    return [int(each) for each in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_IGN]


def keep_from_children(numbers: Iterable[int]) -> None:
    """Ignore the signals here, but not in the processes that are started from now on.

    A process inherits SIG_IGN, and a shell cannot even trap such a signal; it does not inherit a handler.
    """
    for number in numbers:
        signal.signal(number, lambda *_: None)
