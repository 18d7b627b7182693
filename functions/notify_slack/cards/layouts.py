"""The two layouts of a card: compact is one line, full has a headline, fields and the start of the text."""

from clients.slack.blocks import Block, context, fields, header, plain_section, section
from clients.slack.mrkdwn import link

from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from . import markdown, phrases
from .issue_status import IssueStatus

_HEADER_NAME_LIMIT = 80  # a header takes 150 characters in all


def compact(event: CardEvent, status: IssueStatus, destination: Destination) -> tuple[Block, ...]:
    """Return one line, and a small one below it if there is more to say."""
    if event.is_deletion:
        return (section(issue_line(event, status)), *_footer(status, destination, ""))
    assignees = phrases.assignees(event.issue, destination.people)
    assigned = phrases.ASSIGNED_TO.format(assignees=assignees) if assignees else ""
    more = phrases.join(assigned, phrases.comments(event))
    return (section(issue_line(event, status)), *_footer(status, destination, more))


def full(event: CardEvent, status: IssueStatus, destination: Destination) -> tuple[Block, ...]:
    """Return headline, title, fields, the start of an open issue's text, and a link.

    The link is text, not a button: Slack shows a warning beside every button that is pressed unless the app
    answers for it, which needs a public URL for Slack to call.
    """
    name = phrases.this_issue(event, _HEADER_NAME_LIMIT)
    headline = header(phrases.join(f"{status.mark} {status.headline}", name))
    if event.is_deletion:
        return (headline, *_footer(status, destination, ""))
    url, title = phrases.issue_url(event), phrases.title(event)
    text = "" if status.closing_line else markdown.excerpt(event.issue.body)
    more = phrases.join(phrases.comments(event), link(url, phrases.OPEN_ON_GITHUB) if url else "")
    return (
        headline,
        section(f"*{link(url, title) if url else title}*"),
        fields(*(f"*{label}*\n{value}" for label, value in _facts(event, destination) if value)),
        *((plain_section(text),) if text else ()),
        *_footer(status, destination, more),
    )


LAYOUTS = {"compact": compact, "full": full}


def issue_line(event: CardEvent, status: IssueStatus) -> str:
    """Return the issue in one line: its number, its title as a link, its author and age, and its labels.

    Of a deleted issue only the number is left.
    """
    number = f"{status.mark} *{phrases.this_issue(event)}*"
    if event.is_deletion:
        return number
    url, title = phrases.issue_url(event), phrases.title(event)
    name = f"{number} {link(url, title) if url else title}"
    return phrases.join(name, _author(event), phrases.labels(event.issue))


def _footer(status: IssueStatus, destination: Destination, more: str) -> tuple[Block, ...]:
    """Return the small line, if there is one: the end of the issue, `more`, and what concerns the channel."""
    left = phrases.RENAMED if destination.renamed else phrases.LEFT_ROUTE
    rest = phrases.join(
        more,
        phrases.COPIED_TO.format(mentions=phrases.mentions(destination.mention))
        if destination.mention
        else "",
        left if destination.final_update else "",
    )
    if not status.closing_line:
        return (context(rest),) if rest else ()
    texts = (status.closing_line, *((f"· {rest}",) if rest else ()))
    return (context(*texts, block_id=status.block_id),)


def _author(event: CardEvent) -> str:
    author = phrases.login(event.issue.author)
    if event.is_new:
        return phrases.NEW_BY.format(author=author)
    return ", ".join(filter(None, (author, phrases.date(event.issue.created_at))))


def _facts(event: CardEvent, destination: Destination) -> tuple[tuple[str, str], ...]:
    """Return labels and values; the author is never empty, so that at least one field remains."""
    issue = event.issue
    return (
        (phrases.AUTHOR, phrases.login(issue.author)),
        (phrases.OPENED, phrases.date_and_time(issue.created_at)),
        (phrases.LABELS, phrases.labels(issue)),
        (phrases.ASSIGNEES, phrases.assignees(issue, destination.people)),
        (phrases.MILESTONE, phrases.milestone(issue)),
    )
