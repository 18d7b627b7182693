"""The wording of cards and replies. Every function returns text that is safe to send to Slack."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from clients.slack.mrkdwn import code, escape_literal
from pipeline.events import Issue, IssueRef
from pipeline.repository_name import is_repository_name

from ..routing import privacy
from ..routing.eligibility import CardEvent

# Cards
NOTICE = "{headline}: {issue} {title}"  # the text of the notification
NEW_ISSUE, OPEN_ISSUE = "New issue", "Open issue"
DELETED, TRANSFERRED, CLOSED = "Deleted", "Transferred", "Closed{reason}"
NEW_BY = "new by {author}"
ASSIGNED_TO = "assigned to {assignees}"
COPIED_TO = "cc {mentions}"
LEFT_ROUTE = "not followed here any more because of its labels"
RENAMED = "not followed here any more because its repository was renamed"
DELIVERED_LATE, RECOVERED = "delivered {duration} late", "recovered {duration} late"
OPEN_ON_GITHUB = "Open on GitHub"
AUTHOR, OPENED, LABELS, ASSIGNEES, MILESTONE = "Author", "Opened", "Labels", "Assignees", "Milestone"
ONE_COMMENT, COMMENTS = "1 comment", "{count} comments"
# How a card says what ended the issue
CLOSED_LINE = "closed{reason}"
CLOSED_BY = "closed{reason} by {actor}"
DELETED_BY = "deleted by {actor}"
TRANSFERRED_BY = "transferred{destination} by {actor}"
REOPENED_BY = "reopened by {actor}"
# Replies
COMMENTED = "commented"
COMMENT = "{actor} {commented}"
COMMENT_EXCERPT = "{actor} {commented}: {excerpt}"
COMMENT_DELETED = "{actor} deleted a comment"
NEW_ISSUE_REPLY = "new issue · cc {mentions}"
ARRIVED_REPLY = "transferred here by {actor} · cc {mentions}"
LABELED_REPLY = "{actor} added {label} · cc {mentions}"
UNLABELED_REPLY = "{actor} removed {label} · cc {mentions}"
CHANGED_REASON_REPLY = "{actor} changed this to closed{reason}"
CLOSED_REPLY = "{actor} closed this{reason}"
REOPENED_REPLY = "{actor} reopened this"
TRANSFERRED_REPLY = "{actor} transferred this{destination}"
ASSIGNED_REPLY = "{actor} assigned {assignee}"
ASSIGNED_SOMEBODY_REPLY = "{actor} assigned this"
TOOK_REPLY = "{actor} took this"
A_PICTURE = "a picture"
ALERT = "{kind}: "
# Burst messages
ONE_IN_BURST, IN_BURST = "1 more issue at once", "{count} more issues at once"
BURST_HEAD = ":card_index_dividers: *{text}*, listed here to keep the channel readable {mentions}"
BURST_LINE = "• {issue} {title}"
BURST_NOTICE, BURST_REPLY = "{issue}: {text}", "*{issue}* {text}"
# Both
REASONS = {"completed": " as completed", "not_planned": " as not planned", "duplicate": " as a duplicate"}
MOVED_TO = " to {issue}"
MOVED_FROM = "transferred from {issue}"
A_PRIVATE_REPOSITORY, ANOTHER_REPOSITORY = "a private repository", "another repository"
AFTER_OPENING = "{duration} after opening"
DAYS, HOURS, MINUTES, ONE_MINUTE = "{n} days", "{n} hours", "{n} minutes", "1 minute"
UNDER_A_MINUTE = "less than a minute"
SEPARATOR = " · "
GHOST = "ghost"  # GitHub's name for a deleted account
NO_TITLE, UNKNOWN_REPOSITORY = "(no title)", "(unknown repository)"

TITLE_LIMIT = 250  # characters, as every limit here
NAME_LIMIT = 60
_MAX_LABELS = 6
_MAX_ASSIGNEES = 6
_MAX_MENTIONS = 50
_EMOJI = re.compile(r"(?<!\S)((?::[a-z0-9+-](?:[a-z0-9_+-]*[a-z0-9+-])?:)+)(?!\S)")
_SECONDS = range(10**11)  # the dates that Slack accepts


def join(*parts: str) -> str:
    """Return the parts that are not empty as one line."""
    return SEPARATOR.join(filter(None, parts))


def issue_ref(repository: str | None, number: int | None, limit: int = 2 * NAME_LIMIT) -> str:
    """Return owner/name#number, or owner/name if the number is unknown; `limit` applies to owner/name."""
    return escape_literal(repository, limit, empty=UNKNOWN_REPOSITORY) + (f"#{number}" if number else "")


def this_issue(event: CardEvent, limit: int = 2 * NAME_LIMIT) -> str:
    """Return owner/name#number of the event's issue."""
    return issue_ref(event.received.repository, event.number, limit)


def issue_url(event: CardEvent) -> str | None:
    """Return the issue's page below `github_url`, None if the repository's name makes no valid URL."""
    repository = event.received.repository
    if not is_repository_name(repository):
        return None
    return f"{event.github_url}/{repository}/issues/{event.number}"


