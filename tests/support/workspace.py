"""Channels of the strict stand-in for Slack, and instances of the function that post to them."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from clients.slack.client import Slack
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from functions.notify_slack.store.card_store import CardStore
from functions.notify_slack.store.outcome import UpsertResult
from local.slack.message import Message as StoredMessage
from local.slack.server import SlackServer
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable
from pipeline.events import IssueEvent
from tests.support.clock import FakeClock
from tests.support.messages import NOON, an_issue

TOKEN = "xoxb-local"
GITHUB = "https://github.com"
MONA = accounts.Account(login="mona")
CHANNEL_IDS = [f"C{number:04}" for number in range(2_000)]


class Crash(BaseException):
    """The instance has crashed."""


class Clock:
    """The time that GitHub, Slack and the function share; it never goes back."""

    def __init__(self) -> None:
        self.now = NOON

    def seconds(self) -> float:
        """Return the time as time.time does."""
        return self.now.timestamp()

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Advance the time by `seconds`."""
        self.pass_until(self.now + timedelta(seconds=seconds))

    def pass_until(self, moment: datetime) -> None:
        """Advance the time to `moment`, unless that has passed."""
        self.now = max(self.now, moment)


class FaultySlack(Slack):
    """The bot client; `before[n]` runs before its n-th call, and `before_each` before every call."""

    def __init__(self, url: str) -> None:
        self.clock = FakeClock()
        super().__init__(lambda: TOKEN, url, self.clock, self.clock.sleep)
        self.before: dict[int, Callable[[], None]] = {}
        self.before_each: Callable[[], None] = lambda: None
        self.calls = 0

    def _call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.calls += 1
        self.before_each()
        self.before.pop(self.calls, lambda: None)()
        return super()._call(method, arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure at the n-th call of an attempt: a crash of the instance before it, or of the call."""

    kind: Literal["crash", "answer_lost", "request_lost", "refused"]
    call: int

    def inject(self, channel: "Channel") -> None:
        """Make the channel's next attempt fail."""
        channel.slack.calls = 0
        channel.slack.before = {self.call: lambda: self.occur(channel)}

    def occur(self, channel: "Channel") -> None:
        """Fail now, or make the next call fail."""
        if self.kind == "crash":
            raise Crash
        faults: dict[str, dict[str, Any]] = {
            "answer_lost": {"drop": True, "after": True},
            "request_lost": {"drop": True},
            "refused": {"error": "fatal_error"},
        }
        channel.server.fail_next(1, **faults[self.kind])


@dataclass(kw_only=True)
class Channel:
    """One channel of the workspace, empty at first, and an instance of the function."""

    server: SlackServer
    clock: Clock
    id: str
    fold_over: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.slack = FaultySlack(self.server.url)
        self.restart()

    def restart(self) -> None:
        """Start the instance again, with an empty memory."""
        self.card_store = CardStore(
            self.slack, fold_over=self.fold_over, now=self.clock, sleep=self.clock.sleep
        )

    def another(self) -> "Channel":
        """Return another instance that posts to the same channel."""
        return Channel(server=self.server, clock=self.clock, id=self.id, fold_over=self.fold_over)

    def issue(self, **changes: Any) -> payloads.Issue:
        """Return an issue that is created now."""
        return an_issue(**{"created_at": self.clock.now, **changes})

    def receive(self, event: payloads.Event, delivery_id: str = "", at: datetime | None = None) -> CardEvent:
        """Return the event as the function reads it, received a second after it happened."""
        delivery = Delivery(
            delivery_id=delivery_id or f"d-{next(self.numbers)}",
            event=event.name,
            body=json.dumps(event.payload).encode(),
            received_at=(at or self.clock.now) + timedelta(seconds=1),
        )
        return card_event(IssueEvent.from_delivery(delivery))

    def handle(self, event: CardEvent, **destination: Any) -> UpsertResult:
        """Handle the event for this channel."""
        self.clock.pass_until(event.received.received_at)
        return self.card_store.upsert(event, Destination(channel=self.id, **destination))

    def attempt(self, event: CardEvent, destinations: Sequence[Destination], fault: Fault | None) -> bool:
        """Handle the event for all channels, as the function does; return whether it is acknowledged.

        The fault is over after the attempt, and an instance that crashed has been started again.
        """
        self.clock.pass_until(event.received.received_at)
        if fault:
            fault.inject(self)
        acknowledged = True
        try:
            for destination in destinations:
                try:
                    self.card_store.upsert(event, destination)
                except Unavailable:
                    acknowledged = False
        except Crash:
            acknowledged = False
            self.restart()
        self.server.clear_faults()
        self.slack.before = {}
        return acknowledged

    def calls(self, act: Callable[[], object]) -> list[str]:
        """Return the methods that are called while `act` runs."""
        before = len(self.server.requests)
        act()
        return [method for method, _ in self.server.requests[before:]]

    @property
    def messages(self) -> list[StoredMessage]:
        """Return the messages in the channel, replies included."""
        return [message for message in self.server.messages if message.channel == self.id]

    @property
    def cards(self) -> list[StoredMessage]:
        """Return the messages that are in no thread."""
        return [message for message in self.messages if message.thread_ts is None]

    @property
    def card(self) -> StoredMessage:
        """Return the only card."""
        [card] = self.cards
        return card

    @property
    def replies(self) -> list[StoredMessage]:
        """Return the messages that are in threads."""
        return [message for message in self.messages if message.thread_ts is not None]


class Workspace:
    """A workspace in which every channel is used once, on a day of its own."""

    def __init__(self, server: SlackServer, clock: Clock) -> None:
        self.server = server
        self._clock = clock
        self._ids = iter(CHANNEL_IDS)

    def channel(self, fold_over: int = 0) -> Channel:
        """Return an empty channel and an instance, a day after the last one."""
        self.server.clear_faults()
        self._clock.pass_until(self._clock.now.replace(microsecond=0) + timedelta(days=1))
        return Channel(server=self.server, clock=self._clock, id=next(self._ids), fold_over=fold_over)


@contextmanager
def running_workspace(**options: Any) -> Iterator[Workspace]:
    """Run a workspace; the options are SlackServer's."""
    clock = Clock()
    names = {channel_id: channel_id.lower() for channel_id in CHANNEL_IDS}
    with SlackServer(channels=names, token=TOKEN, clock=clock.seconds, **options) as server:
        yield Workspace(server, clock)


def card_event(event: IssueEvent) -> CardEvent:
    """Return an event that has a card, as the function reads it."""
    shown = CardEvent.of(event, GITHUB)
    assert isinstance(shown, CardEvent)
    return shown
