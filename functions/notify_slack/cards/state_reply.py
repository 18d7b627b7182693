"""Replies about a close and a reopening: each is told once, however many deliveries it has.

A pull request and its commit may both close an issue, and GitHub then sends two deliveries with two ids. The
id of a reply's block names what it tells, so that the second one is recognised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.delivery import format_time, parse_time

from ..routing.eligibility import CardEvent
from . import phrases
from .reply_line import Line, Posted, block_id

_CLOSED, _REOPENED = "closed", "reopened"
_TWICE = timedelta(seconds=2)  # two closes so close together are one


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A close, with its reason, or a reopening; `shown_at` is the moment of the issue that it shows."""

    kind: str
    at: datetime
    reason: str = ""
    shown_at: datetime

    @property
    def block_id(self) -> str:
        """Return the id of the reply's block."""
        return ";".join((self.kind, format_time(self.at), self.reason, format_time(self.shown_at)))

    def is_same(self, other: "State") -> bool:
        """Return whether the other one is the same close, of the same reason, or the same reopening."""
        alike = (self.kind, self.reason) == (other.kind, other.reason)
        return alike and abs(other.at - self.at) <= _TWICE

    def is_told(self, told: Sequence["State"]) -> bool:
        """Return whether a reply tells it: the last one before it, or one about the same moment.

        A reason that was changed and changed back is told again.
        """
        before = self.before(told)
        return (before is not None and self.is_same(before)) or any(
            self.is_same(other) and abs(other.shown_at - self.shown_at) <= _TWICE for other in told
        )

    def before(self, told: Sequence["State"]) -> "State | None":
        """Return the last state before this one that a reply tells."""
        earlier = [other for other in told if other.shown_at <= self.shown_at]
        return max(earlier, key=lambda other: other.shown_at, default=None)


def closed(event: CardEvent, replies: Sequence[Posted]) -> Line | None:
    """Return who closed the issue, or changed the reason of the close; None if `replies` tell it already."""
    actor, reason = phrases.login(event.sender), phrases.reason(event.issue)
    state = State(
        kind=_CLOSED,
        at=event.issue.closed_at or event.shown_at,
        reason=(reason or phrases.REASONS["completed"]).strip(),  # which GitHub may leave out
        shown_at=event.shown_at,
    )
    told = _told(replies)
    if state.is_told(told):
        return None
    before = state.before(told)
    if reason and before and before.kind == _CLOSED and before.reason != state.reason:
        text = phrases.CHANGED_REASON_REPLY.format(actor=actor, reason=reason)
    else:
        text = phrases.join(
            phrases.CLOSED_REPLY.format(actor=actor, reason=reason), phrases.open_for(event.issue)
        )
    return Line(text=text, block_id=state.block_id)


def reopened(event: CardEvent, replies: Sequence[Posted]) -> Line | None:
    """Return who reopened the issue; None if `replies` tell it already."""
    state = State(kind=_REOPENED, at=event.shown_at, shown_at=event.shown_at)
    if state.is_told(_told(replies)):
        return None
    text = phrases.REOPENED_REPLY.format(actor=phrases.login(event.sender))
    return Line(text=text, block_id=state.block_id)


def shown_at(posted: Posted) -> datetime | None:
    """Return which moment of the issue a reply shows, None if it is not about a close or a reopening."""
    state = _read(block_id(posted))
    return state.shown_at if state else None


def _told(replies: Sequence[Posted]) -> list[State]:
    return [state for posted in replies if (state := _read(block_id(posted)))]


def _read(text: str) -> State | None:
    kind, moment, reason, shown, *_ = (*text.split(";"), "", "", "")
    at = parse_time(moment)
    if kind not in {_CLOSED, _REOPENED} or at is None:
        return None
    return State(kind=kind, at=at, reason=reason, shown_at=parse_time(shown) or at)
