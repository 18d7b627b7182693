"""The figures of the page: each a chart with its title, what it shows, what it means, and its table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from metrics import charts
from metrics import wording as words
from metrics.figures import DELAY_DAYS, FEWEST, Report, Spread, Week

Row = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A caption, the heads of the columns, and rows of as many texts; the first names the row."""

    caption: str
    heads: Row
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure of the page; `svg` is None where nothing can be drawn, `empty` then says why."""

    name: str
    title: str
    finding: str
    meaning: str
    svg: Markup | None
    empty: str
    table: Table


def all_charts(report: Report) -> list[Chart]:
    """Return the figures in the order of the page; the report must not be empty."""
    return [
        _backlog(report),
        _flow(report),
        _response(report),
        _close(report),
        _ages(report),
        _delay(report),
    ]


def _backlog(report: Report) -> Chart:
    title, finding = "Issues open at each week's end", words.backlog_finding(report)
    return Chart(
        name="backlog",
        title=title,
        finding=finding,
        meaning="The backlog: closed, deleted and transferred issues leave it, reopened ones come back.",
        svg=_markup(charts.backlog(report, f"Line chart. {title}. {finding}")),
        empty="",
        table=_weekly("Backlog by week", ("open at its end",), report, lambda week: (f"{week.backlog:,}",)),
    )


def _flow(report: Report) -> Chart:
    title, finding = "Issues opened and closed each week", words.flow_finding(report)
    running = " The week in outline is not over." if charts.is_running(report) else ""
    is_quiet = not any(week.opened or week.closed for week in report.weeks)
    return Chart(
        name="flow",
        title=title,
        finding=finding,
        meaning=f"Opened by the date at GitHub; every close counts, also a second one of an issue.{running}",
        svg=None if is_quiet else _markup(charts.flow(report, f"Bar chart. {title}. {finding}")),
        empty="No issue was opened or closed in these weeks.",
        table=_weekly(
            "Opened, closed and reopened by week",
            ("opened", "closed", "reopened"),
            report,
            lambda week: (f"{week.opened:,}", f"{week.closed:,}", f"{week.reopened:,}"),
        ),
    )


def _response(report: Report) -> Chart:
    return _durations(
        report,
        name="response",
        title="Time to first response, by the week of the response",
        meaning="From opened to the first comment by neither the author nor a bot.",
        whole=report.responses.spread,
        of=lambda week: week.response,
    )


def _close(report: Report) -> Chart:
    return _durations(
        report,
        name="close",
        title="Time to close, by the week of the close",
        meaning="From opened to the last close, of issues closed now.",
        whole=report.close,
        of=lambda week: week.close,
    )


def _durations(  # noqa: PLR0913 - what the two differ in
    report: Report, *, name: str, title: str, meaning: str, whole: Spread, of: Callable[[Week], Spread]
) -> Chart:
    finding = words.spread_finding(whole)
    drawn = charts.has_line(report, of)
    return Chart(
        name=name,
        title=title,
        finding=finding,
        meaning=f"{meaning} {_gaps(sum(of(week).is_enough for week in report.weeks), len(report.weeks))}",
        svg=_markup(charts.durations(report, name, f"Line chart. {title}. {finding}", of)) if drawn else None,
        empty=f"No week has {FEWEST} of them, too few to draw percentiles.",
        table=_weekly(
            f"{title}: percentiles with n",
            ("n", "p50", "p90"),
            report,
            lambda week: (f"{of(week).n:,}", words.p50(of(week)), words.p90(of(week))),
        ),
    )


def _gaps(enough: int, weeks: int) -> str:
    if enough == weeks:
        return ""
    return f"{enough} of {weeks} weeks have the {FEWEST} that a percentile takes; the others are gaps."


def _ages(report: Report) -> Chart:
    title, finding = "Age of the open issues", words.age_finding(report)
    return Chart(
        name="ages",
        title=title,
        finding=finding,
        meaning="Time since the issue was opened. Filled: no first response yet; in outline: answered.",
        svg=_markup(charts.ages(report.ages, f"Bar chart. {title}. {finding}")) if report.open else None,
        empty="No issue is open.",
        table=Table(
            caption=title,
            heads=("age", "open", "answered", "unanswered"),
            rows=[
                (
                    charts.age_name(age),
                    f"{age.answered + age.unanswered:,}",
                    f"{age.answered:,}",
                    f"{age.unanswered:,}",
                )
                for age in report.ages
            ],
        ),
    )


def _delay(report: Report) -> Chart:
    title, finding = "The pipeline's own delay, by day", words.delay_finding(report.delay)
    days = report.delay.days
    drawn = any(day.n >= FEWEST for day in days)
    return Chart(
        name="delay",
        title=title,
        finding=finding,
        meaning="From the event at GitHub to its row here, for the webhook's deliveries of all repositories "
        f"in the last {DELAY_DAYS} days. A day with fewer than {FEWEST} is a gap. "
        "An issue that came by a transfer looks late: it is dated by its creation.",
        svg=_markup(charts.delay(report.delay, f"Line chart. {title}. {finding}")) if drawn else None,
        empty=f"No day has {FEWEST} deliveries, too few to draw percentiles.",
        table=Table(
            caption=f"{title}: percentiles with n",
            heads=("day", "n", "p50", "p95", "slowest"),
            rows=[
                (
                    day.day.isoformat(),
                    f"{day.n:,}",
                    *(
                        words.seconds(value) if day.n >= FEWEST else words.TOO_FEW
                        for value in (day.p50, day.p95)
                    ),
                    words.seconds(day.most),
                )
                for day in reversed(days)
            ],
        ),
    )


def _weekly(caption: str, heads: Row, report: Report, cells: Callable[[Week], Row]) -> Table:
    """Return a table with a row for each week, the newest first."""
    return Table(
        caption=caption,
        heads=("week from", *heads),
        rows=[(week.week.isoformat(), *cells(week)) for week in reversed(report.weeks)],
    )


def _markup(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - drawn by us, from numbers and from names that the serialiser escapes
