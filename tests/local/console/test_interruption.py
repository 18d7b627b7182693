"""The stop of the playground waits for no long answer."""

import threading

import pytest

from local.console.interruption import NoAnswer, in_background, unless_stopped


def test_a_long_answer_does_not_keep_the_program_from_ending() -> None:
    """What runs in the background ends with the program, whatever it waits for."""
    waiting, before = threading.Event(), set(threading.enumerate())
    answer = in_background(waiting.wait)
    assert [thread.daemon for thread in set(threading.enumerate()) - before] == [True]
    waiting.set()
    assert answer.result(10)


def test_a_failure_is_raised_where_the_answer_is_awaited() -> None:
    """An answer that fails is no answer that never comes."""

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        unless_stopped(fail, threading.Event())


def test_the_stop_ends_the_wait() -> None:
    """A question that is being answered when make serve stops gets a sentence."""
    stopping = threading.Event()
    stopping.set()
    waiting = threading.Event()
    with pytest.raises(NoAnswer, match="being stopped"):
        unless_stopped(waiting.wait, stopping)
    waiting.set()
