"""The tables of the report, as texts: cohorts, team and others, time in label, repositories, weeks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metrics import wording
from metrics.figures import RECENT_WEEKS, TREND_WEEKS, Authors, LabelTimes, Percentiles, Report

Texts = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A caption, the headings of the columns, and rows of as many texts; the first names the row."""

    caption: str
    headings: Texts
    rows: Sequence[Texts]


def cohorts(report: Report) -> Table:
    """Return what has become of the issues of each week, the newest week first."""
    shown = report.cohorts[-RECENT_WEEKS:]
    cut = f" The last {RECENT_WEEKS} of {len(report.cohorts)} weeks." if shown != report.cohorts else ""
    return Table(
        caption="Issues by the week in which they were opened, and what has become of them by now; p50 of "
        f"those closed as completed. The newest weeks still change.{cut}",
        headings=(
            "week from",
            "opened",
            f"answered in 24{wording.NO_BREAK}h",
            f"in 72{wording.NO_BREAK}h",
            "closed",
            "still open",
            "p50 to close",
        ),
        rows=[
            (
                wording.day(cohort.week, report.made_at),
                f"{cohort.opened:,}",
                wording.share(cohort.within_24h, cohort.opened),
                wording.share(cohort.within_72h, cohort.opened),
                f"{cohort.closed:,}",
                f"{cohort.still_open:,}",
                wording.p50(cohort.close),
            )
            for cohort in reversed(shown)
        ],
    )


def authors(report: Report) -> Table:
    """Return the numbers of the issues that the team, others and bots opened; no team without its names."""
    missing = "" if report.has_team else " config/team.toml names no team, so it is among the others."
    return Table(
        caption="By who opened the issue. First response: by anybody but the author and bots, and by the "
        f"team alone; p50 of the times, with their n.{missing}",
        headings=(
            "opened by", "opened", "open now", "waiting", "first response (n)", "by the team (n)",
            "time to close (n)",
        ),
        rows=[_author(item) for item in report.authors if report.has_team or item.name != "the team"],
    )  # fmt: skip


def labels(report: Report) -> Table:
    """Return how long issues carry each label."""
    return Table(
        caption="How long issues carry a label while they are open, until now if they still do.",
        headings=("label", "issues", "p50", "p90", "carried now", "longest now"),
        rows=[_label(item) for item in report.labels],
    )


def repositories(report: Report, draw: Callable[[Sequence[int]], str]) -> Table:
    """Return the table that compares the repositories; `draw` makes the text or drawing of a trend."""
    return Table(
        caption=f"Open, waiting and unanswered are as of now; trend: issues open at the end of the last "
        f"{TREND_WEEKS} weeks; p50 of the times, with their n.",
        headings=(
            "repository", "trend", "open", "waiting", "unanswered", "first response (n)",
            "time to close (n)", "reopen rate", "closed",
        ),
        rows=[
            (
                repository.name,
                draw(repository.trend),
                f"{repository.open:,}",
                f"{repository.waiting:,}",
                f"{repository.unanswered:,}",
                _time(repository.responses),
                _time(repository.close),
                wording.share(repository.reopened_issues, repository.closed_issues),
                f"{repository.closed_issues:,}",
            )
            for repository in report.repositories
        ],
    )  # fmt: skip


def weeks(report: Report) -> Table:
    """Return the last weeks in one table, the newest first, for a report without charts."""
    return Table(
        caption=f"The last {wording.count(len(report.recent_weeks), 'week')}; p50 of the times, with n.",
        headings=(
            "week from", "opened", "closed", "reopened", "open at its end", "first response (n)",
            "time to close (n)",
        ),
        rows=[
            (
                wording.day(week.week),
                f"{week.opened:,}",
                f"{week.closed:,}",
                f"{week.reopened:,}",
                f"{week.backlog:,}",
                _time(week.response),
                _time(week.close),
            )
            for week in reversed(report.recent_weeks)
        ],
    )  # fmt: skip


def _author(item: Authors) -> Texts:
    return (
        item.name,
        f"{item.opened:,}",
        f"{item.open:,}",
        f"{item.waiting:,}",
        _time(item.response),
        _time(item.team_response),
        _time(item.close),
    )


def _label(item: LabelTimes) -> Texts:
    longest = "\N{EN DASH}" if item.longest_open is None else wording.hours(item.longest_open)
    return item.label, f"{item.n:,}", wording.p50(item), wording.p90(item), f"{item.open:,}", longest


def _time(of: Percentiles) -> str:
    """Return the median and the number of cases."""
    return f"{wording.p50(of)} ({of.n:,})" if of.n else wording.p50(of)
