"""What the charts share: sizes, the calendar under them, units over them, names beside their lines.

Each chart is drawn twice, wide and narrow, with text of the same size; the page shows the one that fits.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from metrics.figures import monday
from metrics.svg import Ink, inline

TEXT = 12
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, found and copied
    "svg.hashsalt": "report",
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "text.parse_math": False,
    "axes.edgecolor": Ink.GRID.value,
    "axes.labelcolor": Ink.MUTED.value,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.color": Ink.MUTED.value,
    "ytick.color": Ink.MUTED.value,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "text.color": Ink.TEXT.value,
    "grid.color": Ink.GRID.value,
    "grid.linewidth": 0.8,
    "lines.solid_capstyle": "round",
    "path.simplify": True,
}

CROWDED = 60  # from so many points on, a marker at each would be a smear


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A drawing's size in CSS pixels."""

    name: str
    width: int
    height: int
    ticks: int


SIZES = (
    Size(name="wide", width=560, height=270, ticks=6),
    Size(name="narrow", width=328, height=240, ticks=4),
)

WEEKLY = "week, from Monday (UTC)"
Draw = Callable[[Axes, Size], None]


def ticks_within(ticks: dict[float, str], low: float, high: float) -> dict[float, str]:
    """Return those of the ticks that lie within, at most six."""
    inside = {value: text for value, text in ticks.items() if low <= value <= high}
    while len(inside) > 6:
        inside = dict(list(inside.items())[::2])
    return inside


def tick_text(ticks: dict[float, str], value: float) -> str:
    """Return the text of the tick at `value`."""
    return min(ticks.items(), key=lambda item: abs(item[0] - value))[1] if ticks else ""


def marked(values: Sequence[float]) -> list[int]:
    """Return which points get a marker: all, or in a crowd those that no line reaches."""
    there = [not math.isnan(value) for value in values]
    if len(values) <= CROWDED:
        return [index for index, is_there in enumerate(there) if is_there]
    padded = [False, *there, False]
    return [
        index
        for index, is_there in enumerate(there)
        if is_there and not padded[index] and not padded[index + 2]
    ]


def name_lines(axes: Axes, ends: list[tuple[date, float, str, Ink]]) -> None:
    """Write each line's name beside its last point, apart from one another."""
    right = max(axes.get_xlim()[1], 0)
    heights = [axes.transData.transform((0, value))[1] for _, value, _, _ in ends]
    apart = spread_apart(heights)
    for (_, value, text, ink), height, wanted in zip(ends, heights, apart, strict=True):
        axes.annotate(
            text, (right, value), xytext=(6, (wanted - height) * 72 / axes.figure.dpi),
            textcoords="offset points", color=ink.value, va="center", fontweight="bold",
            annotation_clip=False,
        )  # fmt: skip


def spread_apart(heights: list[float], least: float = 14.0) -> list[float]:
    """Return the heights, moved up where they are nearer to one another than `least`."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = list(heights)
    for low, high in pairwise(order):
        placed[high] = max(placed[high], placed[low] + least)
    return placed


def unit_over(axes: Axes, text: str) -> None:
    """Write the unit over the axis, where it can be read without turning the head."""
    axes.set_title(text, loc="left", fontsize=TEXT, color=Ink.MUTED.value, x=0)


def calendar(axes: Axes, days: Sequence[date], size: Size, unit: str = WEEKLY) -> None:
    """Set the axis of time: from the first to the last day, with a few dates to go by."""
    marks = calendar_ticks(days[0], days[-1], size.ticks)
    axes.set_xticks([mark.toordinal() for mark, _ in marks], [text for _, text in marks])
    room = max((days[-1] - days[0]).days * 0.01, 4)
    axes.set_xlim(days[0].toordinal() - room, days[-1].toordinal() + room)
    axes.set_xlabel(unit)
    axes.tick_params(axis="x", pad=5)
    for label in axes.get_xticklabels():
        label.set_multialignment("center")
    axes.grid(visible=True, axis="y")
    axes.set_axisbelow(True)


def calendar_ticks(first: date, last: date, most: int) -> list[tuple[date, str]]:
    """Return at most `most` dates from first to last, evenly placed, with what to write under them.

    Mondays while they fit, then the first days of months, then of years; the year is written where it begins.
    """
    for step in (1, 2, 4):
        mondays = _mondays(first, last, step)
        if len(mondays) <= most:
            return [(mark, f"{mark.day} {mark:%b}") for mark in mondays]
    for months in (1, 2, 3, 6):
        marks = [mark for mark in _months(first, last) if (mark.month - 1) % months == 0]
        if len(marks) <= most:
            return [
                (mark, f"{mark:%b}\n{mark.year}" if not index or mark.month <= months else f"{mark:%b}")
                for index, mark in enumerate(marks)
            ]
    years = [mark for mark in _months(first, last) if mark.month == 1]
    step = math.ceil(len(years) / most)
    return [(mark, str(mark.year)) for mark in years[::step]]


def _mondays(first: date, last: date, step: int) -> list[date]:
    start = monday(first + timedelta(days=6))
    return [start + timedelta(weeks=index) for index in range(0, (last - start).days // 7 + 1, step)]


def _months(first: date, last: date) -> Iterator[date]:
    number = first.year * 12 + first.month - (1 if first.day == 1 else 0)
    while (mark := date(number // 12, number % 12 + 1, 1)) <= last:
        yield mark
        number += 1


def numbers(days: Sequence[date]) -> list[int]:
    """Return the days as numbers to draw with."""
    return [day.toordinal() for day in days]


def bars(axes: Axes, places: Sequence[int], heights: Sequence[float], ink: Ink, *, hollow: bool) -> None:
    """Draw upright bars from zero, all in one path; the last one in outline where it is `hollow`."""
    filled = len(places) - hollow
    styles: tuple[tuple[int, int, dict[str, Any]], ...] = (
        (0, filled, {"facecolor": ink.value, "linewidth": 0}),
        (filled, len(places), {"facecolor": "none", "edgecolor": ink.value, "linewidth": 1.2}),
    )
    for first, last, style in styles:
        pairs = list(zip(places, heights, strict=True))[first:last]
        corners = [
            ((place - 2.6, 0.0), (place - 2.6, height), (place + 2.6, height), (place + 2.6, 0.0), (0.0, 0.0))
            for place, height in pairs
            if height
        ]
        codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(corners)
        if corners:
            axes.add_artist(PathPatch(Path([point for bar in corners for point in bar], codes), **style))


def top_of(values: Sequence[float]) -> float:
    """Return where the axis of these counts ends."""
    return max(max(values) * 1.08, 1)


def in_every_size(name: str, label: str, draw: Draw) -> str:
    """Return the chart in every size; all have the same accessible name, and the page shows one of them."""
    return "".join(_svg(name, label, draw, size) for size in SIZES)


def _svg(name: str, label: str, draw: Draw, size: Size) -> str:
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(size.width / 72, size.height / 72), dpi=72, layout="constrained")
        axes = figure.add_subplot()
        draw(axes, size)
        return inline(figure, f"{name}-{size.name}", label)
