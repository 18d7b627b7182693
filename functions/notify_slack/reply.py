"""One line in a card's thread, for the events that are worth reading."""

from pipeline.events import Issue, IssueEvent

from . import body, index, words
from .message import Message, section
from .routes import Hearing
from .text import inert, link

_EXCERPT = 300


def due(event: IssueEvent, issue: Issue, hearing: Hearing, github_url: str) -> Message | None:
    """Return the reply to a comment, a close, a reopening, a transfer or an assignment; None to all else.

    A new issue has one when there is somebody to mention: for where the card cannot do it, because it was
    there already. The notice, which is no place for mentions, has names.
    """
    told = _told(event, issue, hearing, github_url)
    if told is None:
        return None
    notice, text = told
    return Message(text=notice, blocks=(section(text),), metadata=index.of_reply(event, issue))


def _told(  # noqa: PLR0911 - a table
    event: IssueEvent, issue: Issue, hearing: Hearing, github_url: str
) -> tuple[str, str] | None:
    """Return the notice and what is shown."""
    actor = words.person(event.sender)
    match event.event, event.action:
        case "issue_comment", "created":
            excerpt = inert(body.answer(event.comment.body), _EXCERPT) if event.comment else ""
            said = f": {excerpt}" if excerpt else ""
            return f"{actor} commented{said}", f"{actor} {_comment(event, issue, github_url)}{said}"
        case "issues", "opened" if hearing.mention:
            name = words.name(event.repository, issue.number)
            return (
                f"New issue: {name} {words.title(issue)}",
                f"new issue · cc {words.mentions(hearing.mention)}",
            )
        case "issues", "closed":
            age = words.age(issue)
            return _alike(f"{actor} closed this{words.reason(issue)}" + (f" · {age}" if age else ""))
        case "issues", "reopened":
            return _alike(f"{actor} reopened this")
        case "issues", "transferred":
            return _alike(f"{actor} transferred this{words.destination(event)}")
        case "issues", "assigned":
            worker = words.worker(event.assignee, hearing.people)
            return f"{actor} assigned {words.person(event.assignee)}", f"{actor} assigned {worker}"
        case _:
            return None


def _alike(text: str) -> tuple[str, str]:
    return text, text


def _comment(event: IssueEvent, issue: Issue, github_url: str) -> str:
    url = words.address(github_url, event.repository, issue.number)
    comment_id = event.comment.id if event.comment else None
    return link(f"{url}#issuecomment-{comment_id}", "commented") if url and comment_id else "commented"
