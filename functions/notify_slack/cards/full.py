"""The card at length: a headline, the title, what is known, the beginning of the text, and a link."""

from clients.slack.blocks import Block, fields, header, plain_section, section
from clients.slack.mrkdwn import link
from pipeline.events import Issue, IssueEvent

from ..routing.routes import Hearing
from . import compact
from . import markdown as body
from . import phrases as words
from .issue_status import State

_NAME = 80  # a headline takes 150 characters in all


def blocks(
    event: IssueEvent, issue: Issue, stands: State, hearing: Hearing, github_url: str
) -> tuple[Block, ...]:
    """Return the blocks of the card; the issue's text is shown while it is open.

    Its link is text and no button: Slack puts a warning beside every button that is pressed unless the app
    answers for it, which needs a public address for Slack to call.
    """
    url, title = words.address(github_url, event.repository, issue.number), words.title(issue)
    text = "" if stands.end else body.beginning(issue.body)
    more = (words.comments(issue), link(url, "Open on GitHub") if url else "")
    name = words.name(event.repository, issue.number, _NAME)
    return (
        header(f"{stands.mark} {stands.headline} · {name}"),
        section(f"*{link(url, title) if url else title}*"),
        fields(*(f"*{label}*\n{value}" for label, value in _facts(issue, hearing) if value)),
        *((plain_section(text),) if text else ()),
        *compact.foot(event, stands, hearing, *more),
    )


def _facts(issue: Issue, hearing: Hearing) -> tuple[tuple[str, str], ...]:
    """Return labels and values; the author's is never empty, so that there is one field at least."""
    return (
        ("Author", words.person(issue.author)),
        ("Opened", words.date(issue.created_at)),
        ("Labels", words.labels(issue)),
        ("Assignees", words.assignees(issue, hearing.people)),
        ("Milestone", words.milestone(issue)),
    )
