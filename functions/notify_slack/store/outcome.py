"""What became of an event in one channel."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Outcome(StrEnum):
    """The value of the log field `outcome`, and the log message."""

    sentence: str

    POSTED = "posted", "The message was posted."
    UPDATED = "updated", "The card was updated."
    RECORDED = "recorded", "The card shows a later state already; only its metadata was updated."
    ALREADY_HANDLED = "already_handled", "The event was handled before."
    FOLDED = "folded", "The issue was added to a burst message."
    ALREADY_FOLDED = "already_folded", "The issue is in a burst message already."
    NO_CARD = "no_card", "There is no card to update, and the event makes none."
    NOT_SHOWN = "not_shown", "The event is not shown."

    def __new__(cls, value: str, sentence: str) -> Self:
        """Create the member `value`."""
        outcome = str.__new__(cls, value)
        outcome._value_ = value
        outcome.sentence = sentence
        return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertResult:
    """The outcome, the timestamp of the card or burst message, and whether a reply was posted."""

    outcome: Outcome
    ts: str = ""
    replied: bool = False
