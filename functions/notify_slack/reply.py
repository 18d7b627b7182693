"""One line in a card's thread, for the events that are worth reading."""

from pipeline.events import Issue, IssueEvent

from . import index, words
from .message import Message, section
from .routes import Hearing
from .text import link, plain

_EXCERPT = 300
_COMMENTED = "commented"


def due(event: IssueEvent, issue: Issue, hearing: Hearing, github_url: str) -> Message | None:
    """Return the reply to a comment, a close, a reopening, a transfer or an assignment; None to all else."""
    text = _text(event, issue, _COMMENTED)
    if text is None:
        return None
    linked = _text(event, issue, _comment_link(event, issue, github_url)) or text
    return Message(text=text, blocks=(section(linked),), metadata=index.of_reply(event, issue))


def _text(event: IssueEvent, issue: Issue, commented: str) -> str | None:
    actor = words.person(event.sender)
    match event.event, event.action:
        case "issue_comment", "created":
            excerpt = plain(event.comment.body if event.comment else None, _EXCERPT)
            return f"{actor} {commented}" + (f": {excerpt}" if excerpt else "")
        case "issues", "closed":
            age = words.age(issue)
            return f"{actor} closed this{words.reason(issue)}" + (f" · {age}" if age else "")
        case "issues", "reopened":
            return f"{actor} reopened this"
        case "issues", "transferred":
            return f"{actor} transferred this{words.destination(event)}"
        case "issues", "assigned":
            return f"{actor} assigned {words.person(event.assignee)}"
        case _:
            return None


def _comment_link(event: IssueEvent, issue: Issue, github_url: str) -> str:
    url = words.address(github_url, event.repository, issue.number)
    comment_id = event.comment.id if event.comment else None
    return link(f"{url}#issuecomment-{comment_id}", _COMMENTED) if url and comment_id else _COMMENTED
