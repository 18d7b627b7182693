"""What became of an event in one channel."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The value of the log field `outcome`."""

    POSTED = "posted"
    UPDATED = "updated"
    RECORDED = "recorded"
    ALREADY_HANDLED = "already_handled"
    FOLDED = "folded"
    ALREADY_FOLDED = "already_folded"
    NO_CARD = "no_card"
    NOT_SHOWN = "not_shown"

    @property
    def sentence(self) -> str:
        """Return the log message."""
        return _SENTENCES[self]


_SENTENCES = {
    Outcome.POSTED: "The message was posted.",
    Outcome.UPDATED: "The card was updated.",
    Outcome.RECORDED: "The card shows a later state already; only its metadata was updated.",
    Outcome.ALREADY_HANDLED: "The event was handled before.",
    Outcome.FOLDED: "The issue was added to a burst message.",
    Outcome.ALREADY_FOLDED: "The issue is in a burst message already.",
    Outcome.NO_CARD: "The issue has left the route, and there is no card to update.",
    Outcome.NOT_SHOWN: "The event is not shown.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertResult:
    """The outcome, the timestamp of the card or burst message, and whether a reply was posted."""

    outcome: Outcome
    ts: str = ""
    replied: bool = False
