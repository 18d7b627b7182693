"""GitHub takes one write a second, and of those that create content 80 a minute and 500 an hour."""

from datetime import datetime, timedelta
from itertools import pairwise

from clients.github.write_pace import WritePace
from tests.support.messages import NOON


def written(count: int, *, creates: bool) -> list[datetime]:
    """Return when each of so many writes is sent if every pause is kept."""
    pace, now, found = WritePace(), NOON, []
    for _ in range(count):
        now += pace.pause(now, creates=creates)
        pace.wrote(now, creates=creates)
        found.append(now)
    return found


def test_no_window_has_more_writes_than_github_takes() -> None:
    """Of 1,200 writes that create content, any second has one, and any hour 500."""
    found = written(1_200, creates=True)
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert min(gaps) >= timedelta(seconds=1)
    for count, period in ((80, timedelta(minutes=1)), (500, timedelta(hours=1))):
        pairs = zip(found, found[count:], strict=False)
        assert all(later - earlier >= period for earlier, later in pairs)
    assert found[-1] - NOON < timedelta(hours=2, minutes=4)


def test_what_creates_nothing_is_only_a_second_apart() -> None:
    """Redeliveries are not content: 1,200 of them take 20 minutes."""
    assert written(1_200, creates=False)[-1] - NOON == timedelta(seconds=1_199)


def test_a_minute_has_eighty_creating_writes() -> None:
    """Writes that are closer together than a second, such as after a clock was set back, are 80 a minute."""
    pace = WritePace()
    for _ in range(80):
        pace.wrote(NOON, creates=True)
    now = NOON + timedelta(seconds=20)
    assert pace.pause(now, creates=True) == timedelta(seconds=40)
    assert pace.pause(now, creates=False) == timedelta()


def test_a_clock_that_is_set_back_costs_no_more_than_the_period() -> None:
    """After the clock went back a day, the next write waits a second."""
    pace = WritePace()
    pace.wrote(NOON, creates=True)
    assert pace.pause(NOON - timedelta(days=1), creates=True) == timedelta(seconds=1)
