"""The card of an issue: always its current state, never one event.

Limits: https://docs.slack.dev/reference/block-kit/blocks. All of a card stays far below them.
"""

from clients.slack.blocks import Block, Message, context, section

from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from . import issue_status, lateness, layouts, metadata, phrases
from .issue_status import IssueStatus
from .metadata import PostedCard

_ORIGIN_BLOCK = "origin"  # the id of the block that says where a transferred issue has come from
_LINES = {("issues", "opened"), ("issues", "closed"), ("issues", "reopened")}


def build(event: CardEvent, destination: Destination, before: PostedCard | None = None) -> Message:
    """Return the card, which mentions the destination's `mention`; `before` is what it replaces."""
    status = issue_status.of(event, before.blocks if before else ())
    content = (*layouts.LAYOUTS[destination.format](event, status, destination), *_origin(event, before))
    mentioned = (*(before.mentioned if before else ()), *destination.mention)
    content = lateness.shown(content, before.late if before else lateness.of(event))
    blocks = metadata.with_mentioned(content, mentioned)
    return Message(text=_notice(event, status), blocks=blocks, metadata=metadata.of_card(event, before))


def record(event: CardEvent, card: PostedCard) -> Message:
    """Return the card with the event in its metadata, for a card that shows this or a later state already.

    Its content stays, except that a late close adds who closed the issue, and a late arrival its origin.
    """
    content = issue_status.add_closer(card.blocks, event)
    if event.is_arrival and not card.shows_deleted and not _kept_origin(card):
        content = (*content, *_origin(event, None))
    blocks = metadata.with_mentioned(lateness.shown(content, card.late), card.mentioned)
    return Message(text=card.text, blocks=blocks, metadata=metadata.of_card(event, card))


def has_line(event: CardEvent, destination: Destination) -> bool:
    """Return whether an incoming webhook, which cannot update a card, posts a line about the event."""
    return event.name in _LINES and (destination.makes_card if event.is_opening else destination.replies)


def line(event: CardEvent) -> Message:
    """Return the card in one line, for an incoming webhook; it mentions no one."""
    status = issue_status.of(event)
    reopened = phrases.REOPENED_BY.format(actor=phrases.login(event.sender))
    end = reopened if event.name == ("issues", "reopened") else status.closing_line
    blocks = (section(phrases.join(layouts.issue_line(event, status), end)),)
    return Message(text=_notice(event, status), blocks=blocks, metadata=metadata.of_card(event))


def _origin(event: CardEvent, before: PostedCard | None) -> tuple[Block, ...]:
    """Return the block about the issue's origin, which only its arrival knows, so the card keeps it."""
    if event.is_deletion:
        return ()
    if event.is_arrival:
        return (context(phrases.moved_from(event), block_id=_ORIGIN_BLOCK),)
    return _kept_origin(before) if before else ()


def _kept_origin(card: PostedCard) -> tuple[Block, ...]:
    return tuple(block for block in card.blocks if block.get("block_id") == _ORIGIN_BLOCK)


def _notice(event: CardEvent, status: IssueStatus) -> str:
    issue, title = phrases.this_issue(event), phrases.title(event)
    return phrases.NOTICE.format(headline=status.headline, issue=issue, title=title).rstrip()