def title(event: CardEvent, limit: int = TITLE_LIMIT) -> str:
    """Return the title on one line; a deleted issue has none any more."""
    return "" if event.is_deletion else escape_literal(event.issue.title, limit, empty=NO_TITLE)


def login(account: str | None) -> str:
    """Return the login; GitHub shows a deleted account as a ghost."""
    return escape_literal(account, NAME_LIMIT, empty=GHOST)


def mention_or_login(account: str | None, people: Mapping[str, str]) -> str:
    """Return a mention of the login's Slack user, or the login if `people` lacks it."""
    user = people.get((account or "").lower())
    return f"<@{user}>" if user else login(account)


def mentions(ids: Sequence[str]) -> str:
    """Return mentions of the Slack users and user groups; those beyond 50 are a number."""
    shown = [f"<!subteam^{each}>" if each.startswith("S") else f"<@{each}>" for each in ids]
    return _first(shown, _MAX_MENTIONS, " ")


def labels(issue: Issue) -> str:
    """Return the labels as code; those beyond six are a number."""
    return _first([label(name) for name in issue.labels], _MAX_LABELS, " ")


def label(name: str | None) -> str:
    """Return the label as code, outside of which the names of emoji stand: Slack draws none in code."""
    parts = _EMOJI.split(code(name, NAME_LIMIT, empty="?").strip("`"))
    return " ".join(part if _EMOJI.fullmatch(part) else f"`{part.strip()}`" for part in parts if part.strip())


def assignees(issue: Issue, people: Mapping[str, str]) -> str:
    """Return the assignees; those beyond six are a number."""
    return _first([mention_or_login(account, people) for account in issue.assignees], _MAX_ASSIGNEES, ", ")


def milestone(issue: Issue) -> str:
    """Return the milestone's title, empty if there is none."""
    return escape_literal(issue.milestone, NAME_LIMIT)


def comments(event: CardEvent) -> str:
    """Return the number of comments, empty if there are none."""
    count = event.comments or 0
    if count <= 0:
        return ""
    return ONE_COMMENT if count == 1 else COMMENTS.format(count=count)


def reason(issue: Issue) -> str:
    """Return the reason of the close, with a space in front; an unknown reason is left out."""
    return REASONS.get(issue.state_reason or "", "")


def moved_to(event: CardEvent) -> str:
    """Return the issue's new place after a transfer, with a space in front; a private one has no name."""
    there = event.received.transferred_to
    return MOVED_TO.format(issue=_other_place(event, there, "new_repository")) if there else ""


def moved_from(event: CardEvent) -> str:
    """Return where an issue has come from by transfer; a private repository has no name."""
    return MOVED_FROM.format(issue=_other_place(event, event.received.transferred_from, "old_repository"))


def open_for(issue: Issue) -> str:
    """Return the time from opening to close; a reopening in between is not known here."""
    start, end = issue.created_at, issue.closed_at
    if start is None or end is None or end < start:
        return ""
    return AFTER_OPENING.format(duration=_duration(end - start))


def late(delay: timedelta, *, is_recovered: bool) -> str:
    """Return how late a delivery was, and whether reconcile recovered it."""
    return (RECOVERED if is_recovered else DELIVERED_LATE).format(duration=_duration(delay))


def date(moment: datetime | None) -> str:
    """Return the date as Slack shows it in the reader's own time zone, empty for None."""
    return _moment(moment, "{date_short_pretty}", "%Y-%m-%d")


def date_and_time(moment: datetime | None) -> str:
    """Return date and time, otherwise as `date`."""
    return _moment(moment, "{date_short_pretty} {time}", "%Y-%m-%d %H:%M UTC")


def _other_place(
    event: CardEvent, there: IssueRef | None, key: Literal["old_repository", "new_repository"]
) -> str:
    """Return the other issue of a transfer, as far as it is known and may be named."""
    repository = privacy.changes(event.received).get(key)
    if there is None or there.repository is None or privacy.is_hidden(event.received, key):
        private = isinstance(repository, Mapping) and repository.get("private") is True
        return A_PRIVATE_REPOSITORY if private else ANOTHER_REPOSITORY
    return issue_ref(there.repository, there.number)


def _duration(passed: timedelta) -> str:
    for unit, units in ((timedelta(days=1), DAYS), (timedelta(hours=1), HOURS)):
        if passed >= 2 * unit:
            return units.format(n=passed // unit)
    minutes = passed // timedelta(minutes=1)
    if minutes == 1:
        return ONE_MINUTE
    return MINUTES.format(n=minutes) if minutes else UNDER_A_MINUTE


def _moment(moment: datetime | None, format_: str, fallback: str) -> str:
    if moment is None:
        return ""
    seconds, text = int(moment.timestamp()), moment.strftime(fallback)
    return f"<!date^{seconds}^{format_}|{text}>" if seconds in _SECONDS else text


def _first(texts: list[str], limit: int, separator: str) -> str:
    rest = [f"+{len(texts) - limit}"] if len(texts) > limit else []
    return separator.join([*texts[:limit], *rest])
