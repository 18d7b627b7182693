"""The small line of a repository: from zero to its highest value, oldest week first."""

import re

import pytest

from ops.report import sparkline


def points(values: tuple[int, ...]) -> list[tuple[float, float]]:
    """Return the points of the line."""
    [line] = re.findall(r'points="([^"]*)"', str(sparkline.svg(values)))
    return [(float(x), float(y)) for x, y in (point.split(",") for point in line.split())]


@pytest.mark.parametrize("values", [(0, 5, 10), (0,) * 26, (7,), tuple(range(26))])
def test_the_line_is_inside_its_picture(values: tuple[int, ...]) -> None:
    """Every value has a point inside the picture; the last is at the right edge."""
    found = points(values)
    assert len(found) == len(values)
    assert all(0 <= x <= sparkline.WIDTH and 0 <= y <= sparkline.HEIGHT for x, y in found)
    assert found[-1][0] == sparkline.WIDTH - sparkline.MARGIN


def test_more_issues_are_higher() -> None:
    """Zero is at the bottom and the highest value at the top; equal values are level."""
    low, high, middle = points((0, 10, 5))
    assert (low[1], middle[1], high[1]) == (21.0, 12.0, 3.0)
    assert {y for _, y in points((4, 4))} == {3.0}


def test_the_line_can_be_read_aloud() -> None:
    """The accessible name has the first and the last value."""
    for values, name in (((12, 10, 9), "12 open 2 weeks ago, 9 now."), ((9, 8), "9 open 1 week ago, 8 now.")):
        assert f"end. {name}" in sparkline.svg(values)
    assert "end. 9 now." in sparkline.svg((9,))


def test_a_repository_without_weeks_has_no_line() -> None:
    """Without values there is neither a line nor a block."""
    assert sparkline.svg(()) == sparkline.blocks(()) == ""


def test_blocks_are_as_high_as_the_values() -> None:
    """In Markdown each value is a block, the lowest for zero and the full one for the highest value."""
    assert sparkline.blocks((0, 1, 2, 3, 4, 5, 6, 7)) == "▁▂▃▄▅▆▇█"
    assert sparkline.blocks((0, 0)) == "▁▁"
