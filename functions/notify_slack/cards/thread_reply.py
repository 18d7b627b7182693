"""The reply in a card's thread: one line about an event that is worth reading.

A new reply is a function and its row in REPLIES; its wording is a constant in phrases.py.
"""

from dataclasses import dataclass

from clients.slack.blocks import Message, section
from clients.slack.mrkdwn import escape_literal, link

from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from . import markdown, metadata, phrases

_EXCERPT_LIMIT = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The text of the notification and, if it has a link, of the reply itself."""

    text: str
    linked: str = ""


def build(event: CardEvent, destination: Destination) -> Message | None:
    """Return the reply to the event, None if the event has none or the destination takes none."""
    write = REPLIES.get(event.name) if destination.replies else None
    line = write(event, destination) if write else None
    if line is None:
        return None
    return Message(
        text=line.text, blocks=(section(line.linked or line.text),), metadata=metadata.of_reply(event)
    )


def for_burst(reply: Message, event: CardEvent) -> Message:
    """Return the reply for the thread of a burst message, where it has to name its issue."""
    issue = phrases.this_issue(event)
    [block] = reply.blocks
    return Message(
        text=phrases.BURST_NOTICE.format(issue=issue, text=reply.text),
        blocks=(section(phrases.BURST_REPLY.format(issue=issue, text=block["text"]["text"])),),
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
    comment, url = event.received.comment, phrases.issue_url(event)
    excerpt = escape_literal(markdown.comment_excerpt(comment.body), _EXCERPT_LIMIT) if comment else ""
    wording = phrases.COMMENT_EXCERPT if excerpt else phrases.COMMENT
    actor, verb = phrases.login(event.sender), phrases.COMMENTED
    linked = link(f"{url}#issuecomment-{comment.id}", verb) if url and comment and comment.id else verb
    return Line(
        text=wording.format(actor=actor, commented=verb, excerpt=excerpt),
        linked=wording.format(actor=actor, commented=linked, excerpt=excerpt),
    )


# The one table of replies: GitHub's event and action, and the function that writes the line.
REPLIES = {
    ("issues", "opened"): _opened,
    ("issues", "closed"): _closed,
    ("issues", "reopened"): _reopened,
    ("issues", "transferred"): _transferred,
    ("issues", "assigned"): _assigned,
    ("issue_comment", "created"): _commented,
}
