"""Where a channel's history is searched for the card of an issue, and what else it shows."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.slack.client import Slack, TimeRange, to_ts
from clients.slack.history import CLOCK_SKEW
from clients.slack.metadata import card_key

from ..cards import burst_message
from ..cards.burst_message import BURST_SPAN, BurstMessage
from ..cards.metadata import PostedCard, read_card
from ..routing.eligibility import CardEvent

MAX_PAGES = 5  # in all: about 5,000 messages
_FIRST_HOUR = timedelta(hours=1)  # the card is usually posted at once
_EPOCH = datetime.fromtimestamp(0, UTC)  # nothing in Slack is older; datetime.min minus an hour overflows

type SlackMessage = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSnapshot:
    """What the history shows: the issue's cards, oldest first, and all burst messages, newest first.

    `recent_issues` are the keys of the issues whose cards were posted within the last minute.
    """

    cards: tuple[PostedCard, ...]
    bursts: tuple[BurstMessage, ...]
    recent_issues: frozenset[str]

    def bursts_with(self, key: str) -> tuple[BurstMessage, ...]:
        """Return the burst messages that have the issue: one, unless two instances have added it at once."""
        return tuple(burst for burst in self.bursts if key in burst.issues)

    def recent_count(self, now: datetime, pending: Collection[str]) -> int:
        """Return how many issues came into the channel within the last minute or are about to be posted."""
        return len(self.recent_issues.union(pending)) + sum(burst.recent_count(now) for burst in self.bursts)


def scan(slack: Slack, channel: str, event: CardEvent, now: datetime) -> ChannelSnapshot:
    """Look for the cards of the event's issue, and for burst messages, which may be older than the issue.

    The hour after the issue was created comes first; the time since then only if that hour has no card.
    """
    pages = MAX_PAGES
    messages: list[SlackMessage] = []
    for time_range in _time_ranges(event, now):
        for page in slack.history(channel, time_range, pages) if pages else ():
            pages -= 1
            messages += page
        if any(read_card(message, event.key) for message in messages):
            break
    recent = (now - BURST_SPAN).timestamp()
    keys = {card_key(message) for message in messages if float(message["ts"]) > recent}
    return ChannelSnapshot(
        cards=_cards(messages, event.key),
        bursts=_bursts(messages),
        recent_issues=frozenset(keys - {""}),
    )


def oldest_card(messages: list[SlackMessage], key: str) -> PostedCard | None:
    """Return the oldest card of the issue with this key among the messages, None if there is none."""
    return next(iter(_cards(messages, key)), None)


def thread(slack: Slack, channel: str, ts: str, start: datetime, now: datetime) -> Iterator[SlackMessage]:
    """Yield the messages of a thread since `start`, oldest first; the parent is one of them."""
    oldest = max(start, _EPOCH) - CLOCK_SKEW
    time_range = TimeRange(oldest=to_ts(oldest), latest=to_ts(now + CLOCK_SKEW))
    for page in slack.replies(channel, ts, time_range, MAX_PAGES):
        yield from page


def _time_ranges(event: CardEvent, now: datetime) -> Iterator[TimeRange]:
    """Yield two ranges; the first starts early enough for a burst message that the issue may be in."""
    end = now + CLOCK_SKEW
    created = max(min(event.issue.created_at or now - _FIRST_HOUR, now), _EPOCH)
    middle = min(created + _FIRST_HOUR, end)
    yield TimeRange(oldest=to_ts(created - burst_message.OPEN_FOR - CLOCK_SKEW), latest=to_ts(middle))
    if middle < end:
        yield TimeRange(oldest=to_ts(middle), latest=to_ts(end))


def _bursts(messages: list[SlackMessage]) -> tuple[BurstMessage, ...]:
    bursts = (burst for message in messages if (burst := burst_message.read(message)))
    return tuple(sorted(bursts, key=lambda burst: float(burst.ts), reverse=True))


def _cards(messages: list[SlackMessage], key: str) -> tuple[PostedCard, ...]:
    cards = (card for message in messages if (card := read_card(message, key)) is not None)
    return tuple(sorted(cards, key=lambda card: float(card.ts)))
