"""The message with the week's numbers, against the week before (pure)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from clients.slack.blocks import Message, context, fields, header, picture
from clients.slack.mrkdwn import escape_literal
from metrics import wording
from metrics.figures import Percentiles, Week
from metrics.week_review import WeekReview

HEADLINE = "The week from {first} to {last}"
NOTICE = "{headline}: {opened} opened, {closed} closed, {backlog} open at its end"  # the notification's text
OPENED, CLOSED, BACKLOG = "Opened", "Closed", "Open at its end"
FIRST_RESPONSE, TIME_TO_CLOSE = "First response", "Time to close"
BEFORE = "the week before: {value}"
MORE, FEWER, AS_MANY = "{n} more than the week before", "{n} fewer than the week before", "as the week before"
HALF, NINE_OF_TEN = "half within {p50}", "nine of ten within {p90}"
FEW, NONE = "too few to say ({cases})", "none"
FIRST_WEEK = "Nothing is known of the week before."
WEEKS = "Weeks begin on Monday, in UTC."
ALT_TEXT = "Open issues at the end of each week. {finding}"

_MAX_NAMES = 5
_NAME_LIMIT = 80  # characters


def build(review: WeekReview) -> Message:
    """Return the message without its picture; the metadata is set where it is posted."""
    week, before = review.week, review.before
    headline = _headline(week)
    notice = NOTICE.format(
        headline=headline, opened=f"{week.opened:,}", closed=f"{week.closed:,}", backlog=f"{week.backlog:,}"
    )
    blocks = (
        header(headline),
        context(_names(review.repositories)),
        fields(
            _count(OPENED, week, before, lambda each: each.opened),
            _count(CLOSED, week, before, lambda each: each.closed),
            _backlog(week, before),
        ),
        fields(
            _times(FIRST_RESPONSE, week, before, lambda each: each.response),
            _times(TIME_TO_CLOSE, week, before, lambda each: each.close),
        ),
        context(WEEKS if before else f"{FIRST_WEEK} {WEEKS}"),
    )
    return Message(text=notice, blocks=blocks, metadata={})


def alt_text(review: WeekReview) -> str:
    """Return what the picture of the backlog shows."""
    top = max(review.weeks, key=lambda week: week.backlog)
    now = f"{review.week.backlog:,} at the end of this week"
    most = f"the most were {top.backlog:,}, in the week from {wording.day(top.week)}"
    return ALT_TEXT.format(finding=f"{now}; {most}, of {wording.count(len(review.weeks), 'week')}.")


def with_picture(message: Message, file_id: str, review: WeekReview) -> Message:
    """Return the message with the uploaded picture of the backlog."""
    return replace(message, blocks=(*message.blocks, picture(file_id, alt_text(review))))


def _headline(week: Week) -> str:
    last = week.week + timedelta(days=6)
    return HEADLINE.format(first=f"{week.week.day}{wording.NO_BREAK}{week.week:%b}", last=wording.day(last))


def _names(repositories: tuple[str, ...]) -> str:
    named = ", ".join(escape_literal(name, _NAME_LIMIT, empty="?") for name in repositories[:_MAX_NAMES])
    rest = len(repositories) - _MAX_NAMES
    return f"{named} and {rest} more" if rest > 0 else named


def _count(title: str, week: Week, before: Week | None, of: Callable[[Week], int]) -> str:
    lines = [f"*{title}*", f"{of(week):,}"]
    return "\n".join([*lines, BEFORE.format(value=f"{of(before):,}")] if before else lines)


def _backlog(week: Week, before: Week | None) -> str:
    lines = [f"*{BACKLOG}*", f"{week.backlog:,}"]
    if before:
        change = week.backlog - before.backlog
        text = MORE if change > 0 else FEWER if change else AS_MANY
        lines.append(text.format(n=f"{abs(change):,}"))
    return "\n".join(lines)


def _times(title: str, week: Week, before: Week | None, of: Callable[[Week], Percentiles]) -> str:
    lines = [f"*{title}*", _percentiles(of(week))]
    return "\n".join([*lines, BEFORE.format(value=_percentiles(of(before)))] if before else lines)


def _percentiles(of: Percentiles) -> str:
    if not of.n:
        return NONE
    if not of.is_enough:
        return FEW.format(cases=wording.cases(of.n))
    half, most = HALF.format(p50=wording.p50(of)), NINE_OF_TEN.format(p90=wording.p90(of))
    return f"{half}, {most} ({wording.cases(of.n)})"
