"""How late the delivery was that posted a card; the card keeps this for as long as it exists.

The message says when the event happened and when ingest received it. It does not say whether GitHub was slow
or delivered again after a failure: both are late. Only what reconcile publishes is known to be recovered.
"""

from collections.abc import Sequence
from datetime import timedelta

from clients.slack.blocks import Block, context

from ..routing.eligibility import CardEvent
from . import phrases

LATE_AFTER = timedelta(minutes=10)
# GitHub keeps a delivery for three days, GitHub Enterprise Server for seven: a longer delay is a wrong time.
_PLAUSIBLE = timedelta(days=30)
_BLOCK = "late"
# GitHub dates these by a time of the issue or of its comment. Pinning, for one, leaves updated_at as it was.
_DATED = {
    "issues.opened",
    "issues.edited",
    "issues.closed",
    "issues.reopened",
    "issues.labeled",
    "issues.unlabeled",
    "issues.assigned",
    "issues.unassigned",
    "issues.milestoned",
    "issues.demilestoned",
    "issue_comment.created",
    "issue_comment.edited",
}


def of(event: CardEvent) -> str:
    """Return how late the event was received, empty up to ten minutes or if no plausible time says so."""
    received = event.received
    if event.is_arrival or ".".join(event.name) not in _DATED:
        return ""
    is_recovered, happened_at = received.source == "reconcile", received.event_at
    if not is_recovered and event.issue.updated_at:
        # A changed reason is a second `closed` with the old closed_at.
        happened_at = max(happened_at, event.issue.updated_at)
    delay = received.received_at - happened_at
    if not LATE_AFTER < delay < _PLAUSIBLE:
        return ""
    return phrases.late(delay, is_recovered=is_recovered)


def may_be_outdated(event: CardEvent) -> bool:
    """Return whether the event was received late. What reconcile publishes shows the issue as it is."""
    return bool(of(event)) and event.received.source != "reconcile"


def read(blocks: object) -> str:
    """Return what a posted card says about its delivery. Blocks from Slack may have any shape."""
    for block in blocks if isinstance(blocks, Sequence) else ():
        match block:
            case {"block_id": str(found), "elements": [{"text": str(text)}, *_]} if found == _BLOCK:
                return text
    return ""


def shown(blocks: Sequence[Block], text: str) -> tuple[Block, ...]:
    """Return the blocks of a card with this text as their only one about its delivery."""
    others = tuple(block for block in blocks if block.get("block_id") != _BLOCK)
    return (*others, context(text, block_id=_BLOCK)) if text else others
