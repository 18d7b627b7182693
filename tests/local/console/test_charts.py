"""The two small charts."""

import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest

from local.console.charts import WEEKS, backlog, opened_and_closed
from metrics.figures import Week

MONDAY = date(2026, 3, 2)


def weeks(count: int) -> list[Week]:
    """Return so many weeks."""
    return [
        Week(week=MONDAY + timedelta(weeks=place), opened=place, closed=place // 2, backlog=3 * place)
        for place in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 60])
@pytest.mark.parametrize("draw", [backlog, opened_and_closed])
def test_a_chart_is_plain_svg(draw, count: int) -> None:
    """A chart parses as SVG, has a text for those who do not see it, and no style or script of its own."""
    chart = draw(weeks(count))
    root = ET.fromstring(chart["svg"])
    assert root.tag.endswith("svg")
    assert root.attrib["aria-label"].startswith(("Line chart.", "Bar chart."))
    for element in root.iter():
        assert element.tag.rpartition("}")[2] in {"svg", "path", "polyline", "circle", "rect", "text"}
        assert "style" not in element.attrib
        numbers = [float(element.attrib[name]) for name in ("x", "y", "cx", "cy") if name in element.attrib]
        assert all(-1 <= number <= 260 for number in numbers)


def test_the_last_weeks_are_shown() -> None:
    """A long history is cut to a quarter; the newest week is named."""
    root = ET.fromstring(opened_and_closed(weeks(60))["svg"])
    assert sum(element.tag.endswith("rect") for element in root.iter()) == 2 * WEEKS
    texts = [element.text for element in root.iter() if element.text]
    assert "59 opened, 29 closed" in texts
    assert f"{MONDAY + timedelta(weeks=59):%d %b}" in texts


def test_a_week_without_issues_can_be_drawn() -> None:
    """Zeros are a line at the bottom and no division by nothing."""
    quiet = [Week(week=MONDAY)]
    assert "0 open" in backlog(quiet)["svg"]
    assert "0 opened, 0 closed" in opened_and_closed(quiet)["svg"]
