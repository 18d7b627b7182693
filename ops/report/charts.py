"""The charts of the page: each has a title, its finding, an explanation, a drawing and a table."""

from collections.abc import Callable
from dataclasses import dataclass

from metrics import wording
from metrics.charts import counts, durations
from metrics.figures import DELAY_DAYS, MIN_CASES, Percentiles, Report, Week
from ops.report.tables import Table, Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure of the page; if `svg` is None, `empty` says why there is nothing to draw."""

    name: str
    title: str
    finding: str
    explanation: str
    svg: str | None
    empty: str
    table: Table


def charts(report: Report) -> list[Chart]:
    """Return the charts in the order of the page; the report must not be empty."""
    return [
        _backlog(report),
        _flow(report),
        _durations(
            report,
            name="response",
            title="Time to first response, by the week of the response",
            explanation="From opened to the first comment by neither the author nor a bot.",
            overall=report.responses,
            of=lambda week: week.response,
        ),
        _durations(
            report,
            name="close",
            title="Time to close, by the week of the close",
            explanation="From opened to the last close, of issues closed now as completed.",
            overall=report.close,
            of=lambda week: week.close,
        ),
        _ages(report),
        _delay(report),
    ]


def _backlog(report: Report) -> Chart:
    title, finding = "Issues open at each week's end", wording.backlog_finding(report)
    return Chart(
        name="backlog",
        title=title,
        finding=finding,
        explanation="The backlog: closed, deleted and transferred issues leave it, reopened ones come back.",
        svg=counts.backlog(report, f"Line chart. {title}. {finding}"),
        empty="",
        table=_weekly("Backlog by week", ("open at its end",), report, lambda week: (f"{week.backlog:,}",)),
    )


def _flow(report: Report) -> Chart:
    title, finding = "Issues opened and closed each week", wording.flow_finding(report)
    running = " The week in outline is not over." if report.is_last_week_running else ""
    has_bars = any(week.opened or week.closed for week in report.weeks)
    return Chart(
        name="flow",
        title=title,
        finding=finding,
        explanation="Opened by the date at GitHub; every close counts, also a second one of an issue."
        + running,
        svg=counts.flow(report, f"Bar chart. {title}. {finding}") if has_bars else None,
        empty="No issue was opened or closed in these weeks.",
        table=_weekly(
            "Opened, closed and reopened by week",
            ("opened", "closed", "reopened"),
            report,
            lambda week: (f"{week.opened:,}", f"{week.closed:,}", f"{week.reopened:,}"),
        ),
    )


def _durations(  # noqa: PLR0913 - the two charts differ in all of it
    report: Report,
    *,
    name: str,
    title: str,
    explanation: str,
    overall: Percentiles,
    of: Callable[[Week], Percentiles],
) -> Chart:
    finding = wording.duration_finding(overall)
    enough, weeks = sum(of(week).is_enough for week in report.weeks), len(report.weeks)
    gaps = f"{enough} of {weeks} weeks have the {MIN_CASES} that a percentile takes; the others are gaps."
    label = f"Line chart. {title}. {finding}"
    return Chart(
        name=name,
        title=title,
        finding=finding,
        explanation=f"{explanation} {gaps if 0 < enough < weeks else ''}",
        svg=durations.by_week(report, name, label, of) if enough else None,
        empty=f"No week has {MIN_CASES} of them, too few to draw percentiles.",
        table=_weekly(
            f"{title}: percentiles with n",
            ("n", "p50", "p90"),
            report,
            lambda week: (f"{of(week).n:,}", wording.p50(of(week)), wording.p90(of(week))),
        ),
    )


def _ages(report: Report) -> Chart:
    title, finding = "Age of the open issues", wording.age_finding(report.backlog_age)
    return Chart(
        name="ages",
        title=title,
        finding=finding,
        explanation="Time since the issue was opened, without issues of bots. Filled: no first response yet; "
        "in outline: answered; grey: not known, because the issue is older than its first event here.",
        svg=counts.ages(report.ages, f"Bar chart. {title}. {finding}")
        if any(age.open for age in report.ages)
        else None,
        empty="No issue is open, but for those of bots.",
        table=Table(
            caption=title,
            headings=("age", "open", "answered", "unanswered", "not known"),
            rows=[
                (
                    wording.age_bucket(age),
                    *(f"{count:,}" for count in (age.open, age.answered, age.unanswered, age.unknown)),
                )
                for age in report.ages
            ],
        ),
    )


def _delay(report: Report) -> Chart:
    title, finding = "The pipeline's own delay, by day", wording.delay_finding(report.delay)
    label, days = f"Line chart. {title}. {finding}", report.delay.days
    has_line = any(day.is_enough for day in days)
    return Chart(
        name="delay",
        title=title,
        finding=finding,
        explanation="From the event at GitHub to its row here, for the webhook's deliveries of all "
        f"repositories in the last {DELAY_DAYS} days. A day with fewer than {MIN_CASES} is a gap. "
        "An issue that came by a transfer looks late: it is dated by its creation.",
        svg=durations.delay(report.delay, label) if has_line else None,
        empty=f"No day has {MIN_CASES} deliveries, too few to draw percentiles.",
        table=Table(
            caption=f"{title}: percentiles with n",
            headings=("day", "n", "p50", "p95", "slowest"),
            rows=[
                (
                    day.day.isoformat(),
                    f"{day.n:,}",
                    wording.seconds(day.p50) if day.is_enough else wording.TOO_FEW,
                    wording.seconds(day.p95) if day.is_enough else wording.TOO_FEW,
                    wording.seconds(day.slowest),
                )
                for day in reversed(days)
            ],
        ),
    )


def _weekly(caption: str, headings: Texts, report: Report, cells: Callable[[Week], Texts]) -> Table:
    """Return a table with a row for each week, the newest first."""
    return Table(
        caption=caption,
        headings=("week from", *headings),
        rows=[(week.week.isoformat(), *cells(week)) for week in reversed(report.weeks)],
    )
