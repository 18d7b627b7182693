"""The card: an issue as it stands, never an event.

Limits: https://docs.slack.dev/reference/block-kit/blocks. All of a card stays far below them.
"""

from clients.slack.blocks import Block, Message, section
from pipeline.events import Issue, IssueEvent

from ..routing.routes import Hearing
from . import compact, full
from . import issue_status as state
from . import metadata as index
from . import phrases as words
from .issue_status import State

_ACTIONS = {
    "issues": "opened edited closed reopened labeled unlabeled assigned unassigned milestoned demilestoned"
    " locked unlocked pinned unpinned typed untyped transferred deleted",
    "issue_comment": "created edited deleted",
}
# Those that are known; an action that GitHub adds to the same two events changes a card too.
EVENTS = tuple(f"{event}.{action}" for event, actions in _ACTIONS.items() for action in actions.split())
_LINES = {"opened", "closed", "reopened"}


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


def build(
    event: IssueEvent, issue: Issue, hearing: Hearing, github_url: str, before: index.Found | None = None
) -> Message:
    """Return the card; its links are made of `github_url`, the repository and the number.

    `before` is the card that this one takes the place of.
    """
    stands = state.of(event, issue, before.blocks if before else ())
    layout = full.blocks if hearing.format == "full" else compact.blocks
    return _message(event, issue, stands, layout(event, issue, stands, hearing, github_url))


def closed_late(found: index.Found, event: IssueEvent, issue: Issue) -> tuple[Block, ...]:
    """Return the blocks of a card that shows the issue later than the event does.

    They stay as they are, but for a close of which they do not say yet who did it.
    """
    return state.closed_late(found.blocks, event, issue)


def line(event: IssueEvent, issue: Issue, github_url: str) -> Message:
    """Return the card in one line, for an incoming webhook; it mentions nobody."""
    stands = state.of(event, issue)
    reopened = event.event == "issues" and event.action == "reopened"
    end = f"reopened by {words.person(event.sender)}" if reopened else stands.end
    parts = (compact.head(event, issue, stands, github_url), end)
    return _message(event, issue, stands, (section(" · ".join(filter(None, parts))),))


def _message(event: IssueEvent, issue: Issue, stands: State, blocks: tuple[Block, ...]) -> Message:
    name = words.name(event.repository, issue.number)
    return Message(
        text=f"{stands.headline}: {name} {words.title(issue)}",
        blocks=blocks,
        metadata=index.of_card(event, issue),
    )
