"""Figures in words, and the sentence that sums up each part of the report."""

from datetime import date
from urllib.parse import urlsplit

from metrics.figures import AgeBucket, Delay, Percentiles, Report

TOO_FEW = "too few"
HOURS_PER_DAY = 24.0
STEADY_SHARE = 0.05  # a backlog that changed by at most this share is called steady
NO_BREAK = "\N{NO-BREAK SPACE}"


def hours(value: float) -> str:
    """Return a duration given in hours with two significant digits: 45 min, 5.2 h, 3.1 days, 12 weeks."""
    if value < 0.995 / 60:
        return "under 1" + NO_BREAK + "min"
    if value < 0.995:
        return _amount(value * 60, "min", "min")
    if value < 1.995 * HOURS_PER_DAY:
        return _amount(value, "h", "h")
    if value < 90 * HOURS_PER_DAY:
        return _amount(value / HOURS_PER_DAY, "day", "days")
    return _amount(value / HOURS_PER_DAY / 7, "week", "weeks")


def seconds(value: float) -> str:
    """Return a duration given in seconds, as `hours` does; below a minute in seconds, and never negative."""
    return _amount(max(value, 0.0), "s", "s") if value < 59.5 else hours(value / 3600)


def count(value: int, one: str, many: str | None = None) -> str:
    """Return the number with its noun: 1 issue, 1,234 issues."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """Return a percentage without decimals, or a dash if there is no whole."""
    return f"{part / whole:.0%}" if whole else "\N{EN DASH}"


def cases(value: int) -> str:
    """Return n = 1,234, without a line break in it."""
    return f"n{NO_BREAK}={NO_BREAK}{value:,}"


def day(value: date) -> str:
    """Return 3 Mar 2026."""
    return f"{value.day}{NO_BREAK}{value:%b}{NO_BREAK}{value:%Y}"


def p50(of: Percentiles) -> str:
    """Return the median in words; "too few" if there are too few cases, a dash if there is none."""
    return _percentile(of, of.p50)


def p90(of: Percentiles) -> str:
    """Return the 90th percentile in words, as p50 does."""
    return _percentile(of, of.p90)


def age_bucket(bucket: AgeBucket) -> str:
    """Return the bucket's name: under 7 days, 7 to 30 days, over 1 year."""
    if bucket.until is not None:
        return f"{bucket.days} to {bucket.until} days" if bucket.days else f"under {bucket.until} days"
    return "over 1 year" if bucket.days == 365 else f"over {bucket.days} days"


def safe_link(url: str | None) -> str | None:
    """Return the URL if it is an http or https address with a host, else None: payloads are untrusted."""
    if not url or any(ord(character) <= 0x20 for character in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


def answering(report: Report) -> tuple[str, str]:
    """Answer "Are we answering?": the short answer, and the numbers behind it."""
    if not report.open:
        answer = "Nothing waits: no issue is open."
    elif not report.unanswered and report.unknown:
        answer = (
            f"No one is known to wait; of {report.unknown:,} of {count(report.open, 'open issue')} "
            "it is not known whether they were answered."
        )
    elif not report.unanswered:
        which = "the only open issue" if report.open == 1 else f"all {report.open:,} open issues"
        answer = f"No one waits: {which} had a first response."
    else:
        wait = "waits" if report.unanswered == 1 else "wait"
        answer = (
            f"{report.unanswered:,} of {count(report.open, 'open issue')} still {wait} for a first response."
        )
    all_time = report.responses
    if not all_time.is_enough:
        return answer, f"Too few first responses to say how long they take ({cases(all_time.n)})."
    detail = (
        f"Half of the first responses came within {p50(all_time)}, nine of ten within {p90(all_time)} "
        f"({cases(all_time.n)})."
    )
    recent, earlier = report.recent_response, report.earlier_response
    if recent.is_enough and earlier.is_enough:
        detail += (
            f" In the last {len(report.recent_weeks)} weeks half came within {p50(recent)} "
            f"({cases(recent.n)}), before that within {p50(earlier)} ({cases(earlier.n)})."
        )
    return answer, detail


def growing(report: Report) -> tuple[str, str]:
    """Answer "Is the backlog growing?": the short answer, and the numbers behind it."""
    recent = report.recent_weeks
    opened, closed, reopened = (
        sum(getattr(week, name) for week in recent) for name in ("opened", "closed", "reopened")
    )
    weeks = count(len(recent), "week")
    flow = f"{opened:,} opened, {closed:,} closed and {reopened:,} reopened in these {weeks}."
    is_whole_history = len(recent) == len(report.weeks) and not report.initial_backlog
    if is_whole_history:
        return f"Too early to tell: {count(report.open, 'issue')} open.", flow
    before, now = report.backlog_before, report.open
    change = abs(now - before)
    is_steady = change <= STEADY_SHARE * max(before, now)
    trend = "steady" if is_steady else "growing" if now > before else "shrinking"
    than = f"{change:,} {'more' if now > before else 'fewer'} than" if change else "as many as"
    return f"It is {trend}: {count(now, 'issue')} open, {than} {weeks} ago.", flow


def backlog_finding(report: Report) -> str:
    """Sum up the chart of the backlog."""
    top = max(report.weeks, key=lambda week: week.backlog)
    now = report.weeks[-1].backlog
    return f"{now:,} open now; the most were {top.backlog:,}, in the week of {day(top.week)}."


def flow_finding(report: Report) -> str:
    """Sum up the chart of opened and closed issues."""
    opened, closed = (sum(getattr(week, name) for week in report.weeks) for name in ("opened", "closed"))
    weeks = len(report.weeks)
    return (
        f"{opened:,} opened and {closed:,} closed in {count(weeks, 'week')}: "
        f"{opened / weeks:.1f} and {closed / weeks:.1f} a week."
    )


def duration_finding(of: Percentiles) -> str:
    """Sum up a chart of response or close times."""
    if not of.is_enough:
        return f"Too few for percentiles ({cases(of.n)})."
    return f"Half within {p50(of)}, nine of ten within {p90(of)} ({cases(of.n)})."


def age_finding(report: Report) -> str:
    """Sum up the chart of the open issues' age."""
    old = sum(bucket.open for bucket in report.ages if bucket.days >= 90)
    return (
        f"{old:,} of {count(report.open, 'open issue')} {'is' if old == 1 else 'are'} older than 90 days "
        f"({share(old, report.open)})."
    )


def delay_finding(delay: Delay) -> str:
    """Sum up the chart of the pipeline's delay."""
    if not delay.is_enough or delay.p50 is None or delay.p95 is None or delay.slowest is None:
        return f"Too few deliveries for percentiles ({cases(delay.n)})."
    return (
        f"Half were stored within {seconds(delay.p50)}, 95 of 100 within {seconds(delay.p95)}; "
        f"the slowest took {seconds(delay.slowest)} ({cases(delay.n)})."
    )


def _percentile(of: Percentiles, value: float | None) -> str:
    if not of.n or value is None:
        return "\N{EN DASH}"
    return hours(value) if of.is_enough else TOO_FEW


def _amount(value: float, one: str, many: str) -> str:
    text = f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
    text = text.removesuffix(".0")
    return f"{text}{NO_BREAK}{one if text == '1' else many}"
