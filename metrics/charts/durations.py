"""Charts of durations: response and close times by week, and the pipeline's delay by day."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from metrics.charts.axes import (
    WEEKLY,
    calendar,
    day_numbers,
    marked_points,
    name_lines,
    ticks_within,
    unit_above,
)
from metrics.charts.drawing import Size, in_every_size
from metrics.charts.svg import Ink
from metrics.figures import Delay, Percentiles, Report, Week

HOUR_TICKS: dict[float, str] = {
    1 / 60: "1 min", 10 / 60: "10 min", 1: "1 h", 6: "6 h", 24: "1 day", 72: "3 days", 168: "1 week",
    720: "30 days", 2160: "90 days", 8760: "1 year", 43800: "5 years",
}  # fmt: skip
SECOND_TICKS: dict[float, str] = {
    1: "1 s", 3: "3 s", 10: "10 s", 30: "30 s", 60: "1 min", 300: "5 min", 1800: "30 min", 3600: "1 h",
    21600: "6 h", 86400: "1 day", 604800: "1 week", 2592000: "30 days", 31536000: "1 year",
}  # fmt: skip

Values = Sequence[float | None]


def by_week(report: Report, name: str, label: str, of: Callable[[Week], Percentiles]) -> str:
    """Return the lines of p50 and p90; a week with fewer than five cases is a gap."""
    shown = [of(week) if of(week).is_enough else Percentiles() for week in report.weeks]
    return _lines(
        name,
        label,
        [week.week for week in report.weeks],
        {"p50": [item.p50 for item in shown], "p90": [item.p90 for item in shown]},
        HOUR_TICKS,
        units=("hours and days, log scale", WEEKLY),
    )


def delay(of: Delay, label: str) -> str:
    """Return the lines of the delay's p50 and p95; a day with fewer than five deliveries is a gap."""
    known = {item.day: item for item in of.days if item.is_enough}
    first, last = of.days[0].day, of.days[-1].day
    days = [first + timedelta(days=index) for index in range((last - first).days + 1)]
    return _lines(
        "delay",
        label,
        days,
        {
            "p50": [known[day].p50 if day in known else None for day in days],
            "p95": [known[day].p95 if day in known else None for day in days],
        },
        SECOND_TICKS,
        units=("seconds and up, log scale", "day (UTC)"),
    )


def _lines(  # noqa: PLR0913 - the two charts differ in all of it
    name: str,
    label: str,
    days: Sequence[date],
    lines: Mapping[str, Values],
    ticks: Mapping[float, str],
    *,
    units: tuple[str, str],
) -> str:
    """Return two lines on a logarithmic scale; None is a gap."""
    styles = ((Ink.FIRST, "-", "o", Ink.FIRST), (Ink.SECOND, (0, (4, 2)), "s", Ink.PAPER))
    lowest = min(ticks) / 2  # a logarithmic scale has no zero
    curves = {
        title: [math.nan if value is None else max(value, lowest) for value in values]
        for title, values in lines.items()
    }
    known = [value for curve in curves.values() for value in curve if not math.isnan(value)]
    bottom, top = min(known) / 1.6, max(known) * 1.8

    def draw(axes: Axes, size: Size) -> None:
        ends = []
        for (title, curve), (ink, style, marker, face) in zip(curves.items(), styles, strict=True):
            axes.plot(
                day_numbers(days), curve, color=ink.value, linestyle=style, linewidth=1.7,
                marker=marker, markersize=3.4, markerfacecolor=face.value, markeredgewidth=1,
                markevery=marked_points(curve),
            )  # fmt: skip
            ends.append((next(value for value in reversed(curve) if not math.isnan(value)), title, ink))
        axes.set_yscale("log")
        axes.set_ylim(bottom, top)
        inside = ticks_within(ticks, bottom, top)
        axes.set_yticks(list(inside), list(inside.values()))
        axes.yaxis.set_minor_locator(NullLocator())
        unit_above(axes, units[0])
        calendar(axes, days, size.ticks, units[1])
        name_lines(axes, ends)

    return in_every_size(name, label, draw)
