"""The wording of the daily digest. Every function returns text that is safe to send to Slack."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from clients.slack.mrkdwn import code, escape_literal, link
from metrics.waiting import Waiting, WaitingIssue
from pipeline.repository_name import is_repository_name
from pipeline.targets import State

HEADLINE = "Waiting for an answer"
NOTICE = "{headline}: {counts}"  # the text of the notification
COUNTS = {State.OVERDUE: "{n} overdue", State.DUE_SOON: "{n} due soon", State.WAITING: "{n} waiting"}
GROUPS = {
    State.OVERDUE: ":red_circle: *Overdue*",
    State.DUE_SOON: ":large_yellow_circle: *Due soon*",
    State.WAITING: ":white_circle: *Waiting*",
}
OVERDUE_BY, DUE_IN, WAITING_FOR = "*overdue by {time}*", "due in {time}", "waiting for {time}"
SINCE = "since {moment}"
OPENED_BY = "by {author}"
ASSIGNED_TO = "assigned to {assignees}"
ONE_MORE, MORE = "and 1 more issue", "and {n} more issues"
HOUR, HOURS, UNDER_AN_HOUR = "1 hour", "{n:,} hours", "less than an hour"
WORKING_HOUR, WORKING_HOURS, UNDER_A_WORKING_HOUR = (
    "1 working hour",
    "{n:,} working hours",
    "less than a working hour",
)
SEPARATOR = " · "
GHOST = "ghost"  # GitHub's name for a deleted account
NO_TITLE = "(no title)"

_TITLE_LIMIT = 150  # characters, as every limit here
_NAME_LIMIT = 60
_MAX_LABELS = 4
_MAX_ASSIGNEES = 4
_SECONDS = range(10**11)  # the dates that Slack accepts


def counts(by_state: Mapping[State, int]) -> str:
    """Return how many issues are in each state, without the states that have none."""
    return ", ".join(text.format(n=by_state[state]) for state, text in COUNTS.items() if by_state[state])


def issue(found: WaitingIssue, github_url: str) -> str:
    """Return the issue's name, and its title as a link below `github_url`."""
    name = f"{escape_literal(found.repository, 2 * _NAME_LIMIT)}#{found.number}"
    title = escape_literal(found.title, _TITLE_LIMIT, empty=NO_TITLE)
    if not is_repository_name(found.repository):
        return f"*{name}* {title}"
    return f"*{name}* {link(f'{github_url}/{found.repository}/issues/{found.number}', title)}"


def details(entry: Waiting, people: Mapping[str, str], away: Collection[str]) -> str:
    """Return how late the answer is, who waits since when, labels and assignees."""
    found = entry.issue
    assigned = assignees(found.assignees, people, away)
    parts = (
        lateness(entry),
        SINCE.format(moment=_moment(found.waiting_since)),
        OPENED_BY.format(author=_login(found.author)),
        _first([code(name, _NAME_LIMIT, empty="?") for name in found.labels], _MAX_LABELS, " "),
        ASSIGNED_TO.format(assignees=assigned) if assigned else "",
    )
    return SEPARATOR.join(filter(None, parts))


def lateness(entry: Waiting) -> str:
    """Return by how much time the issue is overdue, or in how much it is due, else how long it has waited."""
    standing, working = entry.standing, entry.in_working_time
    if standing.over is not None:
        return OVERDUE_BY.format(time=_time(standing.over, working=working))
    if standing.left is not None:
        return DUE_IN.format(time=_time(standing.left, working=working))
    return WAITING_FOR.format(time=_time(standing.waited, working=working))


def assignees(logins: Sequence[str], people: Mapping[str, str], away: Collection[str]) -> str:
    """Return the assignees: mentioned if `people` knows them, unless they are away."""
    return _first([_mention_or_login(login, people, away) for login in logins], _MAX_ASSIGNEES, ", ")


def more(number: int) -> str:
    """Return how many issues are not named."""
    return ONE_MORE if number == 1 else MORE.format(n=number)


def _mention_or_login(login: str, people: Mapping[str, str], away: Collection[str]) -> str:
    user = people.get(login.lower()) if login.lower() not in away else None
    return f"<@{user}>" if user else _login(login)


def _login(account: str | None) -> str:
    return escape_literal(account, _NAME_LIMIT, empty=GHOST)


def _time(span: timedelta, *, working: bool) -> str:
    under, one, several = (
        (UNDER_A_WORKING_HOUR, WORKING_HOUR, WORKING_HOURS) if working else (UNDER_AN_HOUR, HOUR, HOURS)
    )
    hours = span // timedelta(hours=1)
    return {0: under, 1: one}.get(hours, several.format(n=hours))


def _moment(moment: datetime) -> str:
    """Return date and time as Slack shows them in the reader's own time zone."""
    seconds, text = int(moment.timestamp()), moment.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{seconds}^{{date_short_pretty}} {{time}}|{text}>" if seconds in _SECONDS else text


def _first(texts: list[str], limit: int, separator: str) -> str:
    rest = [f"+{len(texts) - limit}"] if len(texts) > limit else []
    return separator.join([*texts[:limit], *rest])
