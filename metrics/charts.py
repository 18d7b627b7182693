"""The report's charts: from figures to SVG."""

import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from metrics.drawing import (
    WEEKLY,
    Size,
    bars,
    calendar,
    in_every_size,
    marked,
    name_lines,
    numbers,
    tick_text,
    ticks_within,
    top_of,
    unit_over,
)
from metrics.figures import FEWEST, Age, Delay, Report, Spread, Week
from metrics.svg import Ink

Points = Sequence[tuple[date, float | None]]

HOUR_TICKS: dict[float, str] = {
    1 / 60: "1 min", 10 / 60: "10 min", 1: "1 h", 6: "6 h", 24: "1 day", 72: "3 days", 168: "1 week",
    720: "30 days", 2160: "90 days", 8760: "1 year", 43800: "5 years",
}  # fmt: skip
SECOND_TICKS: dict[float, str] = {
    1: "1 s", 3: "3 s", 10: "10 s", 30: "30 s", 60: "1 min", 300: "5 min", 1800: "30 min", 3600: "1 h",
    21600: "6 h", 86400: "1 day", 604800: "1 week", 2592000: "30 days", 31536000: "1 year",
}  # fmt: skip


def backlog(report: Report, label: str) -> str:
    """Return the line of issues open at each week's end."""
    days = [week.week for week in report.weeks]
    values = [week.backlog for week in report.weeks]

    def draw(axes: Axes, size: Size) -> None:
        axes.fill_between(numbers(days), values, color=Ink.SOFT.value, linewidth=0)
        axes.plot(
            numbers(days), values, color=Ink.FIRST.value, linewidth=2, marker="o" if len(days) == 1 else None
        )
        axes.set_ylim(0, top_of(values))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        unit_over(axes, "open issues")
        calendar(axes, days, size)
        name_lines(axes, [(days[-1], values[-1], f"{values[-1]:,}", Ink.FIRST)])

    return in_every_size("backlog", label, draw)


def flow(report: Report, label: str) -> str:
    """Return bars of opened issues upwards and of closed ones downwards; the running week in outline."""
    weeks = report.weeks
    days = [week.week for week in weeks]

    def draw(axes: Axes, size: Size) -> None:
        for ink, values in (
            (Ink.FIRST, [week.opened for week in weeks]),
            (Ink.SECOND, [-week.closed for week in weeks]),
        ):
            bars(axes, numbers(days), values, ink, hollow=is_running(report))
        axes.axhline(0, color=Ink.MUTED.value, linewidth=0.8)
        up, down = max(week.opened for week in weeks), max(week.closed for week in weeks)
        axes.set_ylim(-top_of([down]) * 1.12, top_of([up]) * 1.12)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):,.0f}"))
        unit_over(axes, "issues a week")
        calendar(axes, days, size)
        name_lines(
            axes, [(days[-1], up / 2, "opened", Ink.FIRST), (days[-1], -down / 2, "closed", Ink.SECOND)]
        )

    return in_every_size("flow", label, draw)


def durations(report: Report, name: str, label: str, of: Callable[[Week], Spread]) -> str:
    """Return the lines of p50 and p90 by week; a week of fewer than five is a gap."""
    shown = [(week.week, of(week)) for week in report.weeks]
    enough = [(day, spread if spread.is_enough else Spread()) for day, spread in shown]
    return _two_lines(
        name,
        label,
        {
            "p50": [(day, spread.p50) for day, spread in enough],
            "p90": [(day, spread.p90) for day, spread in enough],
        },
        HOUR_TICKS,
        ("hours and days, log scale", WEEKLY),
    )


def delay(of: Delay, label: str) -> str:
    """Return the lines of the delay's p50 and p95 by day; a day with none or too few is a gap."""
    found = {item.day: item for item in of.days if item.n >= FEWEST}
    first, last = of.days[0].day, of.days[-1].day
    days = [first + timedelta(days=index) for index in range((last - first).days + 1)]
    return _two_lines(
        "delay",
        label,
        {
            "p50": [(day, found[day].p50 if day in found else None) for day in days],
            "p95": [(day, found[day].p95 if day in found else None) for day in days],
        },
        SECOND_TICKS,
        ("seconds and up, log scale", "day (UTC)"),
    )


