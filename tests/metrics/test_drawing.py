"""What the charts share: the calendar under them, markers, names that do not collide."""

from datetime import date, timedelta
from math import inf, nan

import pytest

from metrics.drawing import calendar_ticks, marked, spread_apart, ticks_within


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2026, 3, 16), date(2026, 3, 16), ["16 Mar"]),
        (date(2026, 3, 2), date(2026, 3, 30), ["2 Mar", "9 Mar", "16 Mar", "23 Mar", "30 Mar"]),
        (date(2026, 2, 2), date(2026, 3, 30), ["2 Feb", "16 Feb", "2 Mar", "16 Mar", "30 Mar"]),
        (date(2025, 11, 3), date(2026, 3, 16), ["3 Nov", "1 Dec", "29 Dec", "26 Jan", "23 Feb"]),
        (date(2025, 11, 3), date(2026, 5, 4), ["Dec\n2025", "Jan\n2026", "Feb", "Mar", "Apr", "May"]),
        (date(2025, 3, 17), date(2026, 3, 16), ["May\n2025", "Jul", "Sep", "Nov", "Jan\n2026", "Mar"]),
        (date(2016, 3, 7), date(2026, 3, 16), ["2017", "2019", "2021", "2023", "2025"]),
    ],
)
def test_a_calendar_is_marked_as_people_would(first: date, last: date, expected: list[str]) -> None:
    """Mondays while they fit, then the first of months, then of years; the year where it begins."""
    assert [text for _, text in calendar_ticks(first, last, 6)] == expected


@pytest.mark.parametrize("weeks", [1, 2, 5, 9, 26, 53, 80, 105, 200, 520, 1500])
@pytest.mark.parametrize("most", [4, 6])
def test_dates_never_crowd(weeks: int, most: int) -> None:
    """For any period there are at most so many dates, in order, within the period, and at least one."""
    first = date(2010, 5, 3)
    last = first + timedelta(weeks=weeks - 1)
    marks = [mark for mark, _ in calendar_ticks(first, last, most)]
    assert 1 <= len(marks) <= most
    assert marks == sorted(set(marks))
    assert first <= marks[0] <= marks[-1] <= last


def test_points_between_gaps_are_seen() -> None:
    """A short line has a marker at each point; a crowded one where no line would reach the point."""
    assert marked([1.0, nan, 2.0]) == [0, 2]
    crowd = [1.0] * 70
    assert marked(crowd) == []
    assert marked([1.0, nan, 2.0, nan, *crowd]) == [0, 2]
    assert marked([*crowd, nan, 3.0]) == [71]


def test_names_of_lines_keep_apart() -> None:
    """Two names at one height are moved apart, the upper one up; those apart already stay."""
    assert spread_apart([10.0, 10.0]) == [10.0, 24.0]
    assert spread_apart([12.0, 10.0]) == [24.0, 10.0]
    assert spread_apart([10.0, 80.0]) == [10.0, 80.0]


def test_ticks_are_those_within() -> None:
    """Of the known ticks those inside the axis are used, and every other one when there are many."""
    ticks = {float(value): str(value) for value in range(1, 20)}
    assert list(ticks_within(ticks, 2.5, 5.0)) == [3.0, 4.0, 5.0]
    assert len(ticks_within(ticks, 0.0, inf)) <= 6
    assert ticks_within(ticks, 2.1, 2.9) == {}
