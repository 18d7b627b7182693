"""Charts that count issues: the backlog, what was opened and closed, and the age of open issues."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from metrics.charts.axes import calendar, day_numbers, name_lines, unit_above
from metrics.charts.drawing import Draw, Size, bars, in_every_size
from metrics.charts.svg import Ink
from metrics.figures import AgeBucket, Report, Week
from metrics.wording import age_bucket


def backlog(report: Report, label: str) -> str:
    """Return the line of issues open at each week's end."""
    return in_every_size("backlog", label, backlog_line(report.weeks))


def backlog_line(weeks: Sequence[Week]) -> Draw:
    """Return what draws the backlog of these weeks, at least one."""
    days = [week.week for week in weeks]
    values = [week.backlog for week in weeks]

    def draw(axes: Axes, size: Size) -> None:
        numbers, marker = day_numbers(days), "o" if len(days) == 1 else None
        axes.fill_between(numbers, values, color=Ink.SOFT.value, linewidth=0)
        axes.plot(numbers, values, color=Ink.FIRST.value, linewidth=2, marker=marker)
        axes.set_ylim(0, _axis_end(max(values)))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        unit_above(axes, "open issues")
        calendar(axes, days, size.ticks)
        name_lines(axes, [(values[-1], f"{values[-1]:,}", Ink.FIRST)])

    return draw


def flow(report: Report, label: str) -> str:
    """Return bars of opened issues upwards and of closed ones downwards; a running week is an outline."""
    days = [week.week for week in report.weeks]
    opened = [week.opened for week in report.weeks]
    closed = [week.closed for week in report.weeks]

    def draw(axes: Axes, size: Size) -> None:
        outline_last = report.is_last_week_running
        bars(axes, day_numbers(days), opened, Ink.FIRST, outline_last=outline_last)
        bars(axes, day_numbers(days), [-value for value in closed], Ink.SECOND, outline_last=outline_last)
        axes.axhline(0, color=Ink.MUTED.value, linewidth=0.8)
        axes.set_ylim(-_axis_end(max(closed)) * 1.12, _axis_end(max(opened)) * 1.12)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):,.0f}"))
        unit_above(axes, "issues a week")
        calendar(axes, days, size.ticks)
        name_lines(axes, [(max(opened) / 2, "opened", Ink.FIRST), (-max(closed) / 2, "closed", Ink.SECOND)])

    return in_every_size("flow", label, draw)


def ages(buckets: Sequence[AgeBucket], label: str) -> str:
    """Return a bar for each age of open issues: unanswered filled, answered in outline, unknown in grey."""
    longest = max(bucket.open for bucket in buckets)

    def draw(axes: Axes, size: Size) -> None:
        positions = range(len(buckets))
        unanswered = [bucket.unanswered for bucket in buckets]
        answered = [bucket.answered for bucket in buckets]
        unknown = [bucket.unknown for bucket in buckets]
        known = [bucket.open - bucket.unknown for bucket in buckets]
        axes.barh(positions, unanswered, height=0.62, color=Ink.SECOND.value, linewidth=0)
        axes.barh(
            positions, answered, left=unanswered, height=0.62,
            facecolor=Ink.SOFT.value, edgecolor=Ink.FIRST.value, linewidth=1,
        )  # fmt: skip
        axes.barh(positions, unknown, left=known, height=0.62, color=Ink.MUTED.value, linewidth=0)
        for position, bucket in enumerate(buckets):
            axes.annotate(
                f"{bucket.open:,}"
                + (f" ({bucket.unanswered:,} unanswered)" if bucket.unanswered else ""),
                (bucket.open, position), xytext=(5, 0), textcoords="offset points", va="center",
            )  # fmt: skip
        axes.set_yticks(list(positions), [age_bucket(bucket) for bucket in buckets])
        axes.invert_yaxis()
        axes.set_xlim(0, longest * (1.55 if size.name == "wide" else 2.1) or 1)
        axes.xaxis.set_major_locator(NullLocator())
        axes.spines["bottom"].set_visible(False)
        axes.spines["left"].set_visible(True)
        unit_above(axes, "open issues by age")

    return in_every_size("ages", label, draw)


def _axis_end(highest: float) -> float:
    return max(highest * 1.08, 1)
