"""Shows on the card of an issue past its target how long it has waited, in every channel that has one.

notify_slack owns the cards. The mark is an attachment, which can be set without touching anything else of a
message, and every update of notify_slack removes it. Two things can still go wrong, and both are undone: an
event that comes between the look at a card and its mark leaves a mark on a card that shows the event, and an
event that no route of the channel hears of leaves the mark of an earlier day.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from clients.slack.blocks import Attachment, Message, attachment
from clients.slack.client import PAGE, Slack, TimeRange, to_ts
from clients.slack.errors import SHORTER_MAY_PASS, SlackRefused
from clients.slack.history import CLOCK_SKEW, message_at
from clients.slack.metadata import CARD, card_key, payload
from pipeline.delivery import parse_time
from pipeline.errors import Unavailable

COLOR = "#b34700"
NOT_KEPT = (
    "Slack has not kept the content of a card that got a mark; it is written again, and no other is marked."
)
MAX_PAGES = 5  # of a channel's history, as notify_slack reads: about 5,000 messages
MAX_HOURS = 20  # so many first hours are read if those pages do not reach back far enough
SETTLED = timedelta(minutes=15)  # BigQuery may not have an event yet that the card shows
_FIRST_HOUR = timedelta(hours=1)  # after its issue was opened a card is usually posted at once
_LOOK_BACK = timedelta(days=28)  # marks of earlier days are looked for so far back
_OF_ONE_CARD = {"cant_update_message", "edit_window_closed"}  # of another app's, of an old one
_AT_ONCE = 20  # Slack allows about 50 calls of a method a minute, and short bursts
_PAUSE = 1.25  # seconds before each read after those

type Card = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the card of an issue is to show today."""

    text: str
    day: date

    @property
    def attachment(self) -> Attachment:
        """Return the mark as Slack takes it; its fallback tells the day."""
        return attachment(f":hourglass_flowing_sand: {self.text}", COLOR, f"{self.text}, {self.day}")

    def is_on(self, card: Card) -> bool:
        """Return whether the card has the mark of this day, whatever hour it was made."""
        return any(str(each.get("fallback", "")).endswith(f", {self.day}") for each in _attachments(card))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An issue past its target; `mark` returns None if it is not past it any more."""

    opened_at: datetime
    mark: Callable[[], Mark | None]


@dataclass(slots=True, kw_only=True)
class Marks:
    """Marks the cards of a run; `overdue` has its issues by their key, REPOSITORY_ID#NUMBER."""

    slack: Slack
    overdue: Mapping[str, Overdue]
    now: datetime
    sleep: Callable[[float], None] = time.sleep
    _changed: int = field(default=0, init=False)
    _reads: int = field(default=0, init=False)
    _not_kept: Unavailable | None = field(default=None, init=False)

    def update(self, channel: str) -> int:
        """Mark the channel's cards, remove the marks of earlier days, and return how many cards changed.

        Raises Unavailable; a repetition then does what is missing, and changes nothing else. A card that may
        not be changed stops no other: its error is raised at the end.
        """
        if self._not_kept:  # it would be the same in every channel
            raise self._not_kept
        before, refusal = self._changed, None
        for key, card in self._cards(channel).items():
            try:
                self._update(channel, key, card)
            except SlackRefused as error:
                if error.code not in _OF_ONE_CARD:
                    raise
                refusal = error
        if refusal:
            raise refusal
        return self._changed - before

    def _update(self, channel: str, key: str, found: Card) -> None:
        overdue = self.overdue.get(key)
        if overdue is None and not _attachments(found):
            return
        mark = overdue.mark() if overdue else None
        if mark.is_on(found) if mark else not _attachments(found):
            return
        card = self._look(channel, found)
        if card_key(card) != key or self._is_fresh(card):
            return
        self._changed += 1
        try:
            if mark is None:
                self._remove(channel, card)
            elif not mark.is_on(card):
                self._mark(channel, card, mark)
        except SlackRefused as error:
            if error.code != "message_not_found":  # removed since the look at it
                raise

    def _mark(self, channel: str, card: Card, mark: Mark) -> None:
        """Set the mark; take it off again if an event has come since the look at the card."""
        self.slack.attach(channel, str(card["ts"]), mark.attachment)
        after = self._look(channel, card)
        if not after:
            return
        is_kept = card_key(after) == card_key(card)
        if is_kept and after["metadata"] != card["metadata"]:
            self._remove(channel, after)
        elif not is_kept or after.get("blocks") != card.get("blocks"):
            self._write(channel, card)
            self._not_kept = Unavailable("card_not_kept", NOT_KEPT)
            raise self._not_kept

    def _remove(self, channel: str, card: Card) -> None:
        """Take off the mark alone, or, if Slack does not take that, write the card without it."""
        if not _attachments(card):
            return
        try:
            self.slack.attach(channel, str(card["ts"]))
        except SlackRefused as error:
            if error.code not in SHORTER_MAY_PASS:
                raise
            latest = self._look(channel, card)
            if _attachments(latest):
                self._write(channel, latest)

    def _write(self, channel: str, card: Card) -> None:
        """Write the card as it was just read, without its mark."""
        blocks, metadata = tuple(card.get("blocks") or ()), card["metadata"]
        message = Message(text=str(card.get("text", "")), blocks=blocks, metadata=metadata)
        self.slack.update(channel, str(card["ts"]), message)

    def _is_fresh(self, card: Card) -> bool:
        """Return whether the card shows an event that BigQuery may not have yet."""
        shown_at = parse_time(payload(card, CARD).get("updated_at"))
        return shown_at is not None and shown_at > self.now - SETTLED

    def _look(self, channel: str, card: Card) -> Card:
        """Return the card as it is now, empty if it was deleted."""
        self._pace()
        return message_at(self.slack, channel, str(card["ts"]))

    def _pace(self) -> None:
        self._reads += 1
        if self._reads > _AT_ONCE:
            self.sleep(_PAUSE)

    def _cards(self, channel: str) -> dict[str, Card]:
        """Return the channel's cards by their issue's key: of two the oldest, which notify_slack keeps.

        If the history is too long, the first hour of each issue is looked at, as notify_slack does.
        """
        opened = {key: overdue.opened_at for key, overdue in self.overdue.items()}
        start, end = min([self.now - _LOOK_BACK, *opened.values()]), self.now + CLOCK_SKEW
        messages = self._read(channel, start, end, MAX_PAGES)
        cards = _by_key(messages)
        if len(messages) >= MAX_PAGES * PAGE:
            missing = sorted(opened.keys() - cards.keys(), key=lambda key: opened[key], reverse=True)
            for key in missing[:MAX_HOURS]:
                hour = self._read(channel, opened[key], opened[key] + _FIRST_HOUR + CLOCK_SKEW, 1)
                cards |= {each: card for each, card in _by_key(hour).items() if each == key}
        return cards

    def _read(self, channel: str, start: datetime, end: datetime, pages: int) -> list[Card]:
        time_range = TimeRange(oldest=to_ts(start - CLOCK_SKEW), latest=to_ts(end))
        messages: list[Card] = []
        self._pace()
        for page in self.slack.history(channel, time_range, pages):
            messages += page
            self._pace()
        return messages


def _by_key(newest_first: Iterable[Card]) -> dict[str, Card]:
    cards = {card_key(message): message for message in newest_first}
    cards.pop("", None)
    return cards


def _attachments(card: Card) -> list[Mapping[str, Any]]:
    found = card.get("attachments")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
