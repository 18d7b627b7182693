"""A delivery has one deadline, which belongs to its thread."""

import math
import threading

import pytest

from clients.slack import deadline
from tests.support.clock import FakeClock


def test_time_is_limited_inside_the_block_only() -> None:
    """The remaining time is negative after the deadline, and infinite after the block."""
    clock = FakeClock()
    with deadline.limit(5, clock):
        clock.sleep(3)
        assert deadline.remaining(clock) == 2
        clock.sleep(3)
        assert deadline.remaining(clock) == -1
    assert deadline.remaining(clock) == math.inf


def test_an_error_removes_the_deadline() -> None:
    """A delivery that fails leaves no deadline to the next one on its thread."""
    with pytest.raises(ValueError, match="x"), deadline.limit(5):
        raise ValueError("x")
    assert deadline.remaining() == math.inf


def test_another_thread_has_no_deadline() -> None:
    """Deliveries in other threads do not share a deadline."""
    seen: list[float] = []
    with deadline.limit(5):
        thread = threading.Thread(target=lambda: seen.append(deadline.remaining()))
        thread.start()
        thread.join()
    assert seen == [math.inf]
