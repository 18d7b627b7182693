"""Figures in words, and the sentence that sums up each part of the report."""

from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from metrics.figures import AgeBucket, BacklogAge, Delay, Percentiles, Report

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


def working_hours(value: float) -> str:
    """Return working time given in hours: 45 working minutes, 5.2 working hours, 1,200 working hours.

    It is never in days: a working day and a day are not the same.
    """
    if value < 0.995:
        return _amount(max(value, 0.0) * 60, "working minute", "working minutes")
    return _amount(value, "working hour", "working hours")


def count(value: int, one: str, many: str | None = None) -> str:
    """Return the number with its noun: 1 issue, 1,234 issues."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """Return a percentage without decimals, or a dash if there is no whole."""
    return f"{part / whole:.0%}" if whole else "\N{EN DASH}"


def cases(value: int) -> str:
    """Return n = 1,234, without a line break in it."""
    return f"n{NO_BREAK}={NO_BREAK}{value:,}"


def day(value: date, now: datetime | None = None) -> str:
    """Return 3 Mar 2026, or 3 Mar if that is in the year of `now`."""
    year = "" if now is not None and value.year == now.year else f"{NO_BREAK}{value.year}"
    return f"{value.day}{NO_BREAK}{value:%b}{year}"


def moment(value: datetime, now: datetime) -> str:
    """Return 3 Mar 14:05 in UTC, with the year if it is another one than that of `now`."""
    value = value.astimezone(UTC)
    return f"{day(value, now.astimezone(UTC))}{NO_BREAK}{value:%H:%M}"


def p50(of: Percentiles) -> str:
    """Return the median in words; "too few" if there are too few cases, a dash if there is none."""
    return _percentile(of, of.p50)


def p90(of: Percentiles) -> str:
    """Return the 90th percentile in words, as p50 does."""
    return _percentile(of, of.p90)


def short(text: str, most: int = 120) -> str:
    """Return the text in one line, cut after so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


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
    counts, asked = report.counts, report.counts.open_by_people
    if not counts.open:
        answer = "No issue is open."
    elif not asked:
        answer = "Every open issue was opened by a bot."
    elif not counts.unanswered and counts.unknown:
        answer = (
            f"No open issue is known to lack a first response; of {counts.unknown:,} of "
            f"{count(asked, 'open issue')} it is not known."
        )
    elif not counts.unanswered:
        which = "The only open issue has" if asked == 1 else f"All {asked:,} open issues have"
        answer = f"{which} had a first response."
    else:
        have = "has" if counts.unanswered == 1 else "have"
        answer = f"{counts.unanswered:,} of {count(asked, 'open issue')} {have} had no first response yet."
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
        return f"Too early to tell: {count(report.counts.open, 'issue')} open.", flow
    before, now = report.backlog_before, report.counts.open
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


def age_finding(age: BacklogAge) -> str:
    """Sum up the age of the open issues."""
    if not age.n or age.longest is None:
        return "No issue is open, but for those of bots."
    oldest = f"the oldest is {hours(age.longest)} old ({cases(age.n)})."
    if not age.is_enough:
        return f"Too few for percentiles; {oldest}"
    return f"Half are older than {p50(age)}, one in ten is older than {p90(age)}; {oldest}"


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
