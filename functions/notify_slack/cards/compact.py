"""The card in one line, and a small one beneath it when there is more to say."""

from clients.slack.blocks import Block, context, section
from clients.slack.mrkdwn import link
from pipeline.events import Issue, IssueEvent

from ..routing.routes import Hearing
from . import phrases as words
from .issue_status import State

_LEFT = "not followed here any more because of its labels"


def blocks(
    event: IssueEvent, issue: Issue, stands: State, hearing: Hearing, github_url: str
) -> tuple[Block, ...]:
    """Return the blocks of the card."""
    assignees = words.assignees(issue, hearing.people)
    more = (f"assigned to {assignees}" if assignees else "", words.comments(issue))
    return (section(head(event, issue, stands, github_url)), *foot(event, stands, hearing, *more))


def head(event: IssueEvent, issue: Issue, stands: State, github_url: str) -> str:
    """Return which issue it is: its title is the link, and its author says how old it is."""
    url, title = words.address(github_url, event.repository, issue.number), words.title(issue)
    parts = (
        f"{stands.mark} *{words.name(event.repository, issue.number)}* {link(url, title) if url else title}",
        _author(event, issue),
        words.labels(issue),
    )
    return " · ".join(filter(None, parts))


def foot(event: IssueEvent, stands: State, hearing: Hearing, *more: str) -> tuple[Block, ...]:
    """Return the small line, if there is one: the end of the issue, `more`, and what concerns the channel."""
    copied = f"cc {words.mentions(hearing.mention)}" if words.is_new(event) and hearing.mention else ""
    rest = " · ".join(filter(None, (*more, copied, _LEFT if hearing.leaving else "")))
    if not stands.end:
        return (context(rest),) if rest else ()
    return (context(stands.end, *((f"· {rest}",) if rest else ()), block_id=stands.block_id),)


def _author(event: IssueEvent, issue: Issue) -> str:
    author = words.person(issue.author)
    if words.is_new(event):
        return f"new by {author}"
    return ", ".join(filter(None, (author, words.day(issue.created_at))))
