"""Where in a channel's history the card of an issue is looked for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pipeline.events import Issue, IssueEvent

from .index import Found, is_reply, read_card
from .slack import Slack, Window, stamp

PAGES = 5  # in all: about 5,000 messages
_FIRST = timedelta(hours=1)  # as a rule the card is posted at once
_AGAIN = timedelta(minutes=10)  # no delivery takes longer from its look-up to its post
_SKEW = timedelta(minutes=1)  # between the clocks of GitHub, Slack and this machine


def cards(slack: Slack, channel: str, wanted: str, issue: Issue, now: datetime) -> tuple[Found, ...]:
    """Return the cards of the issue `wanted`, oldest first.

    The hour after the issue was created comes first, and only without a card there what came since.
    """
    pages = PAGES
    for window in _windows(issue, now):
        found: list[Found] = []
        for page in slack.history(channel, window, pages) if pages else ():
            pages -= 1
            found += _cards(page, wanted)
        if found:
            return tuple(sorted(found, key=_age))
    return ()


def older(slack: Slack, channel: str, wanted: str, ts: str) -> Found | None:
    """Return the oldest card that came just before the one posted at `ts`, None when there is none."""
    end = datetime.fromtimestamp(float(ts), UTC)
    window = Window(oldest=stamp(end - _AGAIN), latest=ts)
    found = [card for page in slack.history(channel, window, 1) for card in _cards(page, wanted)]
    return min((card for card in found if card.ts != ts), key=_age, default=None)


def has_reply(slack: Slack, channel: str, ts: str, event: IssueEvent, now: datetime) -> bool:
    """Tell whether the event's reply is in the thread; it cannot be older than the event.

    That it arrived is no bound: GitHub sends the same delivery again, and then it is received later.
    """
    start = min(event.event_at, event.received_at, now) - _SKEW
    window = Window(oldest=stamp(start), latest=stamp(now + _SKEW))
    pages = slack.replies(channel, ts, window, PAGES)
    return any(is_reply(message, event.delivery_id) for page in pages for message in page)


def _windows(issue: Issue, now: datetime) -> Iterator[Window]:
    end = now + _SKEW
    created = min(issue.created_at or now - _FIRST, now)
    middle = min(created + _FIRST, end)
    yield Window(oldest=stamp(created - _SKEW) if created.year > 1 else stamp(created), latest=stamp(middle))
    if middle < end:
        yield Window(oldest=stamp(middle), latest=stamp(end))


def _cards(page: list[dict[str, object]], wanted: str) -> list[Found]:
    return [card for message in page if (card := read_card(message, wanted)) is not None]


def _age(card: Found) -> float:
    return float(card.ts)
