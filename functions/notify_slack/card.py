"""The card: an issue as it stands, never an event.

Limits: https://docs.slack.dev/reference/block-kit/blocks. All of a card stays far below them.
"""

from dataclasses import dataclass

from pipeline.events import Issue, IssueEvent

from . import index, words
from .message import Message, context, section
from .routes import Hearing
from .text import link

_ACTIONS = {
    "issues": "opened edited closed reopened labeled unlabeled assigned unassigned milestoned demilestoned"
    " locked unlocked pinned unpinned typed untyped transferred deleted",
    "issue_comment": "created edited deleted",
}
# Those that are known; an action that GitHub adds to the same two events changes a card too.
EVENTS = tuple(f"{event}.{action}" for event, actions in _ACTIONS.items() for action in actions.split())
_LINES = {"opened", "closed", "reopened"}
_UNDONE = {"not_planned", "duplicate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """How the issue stands: its mark, a headline, and who did it and when, as far as the event knows."""

    mark: str
    headline: str
    details: tuple[str, ...]


def shown(event: IssueEvent) -> Issue | None:
    """Return the issue whose card the event makes or changes, None when it does neither."""
    return event.issue if silence(event) is None else None


def silence(event: IssueEvent) -> str | None:
    """Return why the event changes no card, whatever the routes say; None when it does.

    Pull requests have no card, and history that is read in later stays silent. Without the repository's id
    and the number there is no telling whose card it would be.
    """
    if event.event not in _ACTIONS or not event.action:
        name = f"{event.event}.{event.action}" if event.action else event.event
        return f"no card is made of {name!r}, only of issues and their comments"
    if event.source == "backfill":
        return "no card is made of history"
    if event.issue is None:
        return "the event is about no issue"
    if event.is_pull_request:
        return "no card is made of a pull request"
    if event.repository_id is None or event.issue.number is None:
        return "the event does not say which issue it is about"
    return None


def is_line(event: IssueEvent, hearing: Hearing) -> bool:
    """Tell whether the event is worth a message where cards cannot be changed."""
    return (
        event.event == "issues" and event.action in _LINES and (hearing.replies or event.action == "opened")
    )


def build(event: IssueEvent, issue: Issue, hearing: Hearing, github_url: str) -> Message:
    """Return the card; its one link is made of `github_url`, the repository and the number."""
    return _message(event, issue, (_head(event, issue, github_url), _foot(event, issue)))


def line(event: IssueEvent, issue: Issue, hearing: Hearing, github_url: str) -> Message:
    """Return the card in one line, for an incoming webhook."""
    parts = (_head(event, issue, github_url), *_state(event, issue).details[:1], words.labels(issue))
    return _message(event, issue, (" · ".join(part for part in parts if part),))


def _message(event: IssueEvent, issue: Issue, lines: tuple[str, ...]) -> Message:
    name = words.name(event.repository, issue.number)
    return Message(
        text=f"{_state(event, issue).headline}: {name} {words.title(issue)}",
        blocks=(section(lines[0]), *(context(text) for text in lines[1:])),
        metadata=index.of_card(event, issue),
    )


def _head(event: IssueEvent, issue: Issue, github_url: str) -> str:
    url, title = words.address(github_url, event.repository, issue.number), words.title(issue)
    name = words.name(event.repository, issue.number)
    return f"{_state(event, issue).mark} *{name}* {link(url, title) if url else title}"


def _foot(event: IssueEvent, issue: Issue) -> str:
    parts = (
        *_state(event, issue).details,
        words.labels(issue),
        words.assignees(issue),
        words.comments(issue),
    )
    return " · ".join(part for part in parts if part)


def _state(event: IssueEvent, issue: Issue) -> _State:
    """Return the state; an issue put aside does not look like one that is done."""
    opened = f"opened by {words.person(issue.author)} {words.date(issue.created_at)}".rstrip()
    by = f" by {words.person(event.sender)}"
    if index.is_final(event) and event.action == "deleted":
        return _State(mark=":wastebasket:", headline="Deleted", details=(f"deleted{by}", opened))
    if index.is_final(event):
        where = words.destination(event)
        return _State(
            mark=":rocket:", headline=f"Transferred{where}", details=(f"transferred{where}{by}", opened)
        )
    if issue.state == "closed":
        closer = by if event.event == "issues" and event.action == "closed" else ""
        return _State(
            mark=":no_entry_sign:" if issue.state_reason in _UNDONE else ":white_check_mark:",
            headline=f"Closed{words.reason(issue)}",
            details=(f"closed{words.reason(issue)}{closer}", words.age(issue), opened),
        )
    if event.event == "issues" and event.action == "opened":
        return _State(mark=":large_green_circle:", headline="New issue", details=(f"new issue, {opened}",))
    return _State(mark=":large_green_circle:", headline="Open issue", details=(opened,))
