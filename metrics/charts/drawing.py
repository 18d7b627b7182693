"""Draws a chart wide and narrow, with text of the same size; the page shows the one that fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from metrics.charts.svg import Ink, inline

TEXT_SIZE = 12
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, found and copied
    "svg.hashsalt": "report",
    "font.family": "DejaVu Sans",
    "font.size": TEXT_SIZE,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A drawing's size in CSS pixels, and how many dates fit below it."""

    name: str
    width: int
    height: int
    ticks: int


SIZES = (
    Size(name="wide", width=560, height=270, ticks=6),
    Size(name="narrow", width=328, height=240, ticks=4),
)

Draw = Callable[[Axes, Size], None]


def in_every_size(name: str, label: str, draw: Draw) -> str:
    """Return the chart as an <svg> in every size, each with the accessible name `label`."""
    return "".join(draw_svg(name, label, draw, size) for size in SIZES)


def draw_svg(name: str, label: str, draw: Draw, size: Size) -> str:
    """Return the chart as an <svg> in one size."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(size.width / 72, size.height / 72), dpi=72, layout="constrained")
        draw(figure.add_subplot(), size)
        return inline(figure, f"{name}-{size.name}", label)


def bars(
    axes: Axes, positions: Sequence[int], heights: Sequence[float], ink: Ink, *, outline_last: bool
) -> None:
    """Draw vertical bars from zero as one path; the last bar is an outline if `outline_last`."""
    filled = len(positions) - outline_last
    styles: tuple[tuple[slice, dict[str, Any]], ...] = (
        (slice(filled), {"facecolor": ink.value, "linewidth": 0}),
        (slice(filled, None), {"facecolor": "none", "edgecolor": ink.value, "linewidth": 1.2}),
    )
    for part, style in styles:
        corners = [
            ((x - 2.6, 0.0), (x - 2.6, height), (x + 2.6, height), (x + 2.6, 0.0), (0.0, 0.0))
            for x, height in zip(positions[part], heights[part], strict=True)
            if height
        ]
        codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(corners)
        if corners:
            axes.add_artist(PathPatch(Path([point for bar in corners for point in bar], codes), **style))
