"""Axes that the charts share: the calendar below, the unit above, ticks, and names beside the lines."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from matplotlib.axes import Axes

from metrics.charts.drawing import TEXT_SIZE
from metrics.charts.svg import Ink
from metrics.weeks import monday

MAX_MARKED_POINTS = 60  # the markers of more points would run together
MAX_TICKS = 6
MIN_DAYS, MIN_DAYS_OF_WEEKS = 10, 56  # what a calendar shows at least: a single bar would fill it
WEEKLY = "week, from Monday (UTC)"


def ticks_within(ticks: Mapping[float, str], low: float, high: float) -> dict[float, str]:
    """Return the ticks between `low` and `high`; every other one while there are more than six."""
    inside = {value: text for value, text in ticks.items() if low <= value <= high}
    while len(inside) > MAX_TICKS:
        inside = dict(list(inside.items())[::2])
    return inside


def marked_points(values: Sequence[float]) -> list[int]:
    """Return the indices of the points that get a marker.

    All points do, or, of more than MAX_MARKED_POINTS, those between two gaps: no line shows them.
    """
    known = [not math.isnan(value) for value in values]
    if len(values) <= MAX_MARKED_POINTS:
        return [index for index, is_known in enumerate(known) if is_known]
    padded = [False, *known, False]
    return [
        index
        for index, is_known in enumerate(known)
        if is_known and not padded[index] and not padded[index + 2]
    ]


def name_lines(axes: Axes, ends: Sequence[tuple[float, str, Ink]]) -> None:
    """Write each line's name beside its last value, without overlaps."""
    right = max(axes.get_xlim()[1], 0)
    heights = [axes.transData.transform((0, value))[1] for value, _, _ in ends]
    for (value, text, ink), height, placed in zip(ends, heights, spread_apart(heights), strict=True):
        axes.annotate(
            text, (right, value), xytext=(6, (placed - height) * 72 / axes.figure.dpi),
            textcoords="offset points", color=ink.value, va="center", fontweight="bold",
            annotation_clip=False,
        )  # fmt: skip


def spread_apart(heights: Sequence[float], distance: float = 14.0) -> list[float]:
    """Return the heights, moved up if they are closer to one another than `distance`."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = list(heights)
    for low, high in pairwise(order):
        placed[high] = max(placed[high], placed[low] + distance)
    return placed


def unit_above(axes: Axes, text: str) -> None:
    """Write the unit above the axis, horizontally."""
    axes.set_title(text, loc="left", fontsize=TEXT_SIZE, color=Ink.MUTED.value, x=0)


def calendar(axes: Axes, days: Sequence[date], max_ticks: int, unit: str = WEEKLY) -> None:
    """Make the x axis a calendar from the first to the last day."""
    ticks = calendar_ticks(days[0], days[-1], max_ticks)
    axes.set_xticks([day.toordinal() for day, _ in ticks], [text for _, text in ticks])
    span, least = (days[-1] - days[0]).days, MIN_DAYS_OF_WEEKS if unit == WEEKLY else MIN_DAYS
    margin = max(span * 0.01, 4, (least - span) / 2)
    axes.set_xlim(days[0].toordinal() - margin, days[-1].toordinal() + margin)
    axes.set_xlabel(unit)
    axes.tick_params(axis="x", pad=5)
    for label in axes.get_xticklabels():
        label.set_multialignment("center")
    axes.grid(visible=True, axis="y")
    axes.set_axisbelow(True)


def calendar_ticks(first: date, last: date, max_ticks: int) -> list[tuple[date, str]]:
    """Return at most `max_ticks` dates from first to last, evenly spaced, and the text below each.

    Mondays while they fit, or the first day if there is no Monday; then the first days of months, then of
    years; the year is written where it begins.
    """
    for step in (1, 2, 4):
        mondays = _mondays(first, last, step) or [first]
        if len(mondays) <= max_ticks:
            return [(day, f"{day.day} {day:%b}") for day in mondays]
    for months in (1, 2, 3, 6):
        days = [day for day in _months(first, last) if (day.month - 1) % months == 0]
        if len(days) <= max_ticks:
            return [
                (day, f"{day:%b}\n{day.year}" if not index or day.month <= months else f"{day:%b}")
                for index, day in enumerate(days)
            ]
    years = [day for day in _months(first, last) if day.month == 1]
    return [(day, str(day.year)) for day in years[:: math.ceil(len(years) / max_ticks)]]


def day_numbers(days: Sequence[date]) -> list[int]:
    """Return the days as x values."""
    return [day.toordinal() for day in days]


def _mondays(first: date, last: date, step: int) -> list[date]:
    start = monday(first + timedelta(days=6))
    return [start + timedelta(weeks=index) for index in range(0, (last - start).days // 7 + 1, step)]


def _months(first: date, last: date) -> Iterator[date]:
    number = first.year * 12 + first.month - (1 if first.day == 1 else 0)
    while (day := date(number // 12, number % 12 + 1, 1)) <= last:
        yield day
        number += 1
