"""From an event to the card that Slack shows: blocks, fallback text, and the metadata it is found by.

Limits: https://docs.slack.dev/reference/block-kit/blocks. All of a card stays far below them.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.models.blocks import Block, ContextBlock, MarkdownTextObject, SectionBlock
from slack_sdk.models.metadata import Metadata

from pipeline.delivery import format_time
from pipeline.events import Issue, IssueEvent

from .text import code, link, plain

EVENTS = ("issues.opened", "issues.closed", "issues.reopened")  # those that make a card
_TITLE = 250
_NAME = 60
_LABELS = 6
_REPOSITORY = re.compile(r"(?!\.{1,2}/)[\w.-]{1,100}/(?!\.{1,2}\Z)[\w.-]{1,100}", re.ASCII)
_SECONDS = range(10**11)  # what a date of Slack's takes
_MARKS = {
    "opened": ":large_green_circle:",
    "closed": ":white_check_mark:",
    "reopened": ":arrows_counterclockwise:",
}
_REASONS = {"completed": "completed", "not_planned": "not planned", "duplicate": "a duplicate"}
_UNDONE = {"not_planned", "duplicate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What chat.postMessage takes; `text` is also the notice when Slack refuses the blocks."""

    text: str
    blocks: tuple[Block, ...]
    metadata: Metadata


def shown(event: IssueEvent) -> Issue | None:
    """Return the issue whose card the event makes, None when it makes none."""
    return event.issue if silence(event) is None else None


def silence(event: IssueEvent) -> str | None:
    """Return why the event makes no card, whatever the routes say; None when it makes one.

    Issues opened, closed and reopened make one; history that is read in later stays silent.
    """
    name = f"{event.event}.{event.action}" if event.action else event.event
    if name not in EVENTS:
        return f"no card is made of {name!r}, only of {', '.join(EVENTS)}"
    if event.source == "backfill":
        return "no card is made of history"
    if event.issue is None:
        return "the event is about no issue"
    return "no card is made of a pull request" if event.is_pull_request else None


def build(event: IssueEvent, issue: Issue, github_url: str) -> Card:
    """Return the card; its one link is made of `github_url`, the repository and the number."""
    name = plain(event.repository, 2 * _NAME, empty="(unknown repository)") + f"#{issue.number or '?'}"
    title = plain(issue.title, _TITLE, empty="(no title)")
    url = _issue_url(event, issue, github_url)
    head = f"{_mark(event, issue)} *{name}* "
    return Card(
        text=f"{_headline(event, issue)}: {name} {title}",
        blocks=(
            SectionBlock(text=_markdown(head + (link(url, title) if url else title))),
            ContextBlock(elements=[_markdown(_details(event, issue))]),
        ),
        metadata=Metadata("issuewire_card", _index(event, issue)),
    )


def _markdown(text: str) -> MarkdownTextObject:
    """Verbatim: an address in a title must not become a link."""
    return MarkdownTextObject(text=text, verbatim=True)


def _issue_url(event: IssueEvent, issue: Issue, github_url: str) -> str | None:
    if issue.number is None or not _REPOSITORY.fullmatch(event.repository or ""):
        return None
    return f"{github_url}/{event.repository}/issues/{issue.number}"


def _mark(event: IssueEvent, issue: Issue) -> str:
    """Return what happened at a glance; an issue put aside does not look like one that is done."""
    if event.action == "closed" and issue.state_reason in _UNDONE:
        return ":no_entry_sign:"
    return _MARKS.get(event.action or "", ":speech_balloon:")


def _headline(event: IssueEvent, issue: Issue) -> str:
    names = {"opened": "New issue", "closed": "Closed" + _as(issue), "reopened": "Reopened"}
    return names.get(event.action or "", "Issue")


def _as(issue: Issue) -> str:
    reason = _REASONS.get(issue.state_reason or "")
    return f" as {reason}" if reason else ""


def _details(event: IssueEvent, issue: Issue) -> str:
    author = plain(issue.author, _NAME, empty="ghost")
    actor = plain(event.sender, _NAME, empty="ghost")
    if event.action == "closed":
        parts = [f"closed{_as(issue)} by {actor}", _age(issue.created_at, issue.closed_at)]
    elif event.action == "reopened":
        parts = [f"reopened by {actor}", f"opened by {author} {_when(issue.created_at)}"]
    else:
        parts = [f"new issue by {author}", _when(issue.created_at)]
    return " · ".join(part for part in (*parts, _labels(issue.labels)) if part)


def _labels(labels: tuple[str, ...]) -> str:
    shown = [code(label, _NAME, empty="?") for label in labels[:_LABELS]]
    more = [f"+{len(labels) - _LABELS}"] if len(labels) > _LABELS else []
    return " ".join(shown + more)


def _when(moment: datetime | None) -> str:
    """Return a date that Slack shows in the reader's own zone."""
    if moment is None:
        return ""
    seconds, text = int(moment.timestamp()), f"{moment:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{seconds}^{{date_short_pretty}} {{time}}|{text}>" if seconds in _SECONDS else text


def _age(start: datetime | None, end: datetime | None) -> str:
    """Return how long after its opening an issue was closed; that it was open all the while is not known."""
    if start is None or end is None or end < start:
        return ""
    age = end - start
    for unit, name in ((timedelta(days=1), "days"), (timedelta(hours=1), "hours")):
        if age >= 2 * unit:
            return f"{age // unit} {name} after opening"
    minutes = age // timedelta(minutes=1)
    amount = f"{minutes} minute{'s' if minutes > 1 else ''}" if minutes else "less than a minute"
    return f"{amount} after opening"


def _index(event: IssueEvent, issue: Issue) -> dict[str, Any]:
    return {
        "issue": f"{event.repository_id}#{issue.number}",
        "updated_at": format_time(issue.updated_at or event.event_at),
        "deliveries": [event.delivery_id],
        "schema": 1,
    }
