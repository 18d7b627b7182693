"""Where in a channel's history the card of an issue is looked for, and what else is seen there."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.slack.client import Slack, TimeRange, to_ts
from clients.slack.deadline import remaining
from pipeline.errors import Unavailable
from pipeline.events import Issue, IssueEvent

from ..cards import burst_message as fold
from ..cards.burst_message import Fold
from ..cards.metadata import Found, card_of, is_reply, read_card

PAGES = 5  # in all: about 5,000 messages
_FIRST = timedelta(hours=1)  # as a rule the card is posted at once
_AGAIN = timedelta(minutes=10)  # no delivery takes longer from its look-up to its post
_SKEW = timedelta(minutes=10)  # between the clocks of GitHub, Slack and this machine
_LAGS = (0.25, 0.5, 1.0, 2.0)  # seconds between two readings of a history that lags
_RESERVE = 10.0  # seconds that a delivery needs for what comes after them
_EPOCH = datetime.fromtimestamp(0, UTC)  # nothing in Slack is older; from the year 1 no minute can be taken


type Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the history shows: the issue's cards, oldest first; all folds, newest first; and what is recent.

    `recent` are the issues whose cards were posted within the last minute.
    """

    cards: tuple[Found, ...]
    folds: tuple[Fold, ...]
    recent: frozenset[str]

    def fold_of(self, wanted: str) -> Fold | None:
        """Return the fold that holds the issue `wanted`."""
        return next((each for each in self.folds if wanted in each.issues), None)

    def open_fold(self, now: datetime) -> Fold | None:
        """Return the newest fold that takes more issues."""
        return next((each for each in self.folds if each.takes_more(now)), None)

    def new_issues(self, now: datetime, coming: Collection[str]) -> int:
        """Return how many issues have come into the channel within the last minute, or are `coming`."""
        return len(self.recent.union(coming)) + sum(each.lately(now) for each in self.folds)


def look(slack: Slack, channel: str, wanted: str, issue: Issue, now: datetime) -> Seen:
    """Look for the cards of the issue `wanted`, and for folds, which may be older than the issue.

    The hour after the issue was created comes first, and only without a card there what came since.
    """
    pages = PAGES
    seen: list[Mapping[str, Any]] = []
    for time_range in _time_ranges(issue, now):
        for page in slack.history(channel, time_range, pages) if pages else ():
            pages -= 1
            seen += page
        if any(read_card(message, wanted) for message in seen):
            break
    lately = (now - fold.MINUTE).timestamp()
    folds = [each for message in seen if (each := fold.read(message))]
    return Seen(
        cards=_cards(seen, wanted),
        folds=tuple(sorted(folds, key=lambda each: float(each.ts), reverse=True)),
        recent=frozenset(card_of(message) for message in seen if float(message["ts"]) > lately) - {""},
    )


def just_before(slack: Slack, channel: str, ts: str, sleep: Sleep) -> list[Mapping[str, Any]]:
    """Return what came just before the message posted at `ts`, once the history shows that one.

    A history may lag, and until then it may lack others, too. After some four seconds it is taken as it is.
    """
    end = datetime.fromtimestamp(float(ts), UTC)
    time_range = TimeRange(oldest=to_ts(end - _AGAIN), latest=to_ts(end + _SKEW))
    messages = _page(slack, channel, time_range)
    for pause in _LAGS:
        if any(message["ts"] == ts for message in messages) or remaining() < pause + _RESERVE:
            break
        sleep(pause)
        messages = _page(slack, channel, time_range)
    return [message for message in messages if float(message["ts"]) < float(ts)]


def oldest_card(messages: list[Mapping[str, Any]], wanted: str) -> Found | None:
    """Return the oldest card of the issue `wanted` among the messages, None when there is none."""
    return next(iter(_cards(messages, wanted)), None)


def oldest_fold(messages: list[Mapping[str, Any]], now: datetime) -> Fold | None:
    """Return the oldest fold among the messages that takes more issues, None when there is none."""
    found = (each for message in messages if (each := fold.read(message)) and each.takes_more(now))
    return min(found, key=lambda each: float(each.ts), default=None)


def message_at(slack: Slack, channel: str, ts: str) -> Mapping[str, Any]:
    """Return the message posted at `ts`, nothing in it when it was deleted; this reading knows no lag."""
    try:
        [page] = slack.replies(channel, ts, TimeRange(oldest=ts, latest=ts), 1)
    except Unavailable as error:
        if error.reason == "slack_thread_not_found":
            return {}
        raise
    return next((message for message in page if message.get("ts") == ts), {})


def has_reply(slack: Slack, channel: str, ts: str, event: IssueEvent, now: datetime) -> bool:
    """Tell whether the event's reply is in the thread; it cannot be older than the event.

    That it arrived is no bound: GitHub sends the same delivery again, and then it is received later.
    """
    start = max(min(event.event_at, event.received_at, now), _EPOCH) - _SKEW
    time_range = TimeRange(oldest=to_ts(start), latest=to_ts(now + _SKEW))
    pages = slack.replies(channel, ts, time_range, PAGES)
    return any(is_reply(message, event.delivery_id) for page in pages for message in page)


def _page(slack: Slack, channel: str, time_range: TimeRange) -> list[Mapping[str, Any]]:
    return [message for page in slack.history(channel, time_range, 1) for message in page]


def _time_ranges(issue: Issue, now: datetime) -> Iterator[TimeRange]:
    """Yield two spans; the first begins early enough for a fold that the issue may be in."""
    end = now + _SKEW
    created = max(min(issue.created_at or now - _FIRST, now), _EPOCH)
    middle = min(created + _FIRST, end)
    yield TimeRange(oldest=to_ts(created - fold.LIFE - _SKEW), latest=to_ts(middle))
    if middle < end:
        yield TimeRange(oldest=to_ts(middle), latest=to_ts(end))


def _cards(messages: list[Mapping[str, Any]], wanted: str) -> tuple[Found, ...]:
    found = (card for message in messages if (card := read_card(message, wanted)) is not None)
    return tuple(sorted(found, key=lambda card: float(card.ts)))
