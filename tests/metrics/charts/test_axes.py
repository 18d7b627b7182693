"""What the charts share: the calendar below, markers, and names that do not overlap."""

from datetime import date, timedelta
from math import inf, nan

import pytest

from metrics.charts.axes import calendar_ticks, marked_points, spread_apart, ticks_within


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2026, 3, 16), date(2026, 3, 16), ["16 Mar"]),
        (date(2026, 3, 10), date(2026, 3, 12), ["10 Mar"]),
        (date(2026, 3, 2), date(2026, 3, 30), ["2 Mar", "9 Mar", "16 Mar", "23 Mar", "30 Mar"]),
        (date(2026, 2, 2), date(2026, 3, 30), ["2 Feb", "16 Feb", "2 Mar", "16 Mar", "30 Mar"]),
        (date(2025, 11, 3), date(2026, 3, 16), ["3 Nov", "1 Dec", "29 Dec", "26 Jan", "23 Feb"]),
        (date(2025, 11, 3), date(2026, 5, 4), ["Dec\n2025", "Jan\n2026", "Feb", "Mar", "Apr", "May"]),
        (date(2025, 3, 17), date(2026, 3, 16), ["May\n2025", "Jul", "Sep", "Nov", "Jan\n2026", "Mar"]),
        (date(2016, 3, 7), date(2026, 3, 16), ["2017", "2019", "2021", "2023", "2025"]),
    ],
)
def test_calendar_ticks_suit_the_period(first: date, last: date, expected: list[str]) -> None:
    """Ticks are Mondays while they fit, else the first day; then first days of months, then of years."""
    assert [text for _, text in calendar_ticks(first, last, 6)] == expected


@pytest.mark.parametrize("weeks", [1, 2, 5, 9, 26, 53, 80, 105, 200, 520, 1500])
@pytest.mark.parametrize("max_ticks", [4, 6])
def test_calendar_ticks_never_long(weeks: int, max_ticks: int) -> None:
    """Any period has between one and `max_ticks` dates, in order and within the period."""
    first = date(2010, 5, 3)
    last = first + timedelta(weeks=weeks - 1)
    ticks = [day for day, _ in calendar_ticks(first, last, max_ticks)]
    assert 1 <= len(ticks) <= max_ticks
    assert ticks == sorted(set(ticks))
    assert first <= ticks[0] <= ticks[-1] <= last


def test_points_between_gaps_have_a_marker() -> None:
    """A short line has a marker at each point; a long one only at points that no line segment reaches."""
    assert marked_points([1.0, nan, 2.0]) == [0, 2]
    long = [1.0] * 70
    assert marked_points(long) == []
    assert marked_points([1.0, nan, 2.0, nan, *long]) == [0, 2]
    assert marked_points([*long, nan, 3.0]) == [71]


def test_names_of_lines_do_not_overlap() -> None:
    """Two names at one height are moved apart, the upper one up; names with enough distance stay."""
    assert spread_apart([10.0, 10.0]) == [10.0, 24.0]
    assert spread_apart([12.0, 10.0]) == [24.0, 10.0]
    assert spread_apart([10.0, 80.0]) == [10.0, 80.0]


def test_ticks_lie_within_the_axis() -> None:
    """Only ticks within the axis are used, and every other one if there are many."""
    ticks = {float(value): str(value) for value in range(1, 20)}
    assert list(ticks_within(ticks, 2.5, 5.0)) == [3.0, 4.0, 5.0]
    assert len(ticks_within(ticks, 0.0, inf)) <= 6
    assert ticks_within(ticks, 2.1, 2.9) == {}
