"""The words that cards and replies share, each safe for Slack."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from clients.slack.mrkdwn import code, escape_literal
from pipeline.events import Issue, IssueEvent
from pipeline.repository_name import is_repository_name

TITLE = 250
NAME = 60
_SHOWN_LABELS = 6
_SHOWN_ASSIGNEES = 6
_SHOWN_MENTIONS = 50
_SECONDS = range(10**11)  # what a date of Slack's takes
_REASONS = {"completed": "completed", "not_planned": "not planned", "duplicate": "a duplicate"}


def name(repository: str | None, number: int | None, limit: int = 2 * NAME) -> str:
    """Return owner/name#number; `limit` is that of owner/name."""
    return escape_literal(repository, limit, empty="(unknown repository)") + f"#{number or '?'}"


def title(issue: Issue, limit: int = TITLE) -> str:
    """Return the title on one line."""
    return escape_literal(issue.title, limit, empty="(no title)")


def is_new(event: IssueEvent) -> bool:
    """Tell whether the issue is new: at its opening, and never after it."""
    return event.event == "issues" and event.action == "opened"


def person(login: str | None) -> str:
    """Return the login; a deleted account is a ghost, as at GitHub."""
    return escape_literal(login, NAME, empty="ghost")


def address(github_url: str, repository: str | None, number: int | None) -> str | None:
    """Return the issue's page below `github_url`, None when the names make no address."""
    if number is None or not is_repository_name(repository):
        return None
    return f"{github_url}/{repository}/issues/{number}"


def reason(issue: Issue) -> str:
    """Return as what it was closed, with a space in front; a reason that is not known is not repeated."""
    known = _REASONS.get(issue.state_reason or "")
    return f" as {known}" if known else ""


def destination(event: IssueEvent) -> str:
    """Return where the issue was transferred to, with a space in front."""
    there = event.transferred_to
    return f" to {name(there.repository, there.number)}" if there else ""


def labels(issue: Issue) -> str:
    """Return the labels in frames; those beyond six are a number."""
    shown = [code(label, NAME, empty="?") for label in issue.labels[:_SHOWN_LABELS]]
    return " ".join([*shown, *_rest(issue.labels, _SHOWN_LABELS)])


def worker(login: str | None, people: Mapping[str, str]) -> str:
    """Return a mention of the login's Slack user, or the login when `people` do not know it."""
    user = people.get((login or "").lower())
    return f"<@{user}>" if user else person(login)


def assignees(issue: Issue, people: Mapping[str, str]) -> str:
    """Return who works on it; those beyond six are a number."""
    shown = [worker(login, people) for login in issue.assignees[:_SHOWN_ASSIGNEES]]
    return ", ".join([*shown, *_rest(issue.assignees, _SHOWN_ASSIGNEES)])


def mentions(ids: Sequence[str]) -> str:
    """Return what pings the users and user groups with these ids of Slack's; those beyond 50 are a number."""
    shown = [f"<!subteam^{each}>" if each.startswith("S") else f"<@{each}>" for each in ids[:_SHOWN_MENTIONS]]
    return " ".join([*shown, *_rest(ids, _SHOWN_MENTIONS)])


def milestone(issue: Issue) -> str:
    """Return the milestone's title, nothing for none."""
    return escape_literal(issue.milestone, NAME)


def comments(issue: Issue) -> str:
    """Return how many comments there are, nothing for none."""
    count = issue.comments or 0
    return f"{count} comment{'s' if count > 1 else ''}" if count > 0 else ""


def date(moment: datetime | None) -> str:
    """Return date and time as Slack shows them in the reader's own zone, nothing for no moment."""
    return _moment(moment, "{date_short_pretty} {time}", "%Y-%m-%d %H:%M UTC")


def day(moment: datetime | None) -> str:
    """Return the date alone, otherwise as `date`."""
    return _moment(moment, "{date_short_pretty}", "%Y-%m-%d")


def age(issue: Issue) -> str:
    """Return how long after its opening it was closed; that it was open all the while is not known."""
    start, end = issue.created_at, issue.closed_at
    if start is None or end is None or end < start:
        return ""
    passed = end - start
    for unit, units in ((timedelta(days=1), "days"), (timedelta(hours=1), "hours")):
        if passed >= 2 * unit:
            return f"{passed // unit} {units} after opening"
    minutes = passed // timedelta(minutes=1)
    amount = f"{minutes} minute{'s' if minutes > 1 else ''}" if minutes else "less than a minute"
    return f"{amount} after opening"


def _moment(moment: datetime | None, format_: str, fallback: str) -> str:
    if moment is None:
        return ""
    seconds, text = int(moment.timestamp()), moment.strftime(fallback)
    return f"<!date^{seconds}^{format_}|{text}>" if seconds in _SECONDS else text


def _rest(items: Sequence[str], shown: int) -> list[str]:
    return [f"+{len(items) - shown}"] if len(items) > shown else []
