"""The bench keeps its time limit on a slow machine."""

import pytest

from bench.clock import Clock
from tests.support.clock import FakeClock


@pytest.fixture
def time() -> FakeClock:
    """Return a clock that a test moves."""
    return FakeClock()


@pytest.fixture
def clock(time: FakeClock) -> Clock:
    """Return a hundred seconds for two measures."""
    return Clock(100, {"cold": 1, "warm": 3}, time)


def test_time_is_divided_by_weight(clock: Clock) -> None:
    """Each measure gets its part of the time that is left."""
    assert clock.take("cold") == 25


def test_time_that_is_not_used_is_left_to_the_next(time: FakeClock, clock: Clock) -> None:
    """The last measure gets all that is left, also if the first took too long."""
    clock.take("cold")
    time.sleep(90)
    assert clock.take("warm") == 10


@pytest.mark.parametrize(("each", "count"), [(1.0, 9), (4.0, 5), (30.0, 3)])
def test_a_slow_machine_has_fewer_rounds(time: FakeClock, clock: Clock, each: float, count: int) -> None:
    """Rounds stop before the time is exceeded, but never before the third."""
    done = 0
    for _ in clock.rounds(20.0, most=9):
        time.sleep(each)
        done += 1
    assert done == count
