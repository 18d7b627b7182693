"""The reply in a card's thread: one line about an event that is worth reading.

A new reply is a function and its row in REPLIES; its wording is a constant in phrases.py.
"""

from collections.abc import Sequence
from dataclasses import replace

from clients.slack.blocks import Message

from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from . import comment_reply, metadata, phrases, reply_line, state_reply
from .reply_line import Line, Posted

_LABELED = ("issues", "labeled")


def build(event: CardEvent, destination: Destination, thread: Sequence[Posted] = ()) -> Message | None:
    """Return the reply to the event, None if it has none, the destination takes none, or the thread has it.

    `thread` are the messages of the threads that may have it. Of the destination's `mention`, the reply
    mentions those whom the thread has not mentioned yet.
    """
    replies = [posted for posted in thread if metadata.is_reply_about(posted, event)]
    if any(metadata.is_reply(posted, event.delivery_id) for posted in replies):
        return None
    heard = {user for posted in replies for user in metadata.read_mentioned(posted.get("blocks"))}
    unheard = tuple(user for user in destination.mention if user not in heard)
    write = REPLIES.get(event.name) if destination.replies else None
    line = write(event, replace(destination, mention=unheard), replies) if write else None
    return reply_line.message(line, metadata.of_reply(event)) if line else None


def tells_later(thread: Sequence[Posted], event: CardEvent) -> bool:
    """Return whether a reply shows the event's issue at a later moment, as far as its block says."""
    moments = (
        state_reply.shown_at(posted) or comment_reply.shown_at(posted)
        for posted in thread
        if metadata.is_reply_about(posted, event)
    )
    return any(moment > event.shown_at for moment in moments if moment)


def _calling(event: CardEvent, destination: Destination, _replies: Sequence[Posted]) -> Line | None:
    """Mention people whose card exists already: an update of a card notifies no one."""
    if not destination.mention:
        return None
    text = _why_calling(event).format(
        actor=phrases.login(event.sender),
        label=phrases.label(event.received.label),
        mentions=phrases.mentions(destination.mention),
    )
    return Line(text=text, mentioned=destination.mention)


def _why_calling(event: CardEvent) -> str:
    if event.is_opening:
        return phrases.ARRIVED_REPLY if event.is_arrival else phrases.NEW_ISSUE_REPLY
    return phrases.LABELED_REPLY if event.name == _LABELED else phrases.UNLABELED_REPLY


def _closed(event: CardEvent, _destination: Destination, replies: Sequence[Posted]) -> Line | None:
    return state_reply.closed(event, replies)


def _reopened(event: CardEvent, _destination: Destination, replies: Sequence[Posted]) -> Line | None:
    return state_reply.reopened(event, replies)


def _transferred(event: CardEvent, _destination: Destination, _replies: Sequence[Posted]) -> Line:
    text = phrases.TRANSFERRED_REPLY.format(
        actor=phrases.login(event.sender), destination=phrases.moved_to(event)
    )
    return Line(text=text)


def _assigned(event: CardEvent, destination: Destination, _replies: Sequence[Posted]) -> Line:
    """Return who assigned whom; GitHub may leave out whom, and then the only assignee must be it."""
    assignees = event.issue.assignees
    login = event.received.assignee or (assignees[0] if len(assignees) == 1 else "")
    actor = phrases.login(event.sender)
    if not login:
        return Line(text=phrases.ASSIGNED_SOMEBODY_REPLY.format(actor=actor))
    if login.lower() == (event.sender or "").lower():
        return Line(text=phrases.TOOK_REPLY.format(actor=actor))
    assignee = phrases.mention_or_login(login, destination.people)
    return Line(text=phrases.ASSIGNED_REPLY.format(actor=actor, assignee=assignee))


def _commented(event: CardEvent, _destination: Destination, _replies: Sequence[Posted]) -> Line:
    return comment_reply.commented(event, event.received.comment, event.sender)


# The one table of replies: GitHub's event and action, and the function that writes the line.
REPLIES = {
    ("issues", "opened"): _calling,
    _LABELED: _calling,
    ("issues", "unlabeled"): _calling,
    ("issues", "closed"): _closed,
    ("issues", "reopened"): _reopened,
    ("issues", "transferred"): _transferred,
    ("issues", "assigned"): _assigned,
    ("issue_comment", "created"): _commented,
}
