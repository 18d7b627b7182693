"""One delivery has one end, which its thread alone knows."""

import math
import threading

import pytest

from clients.slack import deadline
from tests.support.clock import FakeClock


def test_time_runs_out_inside_and_is_endless_outside() -> None:
    """It goes below zero once it is over, and after the block nothing of it is left."""
    clock = FakeClock()
    with deadline.limit(5, clock):
        clock.sleep(3)
        assert deadline.remaining(clock) == 2
        clock.sleep(3)
        assert deadline.remaining(clock) == -1
    assert deadline.remaining(clock) == math.inf


def test_an_error_ends_it_too() -> None:
    """The next delivery on the thread does not inherit the end of one that failed."""
    with pytest.raises(ValueError, match="x"), deadline.limit(5):
        raise ValueError("x")
    assert deadline.remaining() == math.inf


def test_another_thread_has_its_own() -> None:
    """Deliveries that are handled at the same time share no end."""
    seen: list[float] = []
    with deadline.limit(5):
        thread = threading.Thread(target=lambda: seen.append(deadline.remaining()))
        thread.start()
        thread.join()
    assert seen == [math.inf]
