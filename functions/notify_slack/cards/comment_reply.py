"""The reply about a comment, which follows the comment's edits and its deletion.

The id of the reply's block says which state it shows: the time of the comment's last change, or its deletion.
"""

from datetime import datetime

from clients.slack.blocks import Message
from clients.slack.metadata import payload
from clients.slack.mrkdwn import escape_literal, link
from pipeline.delivery import format_time, parse_time
from pipeline.events import Comment

from ..routing.eligibility import CardEvent
from . import markdown, metadata, phrases, reply_line
from .reply_line import Line, Posted, block_id

_EXCERPT_LIMIT = 300  # characters
_BLOCK = "comment:"
_DELETED_BLOCK = "comment:deleted"


def commented(event: CardEvent, comment: Comment | None, author: str | None) -> Line:
    """Return who wrote the comment, with a link to it, and how it begins."""
    url = phrases.issue_url(event)
    excerpt = escape_literal(markdown.comment_excerpt(comment.body), _EXCERPT_LIMIT) if comment else ""
    wording = phrases.COMMENT_EXCERPT if excerpt else phrases.COMMENT
    actor, verb = phrases.login(author), phrases.COMMENTED
    linked = link(f"{url}#issuecomment-{comment.id}", verb) if url and comment and comment.id else verb
    return Line(
        text=wording.format(actor=actor, commented=verb, excerpt=excerpt),
        linked=wording.format(actor=actor, commented=linked, excerpt=excerpt),
        block_id=_BLOCK + format_time(comment.updated_at) if comment and comment.updated_at else "",
    )


def corrected(posted: Posted, event: CardEvent, *, in_burst: bool) -> Message | None:
    """Return what a posted reply has to say after the event, None if it stays as it is.

    An edit changes it, and the deletion of the comment or of the issue leaves only that somebody deleted a
    comment. Its metadata stays, so that it still answers its own delivery.
    """
    content, shown = payload(posted, metadata.REPLY), block_id(posted)
    if content.get("issue") != event.key or "comment_id" not in content or shown == _DELETED_BLOCK:
        return None
    comment = event.received.comment
    is_about = comment is not None and comment.id == content["comment_id"]
    if event.is_deletion or (event.is_comment_deletion and is_about):
        text = phrases.COMMENT_DELETED.format(actor=phrases.login(event.sender))
        line = Line(text=text, block_id=_DELETED_BLOCK)
    elif comment and is_about and not _is_older(comment, shown):
        line = commented(event, comment, comment.author)
    else:
        return None
    message = reply_line.message(line, {"event_type": metadata.REPLY, "event_payload": content})
    return reply_line.for_burst(message, event) if in_burst else message


def shown_at(posted: Posted) -> datetime | None:
    """Return the time of the comment's last change that a reply shows, None if it is not about a comment."""
    return _moment(block_id(posted))


def _moment(shown: str) -> datetime | None:
    return parse_time(shown.removeprefix(_BLOCK)) if shown.startswith(_BLOCK) else None


def _is_older(comment: Comment, shown: str) -> bool:
    """Return whether a reply with this block shows a later state of the comment."""
    moment = _moment(shown)
    return moment is not None and comment.updated_at is not None and comment.updated_at < moment
