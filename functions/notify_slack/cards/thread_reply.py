"""One line in a card's thread, for the events that are worth reading."""

from clients.slack.blocks import Message, section
from clients.slack.mrkdwn import escape_literal, link
from pipeline.events import Issue, IssueEvent

from ..routing.routes import Hearing
from . import markdown as body
from . import metadata as index
from . import phrases as words

_EXCERPT = 300
_COMMENTED = "commented"


def due(event: IssueEvent, issue: Issue, hearing: Hearing, github_url: str) -> Message | None:
    """Return the reply to a comment, a close, a reopening, a transfer or an assignment; None to all else.

    A new issue has one when there is somebody to mention: for where its card was there already, and an
    update pings nobody.
    """
    text = _text(event, issue, hearing, _COMMENTED)
    if text is None:
        return None
    linked = _text(event, issue, hearing, _comment_link(event, issue, github_url)) or text
    return Message(text=text, blocks=(section(linked),), metadata=index.of_reply(event, issue))


def _text(  # noqa: PLR0911 - a table
    event: IssueEvent, issue: Issue, hearing: Hearing, commented: str
) -> str | None:
    actor = words.person(event.sender)
    match event.event, event.action:
        case "issue_comment", "created":
            excerpt = escape_literal(body.answer(event.comment.body), _EXCERPT) if event.comment else ""
            return f"{actor} {commented}" + (f": {excerpt}" if excerpt else "")
        case "issues", "opened" if hearing.mention:
            return f"new issue · cc {words.mentions(hearing.mention)}"
        case "issues", "closed":
            age = words.age(issue)
            return f"{actor} closed this{words.reason(issue)}" + (f" · {age}" if age else "")
        case "issues", "reopened":
            return f"{actor} reopened this"
        case "issues", "transferred":
            return f"{actor} transferred this{words.destination(event)}"
        case "issues", "assigned":
            return f"{actor} assigned {words.worker(event.assignee, hearing.people)}"
        case _:
            return None


def _comment_link(event: IssueEvent, issue: Issue, github_url: str) -> str:
    url = words.address(github_url, event.repository, issue.number)
    comment_id = event.comment.id if event.comment else None
    return link(f"{url}#issuecomment-{comment_id}", _COMMENTED) if url and comment_id else _COMMENTED
