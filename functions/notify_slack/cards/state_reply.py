"""Replies about a close and a reopening: each is told once, however many deliveries it has.

A pull request and its commit may both close an issue, and GitHub then sends two deliveries with two ids. The
id of a reply's block names what it tells, so that the second one is recognised.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.delivery import format_time, parse_time

from ..routing.eligibility import CardEvent
from . import phrases
from .reply_line import Line, Posted, block_id

_CLOSED, _REOPENED = "closed", "reopened"
_TWICE = timedelta(seconds=2)  # two closes so close together are one


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A close, with its reason, or a reopening."""

    kind: str
    at: datetime
    reason: str = ""

    @property
    def block_id(self) -> str:
        """Return the id of the reply's block."""
        return ";".join((self.kind, format_time(self.at), self.reason))

    def is_told_by(self, other: "State") -> bool:
        """Return whether the other reply tells the same close or reopening."""
        return replace(other, at=self.at) == self and abs(other.at - self.at) <= _TWICE


def closed(event: CardEvent, replies: Sequence[Posted]) -> Line | None:
    """Return who closed the issue, or changed the reason of the close; None if `replies` tell it already."""
    actor, reason = phrases.login(event.sender), phrases.reason(event.issue)
    state = State(kind=_CLOSED, at=event.issue.closed_at or event.shown_at, reason=reason.strip())
    told = _told(replies)
    if any(map(state.is_told_by, told)):
        return None
    before = max((each for each in told if each.at <= state.at), key=lambda each: each.at, default=None)
    if reason and before and before.kind == _CLOSED and before.reason != state.reason:
        text = phrases.CHANGED_REASON_REPLY.format(actor=actor, reason=reason)
    else:
        text = phrases.join(
            phrases.CLOSED_REPLY.format(actor=actor, reason=reason), phrases.open_for(event.issue)
        )
    return Line(text=text, block_id=state.block_id)


def reopened(event: CardEvent, replies: Sequence[Posted]) -> Line | None:
    """Return who reopened the issue; None if `replies` tell it already."""
    state = State(kind=_REOPENED, at=event.shown_at)
    if any(map(state.is_told_by, _told(replies))):
        return None
    text = phrases.REOPENED_REPLY.format(actor=phrases.login(event.sender))
    return Line(text=text, block_id=state.block_id)


def _told(replies: Sequence[Posted]) -> list[State]:
    return [state for posted in replies if (state := _read(block_id(posted)))]


def _read(text: str) -> State | None:
    kind, _, rest = text.partition(";")
    moment, _, reason = rest.partition(";")
    at = parse_time(moment)
    return State(kind=kind, at=at, reason=reason) if kind in {_CLOSED, _REOPENED} and at else None
