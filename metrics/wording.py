"""Figures as people say them, and the sentence that each part of the report comes down to."""

from datetime import date
from urllib.parse import urlsplit

from metrics.figures import FEWEST, STEADY, Delay, Report, Spread

TOO_FEW = "too few"
HOURS_A_DAY = 24.0
NO_BREAK = "\N{NO-BREAK SPACE}"


def hours(value: float) -> str:
    """Return a duration given in hours with two digits that count: 45 min, 5.2 h, 3.1 days, 12 weeks."""
    if value < 0.995 / 60:
        return "under 1" + NO_BREAK + "min"
    if value < 0.995:
        return _amount(value * 60, "min", "min")
    if value < 1.995 * HOURS_A_DAY:
        return _amount(value, "h", "h")
    if value < 90 * HOURS_A_DAY:
        return _amount(value / HOURS_A_DAY, "day", "days")
    return _amount(value / HOURS_A_DAY / 7, "week", "weeks")


def seconds(value: float) -> str:
    """Return a duration given in seconds; below a minute in seconds. GitHub's own times are whole seconds."""
    return _amount(max(value, 0.0), "s", "s") if value < 59.5 else hours(value / 3600)


def count(value: int, one: str, many: str | None = None) -> str:
    """Return the number with its noun: 1 issue, 1,234 issues."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """Return a percentage without decimals, or a dash of nothing."""
    return f"{part / whole:.0%}" if whole else "\N{EN DASH}"


def cases(value: int) -> str:
    """Return n = 1,234, which no line break parts."""
    return f"n{NO_BREAK}={NO_BREAK}{value:,}"


def day(value: date) -> str:
    """Return 3 Mar 2026."""
    return f"{value.day}{NO_BREAK}{value:%b}{NO_BREAK}{value:%Y}"


def p50(spread: Spread) -> str:
    """Return the median in words, or that there were too few, or a dash of none."""
    return _shown(spread, spread.p50)


def p90(spread: Spread) -> str:
    """Return what nine of ten did not exceed, in words; see p50."""
    return _shown(spread, spread.p90)


def safe_link(url: str | None) -> str | None:
    """Return the URL if it is a web address with a host, else None: a payload may hold any text."""
    if not url or any(ord(character) <= 0x20 for character in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


def answering(report: Report) -> tuple[str, str]:
    """Answer "Are we answering?": the short answer, and what it rests on."""
    if not report.open:
        verdict = "Nothing waits: no issue is open."
    elif not report.unanswered:
        which = "the only open issue" if report.open == 1 else f"all {report.open:,} open issues"
        verdict = f"Nobody waits: {which} had a first response."
    else:
        wait = "waits" if report.unanswered == 1 else "wait"
        verdict = (
            f"{report.unanswered:,} of {count(report.open, 'open issue')} still {wait} for a first response."
        )
    spread = report.responses.spread
    if not spread.is_enough:
        return verdict, f"Too few first responses to say how long they take ({cases(spread.n)})."
    detail = (
        f"Half of the first responses came within {p50(spread)}, nine of ten within {p90(spread)} "
        f"({cases(spread.n)})."
    )
    recent, earlier = report.recent_response, report.earlier_response
    if recent.is_enough and earlier.is_enough:
        detail += (
            f" In the last {len(report.recent)} weeks half came within {p50(recent)} ({cases(recent.n)}), "
            f"before that within {p50(earlier)} ({cases(earlier.n)})."
        )
    return verdict, detail


def growing(report: Report) -> tuple[str, str]:
    """Answer "Is the backlog growing?": the short answer, and what it rests on."""
    recent = report.recent
    opened, closed = (sum(getattr(week, name) for week in recent) for name in ("opened", "closed"))
    reopened = sum(week.reopened for week in recent)
    weeks = count(len(recent), "week")
    flow = f"{opened:,} opened, {closed:,} closed and {reopened:,} reopened in these {weeks}."
    is_all = len(recent) == len(report.weeks) and not report.backlog_before
    if is_all:
        return f"Too early to tell: {count(report.open, 'issue')} open.", flow
    then, now = report.backlog_then, report.open
    change = abs(now - then)
    trend = "steady" if change <= STEADY * max(then, now) else "growing" if now > then else "shrinking"
    than = f"{change:,} {'more' if now > then else 'fewer'} than" if change else "as many as"
    return f"It is {trend}: {count(now, 'issue')} open, {than} {weeks} ago.", flow


def backlog_finding(report: Report) -> str:
    """Return what the line of the backlog shows."""
    top = max(report.weeks, key=lambda week: week.backlog)
    now = report.weeks[-1].backlog
    return f"{now:,} open now; the most were {top.backlog:,}, in the week of {day(top.week)}."


def flow_finding(report: Report) -> str:
    """Return what the bars of opened and closed show."""
    opened, closed = (sum(getattr(week, name) for week in report.weeks) for name in ("opened", "closed"))
    weeks = len(report.weeks)
    return (
        f"{opened:,} opened and {closed:,} closed in {count(weeks, 'week')}: "
        f"{opened / weeks:.1f} and {closed / weeks:.1f} a week."
    )


def spread_finding(spread: Spread) -> str:
    """Return what the two lines of a duration show."""
    if not spread.is_enough:
        return f"Too few for percentiles ({cases(spread.n)})."
    return f"Half within {p50(spread)}, nine of ten within {p90(spread)} ({cases(spread.n)})."


def age_finding(report: Report) -> str:
    """Return what the bars of the backlog's age show."""
    old = sum(age.answered + age.unanswered for age in report.ages if age.days >= 90)
    return (
        f"{old:,} of {count(report.open, 'open issue')} {'is' if old == 1 else 'are'} older than 90 days "
        f"({share(old, report.open)})."
    )


def delay_finding(delay: Delay) -> str:
    """Return what the lines of the pipeline's delay show."""
    if delay.n < FEWEST or delay.p50 is None or delay.p95 is None or delay.most is None:
        return f"Too few deliveries for percentiles ({cases(delay.n)})."
    return (
        f"Half were stored within {seconds(delay.p50)}, 95 of 100 within {seconds(delay.p95)}; "
        f"the slowest took {seconds(delay.most)} ({cases(delay.n)})."
    )


def _shown(spread: Spread, value: float | None) -> str:
    if not spread.n or value is None:
        return "\N{EN DASH}"
    return hours(value) if spread.is_enough else TOO_FEW


def _amount(value: float, one: str, many: str) -> str:
    text = f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
    text = text.removesuffix(".0")
    return f"{text}{NO_BREAK}{one if text == '1' else many}"
