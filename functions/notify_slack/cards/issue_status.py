"""The status of an issue: open, closed, deleted or transferred, and by whom.

Only the close itself knows who closed the issue. The card keeps that line for later events, in a block whose
id names this one close, so that the line is read back from the card and never taken for another close's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from clients.slack.blocks import Block
from pipeline.delivery import format_time
from pipeline.events import Issue

from ..routing.eligibility import CardEvent
from . import metadata, phrases

OPEN, CLOSED, PUT_ASIDE = ":large_green_circle:", ":white_check_mark:", ":no_entry_sign:"
DELETED, TRANSFERRED = ":wastebasket:", ":rocket:"
_PUT_ASIDE_REASONS = {"not_planned", "duplicate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueStatus:
    """A mark, a headline, and a line about the end of the issue, which is empty while it is open.

    `block_id` names the block whose first text is `closing_line`, empty if later events do not need it.
    """

    mark: str
    headline: str
    closing_line: str = ""
    block_id: str = ""


def of(event: CardEvent, blocks: Sequence[Block] = ()) -> IssueStatus:
    """Return the status; `blocks` are those of the existing card, which may say who closed the issue."""
    if event.is_final:
        return _gone(event)
    if event.issue.state == "closed":
        return _closed(event, blocks)
    return IssueStatus(mark=OPEN, headline=phrases.NEW_ISSUE if event.is_new else phrases.OPEN_ISSUE)


def add_closer(blocks: Sequence[Block], event: CardEvent) -> tuple[Block, ...]:
    """Return the blocks of a newer card, with who closed the issue if they show this very close."""
    block_id = _block_id(event.issue) if event.is_close and event.issue.state == "closed" else ""
    return tuple(
        {
            **block,
            "elements": [{**block["elements"][0], "text": _closing_line(event)}, *block["elements"][1:]],
        }
        if _has_id(block, block_id)
        else block
        for block in blocks
    )


def _gone(event: CardEvent) -> IssueStatus:
    actor = phrases.login(event.sender)
    if event.name == ("issues", "deleted"):
        line = phrases.DELETED_BY.format(actor=actor)
        block_id = metadata.DELETED_BLOCK
        return IssueStatus(mark=DELETED, headline=phrases.DELETED, closing_line=line, block_id=block_id)
    line = phrases.TRANSFERRED_BY.format(destination=phrases.moved_to(event), actor=actor)
    return IssueStatus(mark=TRANSFERRED, headline=phrases.TRANSFERRED, closing_line=line)


def _closed(event: CardEvent, blocks: Sequence[Block]) -> IssueStatus:
    line = "" if event.is_close else _kept_line(event.issue, blocks)
    return IssueStatus(
        mark=PUT_ASIDE if event.issue.state_reason in _PUT_ASIDE_REASONS else CLOSED,
        headline=phrases.CLOSED.format(reason=phrases.reason(event.issue)),
        closing_line=line or _closing_line(event),
        block_id=_block_id(event.issue),
    )


def _closing_line(event: CardEvent) -> str:
    text = phrases.CLOSED_BY if event.is_close else phrases.CLOSED_LINE
    closed = text.format(reason=phrases.reason(event.issue), actor=phrases.login(event.sender))
    return phrases.join(closed, phrases.open_for(event.issue))


def _kept_line(issue: Issue, blocks: Sequence[Block]) -> str:
    """Return the card's line about this close, empty if there is none or the reason has changed since."""
    block_id, start = _block_id(issue), phrases.CLOSED_BY.format(reason=phrases.reason(issue), actor="")
    texts = [str(block["elements"][0]["text"]) for block in blocks if _has_id(block, block_id)]
    return next((text for text in texts if text.startswith(start)), "")


def _block_id(issue: Issue) -> str:
    return metadata.CLOSED_BLOCK + format_time(issue.closed_at) if issue.closed_at else ""


def _has_id(block: Block, block_id: str) -> bool:
    """Return whether the block has this id, and a text. Blocks from Slack may have any shape."""
    match block:
        case {"block_id": str(found), "elements": [{"text": str()}, *_]}:
            return found == block_id
        case _:
            return False