def has_line(report: Report, of: Callable[[Week], Spread]) -> bool:
    """Tell whether any week has enough for a percentile."""
    return any(of(week).is_enough for week in report.weeks)


def is_running(report: Report) -> bool:
    """Tell whether the last week is not over."""
    return report.weeks[-1].week + timedelta(days=7) > report.made_at.date()


def ages(buckets: Sequence[Age], label: str) -> str:
    """Return one bar for each age of open issues: unanswered ones filled, answered ones in outline."""
    most = max(age.answered + age.unanswered for age in buckets)

    def draw(axes: Axes, size: Size) -> None:
        rows = range(len(buckets))
        waiting = [age.unanswered for age in buckets]
        answered = [age.answered for age in buckets]
        axes.barh(rows, waiting, height=0.62, color=Ink.SECOND.value, linewidth=0)
        axes.barh(
            rows, answered, left=waiting, height=0.62,
            facecolor=Ink.SOFT.value, edgecolor=Ink.FIRST.value, linewidth=1,
        )  # fmt: skip
        for row, age in zip(rows, buckets, strict=True):
            total = age.answered + age.unanswered
            axes.annotate(
                f"{total:,}" + (f" ({age.unanswered:,} unanswered)" if age.unanswered else ""),
                (total, row), xytext=(5, 0), textcoords="offset points", va="center",
            )  # fmt: skip
        axes.set_yticks(list(rows), [age_name(age) for age in buckets])
        axes.invert_yaxis()
        axes.set_xlim(0, most * (1.55 if size.name == "wide" else 2.1) or 1)
        axes.xaxis.set_major_locator(NullLocator())
        axes.spines["bottom"].set_visible(False)
        axes.spines["left"].set_visible(True)
        unit_over(axes, "open issues by age")

    return in_every_size("ages", label, draw)


def age_name(age: Age) -> str:
    """Return the bucket's name."""
    if age.until is None:
        return "over 1 year" if age.days == 365 else f"over {age.days} days"
    return (
        f"under {age.until} days"
        if not age.days
        else f"{age.days} to {'365' if age.until == 365 else age.until} days"
    )


def _two_lines(
    name: str,
    label: str,
    lines: dict[str, Points],
    ticks: dict[float, str],
    units: tuple[str, str],
) -> str:
    styles = ((Ink.FIRST, "-", "o", Ink.FIRST), (Ink.SECOND, (0, (4, 2)), "s", Ink.PAPER))
    lowest = min(ticks) / 2
    known = [max(value, lowest) for points in lines.values() for _, value in points if value is not None]

    def draw(axes: Axes, size: Size) -> None:
        ends = []
        for (title, points), (ink, style, marker, face) in zip(lines.items(), styles, strict=True):
            values = [math.nan if value is None else max(value, lowest) for _, value in points]
            axes.plot(
                numbers([day for day, _ in points]), values, color=ink.value, linestyle=style, linewidth=1.7,
                marker=marker, markersize=3.4, markerfacecolor=face.value, markeredgewidth=1,
                markevery=marked(values),
            )  # fmt: skip
            day, value = next(
                (day, value)
                for (day, _), value in zip(reversed(points), reversed(values), strict=True)
                if not math.isnan(value)
            )
            ends.append((day, value, title, ink))
        axes.set_yscale("log")
        axes.set_ylim(min(known) / 1.6, max(known) * 1.8)
        inside = ticks_within(ticks, min(known) / 1.6, max(known) * 1.8)
        axes.yaxis.set_major_locator(FixedLocator(list(inside)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_text(inside, value)))
        axes.yaxis.set_minor_locator(NullLocator())
        unit_over(axes, units[0])
        calendar(axes, [day for day, _ in next(iter(lines.values()))], size, units[1])
        name_lines(axes, ends)

    return in_every_size(name, label, draw)
