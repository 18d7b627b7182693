"""The reply in a card's thread: one line about an event that is worth reading.

A new reply is a function and its row in REPLIES; its wording is a constant in phrases.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.slack.blocks import Message, section
from clients.slack.mrkdwn import escape_literal, link
from pipeline.delivery import format_time, parse_time
from pipeline.events import Comment

from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from . import markdown, metadata, phrases

_EXCERPT_LIMIT = 300  # characters
# The id of a reply's block says which state of the comment it shows: the time of its last change, or that it
# was deleted.
_COMMENT_BLOCK = "comment:"
_DELETED_COMMENT_BLOCK = "comment:deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The text of the notification and, if it has a link, of the reply itself."""

    text: str
    linked: str = ""
    block_id: str = ""


def build(event: CardEvent, destination: Destination) -> Message | None:
    """Return the reply to the event, None if the event has none or the destination takes none."""
    write = REPLIES.get(event.name) if destination.replies else None
    line = write(event, destination) if write else None
    return _message(line, metadata.of_reply(event)) if line else None


def corrected(posted: Mapping[str, Any], event: CardEvent, *, in_burst: bool) -> Message | None:
    """Return what a posted reply has to say after the event, None if it stays as it is.

    It follows its comment: an edit changes it, and the deletion of the comment or of the issue leaves only
    that somebody deleted a comment. Its metadata stays, so that it still answers its own delivery.
    """
    content, comment = metadata.payload(posted, metadata.REPLY), event.received.comment
    comment_id = content.get("comment_id")
    shown = _block_id(posted)
    if content.get("issue") != event.key or comment_id is None or shown == _DELETED_COMMENT_BLOCK:
        return None
    if event.is_deletion or (event.is_comment_deletion and comment and comment.id == comment_id):
        line = Line(
            text=phrases.COMMENT_DELETED.format(actor=phrases.login(event.sender)),
            block_id=_DELETED_COMMENT_BLOCK,
        )
    elif event.is_correction and comment and comment.id == comment_id and not _is_older(comment, shown):
        line = _comment_line(event, comment, comment.author)
    else:
        return None
    message = _message(line, {"event_type": metadata.REPLY, "event_payload": content})
    return for_burst(message, event) if in_burst else message


def for_burst(reply: Message, event: CardEvent) -> Message:
    """Return the reply for the thread of a burst message, where it has to name its issue."""
    issue = phrases.this_issue(event)
    [block] = reply.blocks
    return Message(
        text=phrases.BURST_NOTICE.format(issue=issue, text=reply.text),
        blocks=({**block, **section(phrases.BURST_REPLY.format(issue=issue, text=block["text"]["text"]))},),
        metadata=reply.metadata,
    )


def _opened(_event: CardEvent, destination: Destination) -> Line | None:
    """Mention people whose card existed before the `opened` event: an update of a card notifies no one."""
    if not destination.mention:
        return None
    return Line(text=phrases.NEW_ISSUE_REPLY.format(mentions=phrases.mentions(destination.mention)))


def _closed(event: CardEvent, _destination: Destination) -> Line:
    closed = phrases.CLOSED_REPLY.format(
        actor=phrases.login(event.sender), reason=phrases.reason(event.issue)
    )
    return Line(text=phrases.join(closed, phrases.open_for(event.issue)))


def _reopened(event: CardEvent, _destination: Destination) -> Line:
    return Line(text=phrases.REOPENED_REPLY.format(actor=phrases.login(event.sender)))


def _transferred(event: CardEvent, _destination: Destination) -> Line:
    text = phrases.TRANSFERRED_REPLY.format(
        actor=phrases.login(event.sender), destination=phrases.moved_to(event)
    )
    return Line(text=text)


def _assigned(event: CardEvent, destination: Destination) -> Line:
    assignee = phrases.mention_or_login(event.received.assignee, destination.people)
    return Line(text=phrases.ASSIGNED_REPLY.format(actor=phrases.login(event.sender), assignee=assignee))


def _commented(event: CardEvent, _destination: Destination) -> Line:
    return _comment_line(event, event.received.comment, event.sender)


def _comment_line(event: CardEvent, comment: Comment | None, author: str | None) -> Line:
    url = phrases.issue_url(event)
    excerpt = escape_literal(markdown.comment_excerpt(comment.body), _EXCERPT_LIMIT) if comment else ""
    wording = phrases.COMMENT_EXCERPT if excerpt else phrases.COMMENT
    actor, verb = phrases.login(author), phrases.COMMENTED
    linked = link(f"{url}#issuecomment-{comment.id}", verb) if url and comment and comment.id else verb
    return Line(
        text=wording.format(actor=actor, commented=verb, excerpt=excerpt),
        linked=wording.format(actor=actor, commented=linked, excerpt=excerpt),
        block_id=_COMMENT_BLOCK + format_time(comment.updated_at) if comment and comment.updated_at else "",
    )


def _is_older(comment: Comment, block_id: str) -> bool:
    """Return whether a reply with this block shows a later state of the comment."""
    shown = parse_time(block_id.removeprefix(_COMMENT_BLOCK))
    return shown is not None and comment.updated_at is not None and comment.updated_at < shown


def _block_id(posted: Mapping[str, Any]) -> str:
    """Return the id of a reply's block. Blocks from Slack may have any shape."""
    match posted.get("blocks"):
        case [{"block_id": str(found)}, *_]:
            return found
        case _:
            return ""


def _message(line: Line, reply_metadata: Mapping[str, Any]) -> Message:
    block = section(line.linked or line.text, line.block_id)
    return Message(text=line.text, blocks=(block,), metadata=reply_metadata)


# The one table of replies: GitHub's event and action, and the function that writes the line.
REPLIES = {
    ("issues", "opened"): _opened,
    ("issues", "closed"): _closed,
    ("issues", "reopened"): _reopened,
    ("issues", "transferred"): _transferred,
    ("issues", "assigned"): _assigned,
    ("issue_comment", "created"): _commented,
}
