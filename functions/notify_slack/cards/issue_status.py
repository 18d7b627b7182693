"""How an issue stands, and what became of it.

Who closed an issue is known to the event of the close alone. The card keeps it for the events that follow: in
a block that is named after the close, so that it is read back when the card is found, and no other close's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from clients.slack.blocks import Block
from pipeline.delivery import format_time
from pipeline.events import Issue, IssueEvent

from . import metadata as index
from . import phrases as words

_UNDONE = {"not_planned", "duplicate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A mark, a headline, and what ended the issue: nothing while it is open.

    `block_id` names the block whose first text `end` is; empty when nothing is to be kept.
    """

    mark: str
    headline: str
    end: str = ""
    block_id: str = ""


def of(event: IssueEvent, issue: Issue, blocks: Sequence[Block] = ()) -> State:
    """Return the state; `blocks` are those of the card as it was, which may know who closed the issue."""
    by = f" by {words.person(event.sender)}"
    if index.is_final(event) and event.action == "deleted":
        return State(mark=":wastebasket:", headline="Deleted", end=f"deleted{by}")
    if index.is_final(event):
        where = words.destination(event)
        return State(mark=":rocket:", headline="Transferred", end=f"transferred{where}{by}")
    if issue.state == "closed":
        closed = f"closed{words.reason(issue)}"
        return State(
            # What was put aside does not look like what is done.
            mark=":no_entry_sign:" if issue.state_reason in _UNDONE else ":white_check_mark:",
            headline=closed.capitalize(),
            end=_end(event, issue) if _is_close(event) else _kept(issue, blocks) or _end(event, issue),
            block_id=_block_id(issue),
        )
    return State(mark=":large_green_circle:", headline="New issue" if words.is_new(event) else "Open issue")


def closed_late(blocks: Sequence[Block], event: IssueEvent, issue: Issue) -> tuple[Block, ...]:
    """Return a newer card's blocks; where they show the very close that the event is, it says who it was."""
    block_id = _block_id(issue) if _is_close(event) and issue.state == "closed" else ""
    return tuple(_told(block, _end(event, issue)) if _names(block, block_id) else block for block in blocks)


def _is_close(event: IssueEvent) -> bool:
    return event.event == "issues" and event.action == "closed"


def _end(event: IssueEvent, issue: Issue) -> str:
    by = f" by {words.person(event.sender)}" if _is_close(event) else ""
    return " · ".join(filter(None, (f"closed{words.reason(issue)}{by}", words.age(issue))))


def _kept(issue: Issue, blocks: Sequence[Block]) -> str:
    """Return what the card says of this close, unless its reason has been changed since."""
    block_id, begin = _block_id(issue), f"closed{words.reason(issue)} by "
    texts = [str(block["elements"][0]["text"]) for block in blocks if _names(block, block_id)]
    return next((text for text in texts if text.startswith(begin)), "")


def _block_id(issue: Issue) -> str:
    return index.CLOSED + format_time(issue.closed_at) if issue.closed_at else ""


def _names(block: Block, block_id: str) -> bool:
    """Tell whether the block is the one of this name, and has a text: it comes from Slack."""
    match block:
        case {"block_id": str(found), "elements": [{"text": str()}, *_]}:
            return found == block_id
        case _:
            return False


def _told(block: Block, text: str) -> Block:
    first, *others = block["elements"]
    return {**block, "elements": [{**first, "text": text}, *others]}
