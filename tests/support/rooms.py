"""Channels of the strict stand-in for Slack, and instances of the function that keep cards in them."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from clients.slack.client import Slack
from functions.notify_slack.cards import card
from functions.notify_slack.routing.routes import Hearing
from functions.notify_slack.store.card_store import Living, Outcome
from local.slack.page import Message as Kept
from local.slack.server import SlackServer
from ops.send import payloads as github
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable
from pipeline.events import Issue, IssueEvent
from tests.support.clock import FakeClock
from tests.support.messages import NOON, an_issue

TOKEN = "xoxb-local"
GITHUB = "https://github.com"
MONA = github.Person(login="mona")
CHANNELS = [f"C{number:04}" for number in range(2_000)]


class Crash(BaseException):
    """The instance is gone."""


class Clock:
    """The one time of GitHub, Slack and the function; it only goes forward."""

    def __init__(self) -> None:
        self.now = NOON

    def seconds(self) -> float:
        """Return the time as time.time does."""
        return self.now.timestamp()

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.pass_until(self.now + timedelta(seconds=seconds))

    def pass_until(self, moment: datetime) -> None:
        """Go forward, if that is forward."""
        self.now = max(self.now, moment)


class Unlucky(Slack):
    """Slack's edge, to which something happens before or after its n-th call."""

    def __init__(self, url: str) -> None:
        clock = FakeClock()
        super().__init__(lambda: TOKEN, url, clock, clock.sleep)
        self.before: dict[int, Callable[[], None]] = {}
        self.calls = 0

    def _answer(self, *call: Any) -> Any:
        self.calls += 1
        self.before.pop(self.calls, lambda: None)()
        return super()._answer(*call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What happens at the n-th call of an attempt: a crash before it, a lost answer, or a refusal."""

    kind: Literal["crash", "lost", "unheard", "refused"]
    call: int

    def befall(self, room: "Room") -> None:
        """Let it happen at the next attempt."""
        room.edge.calls = 0
        room.edge.before = {self.call: lambda: self._happen(room)}

    def _happen(self, room: "Room") -> None:
        if self.kind == "crash":
            raise Crash
        faults: dict[str, dict[str, Any]] = {
            "lost": {"drop": True, "after": True},
            "unheard": {"drop": True},
            "refused": {"error": "fatal_error"},
        }
        room.server.fail_next(1, **faults[self.kind])


@dataclass(kw_only=True)
class Room:
    """One channel of the workspace, empty at first, and an instance of the function."""

    server: SlackServer
    clock: Clock
    channel: str
    fold_over: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.edge = Unlucky(self.server.url)
        self.restart()

    def restart(self) -> None:
        """Forget what the process knows: it is a new one."""
        self.living = Living(
            self.edge, GITHUB, fold_over=self.fold_over, now=self.clock, sleep=self.clock.sleep
        )

    def another(self) -> "Room":
        """Return another instance that keeps cards in the same channel."""
        return Room(server=self.server, clock=self.clock, channel=self.channel, fold_over=self.fold_over)

    def issue(self, **changes: Any) -> github.Issue:
        """Return an issue that is created now."""
        return an_issue(**{"created_at": self.clock.now, **changes})

    def read(self, event: github.Event, delivery_id: str = "", at: datetime | None = None) -> IssueEvent:
        """Return the event as it arrives, a second after it happened."""
        delivery = Delivery(
            delivery_id=delivery_id or f"d-{next(self.numbers)}",
            event=event.name,
            body=json.dumps(event.payload).encode(),
            received_at=(at or self.clock.now) + timedelta(seconds=1),
        )
        return IssueEvent.from_delivery(delivery)

    def handle(self, event: IssueEvent, **hearing: Any) -> Outcome:
        """Handle the event."""
        self.clock.pass_until(event.received_at)
        return self.living.handle(Hearing(channel=self.channel, **hearing), event, shown(event))

    def attempt(self, event: IssueEvent, hearings: Sequence[Hearing], trouble: Trouble | None) -> bool:
        """Handle the event in all channels, as the function does; return whether it is acknowledged.

        Whatever the trouble was, it is over then; an instance that crashed has been started anew.
        """
        self.clock.pass_until(event.received_at)
        if trouble:
            trouble.befall(self)
        acknowledged = True
        try:
            for hearing in hearings:
                try:
                    self.living.handle(hearing, event, shown(event))
                except Unavailable:
                    acknowledged = False
        except Crash:
            acknowledged = False
            self.restart()
        self.server.clear_faults()
        self.edge.before = {}
        return acknowledged

    def calls(self, act: Callable[[], object]) -> list[str]:
        """Return the methods that are called meanwhile."""
        before = len(self.server.requests)
        act()
        return [method for method, _ in self.server.requests[before:]]

    @property
    def kept(self) -> list[Kept]:
        """Return what is in the channel."""
        return [message for message in self.server.messages if message.channel == self.channel]

    @property
    def cards(self) -> list[Kept]:
        """Return what is in the channel and in no thread."""
        return [message for message in self.kept if message.thread_ts is None]

    @property
    def card(self) -> Kept:
        """Return the one card."""
        [kept] = self.cards
        return kept

    @property
    def replies(self) -> list[Kept]:
        """Return what is in threads."""
        return [message for message in self.kept if message.thread_ts is not None]


class Rooms:
    """A workspace in which every channel is used once, at a time when nothing has happened yet."""

    def __init__(self, server: SlackServer, clock: Clock) -> None:
        self.server = server
        self._clock = clock
        self._channels = iter(CHANNELS)

    def room(self, fold_over: int = 0) -> Room:
        """Return an empty channel and an instance, on a day of its own."""
        self.server.clear_faults()
        self._clock.pass_until(self._clock.now.replace(microsecond=0) + timedelta(days=1))
        return Room(server=self.server, clock=self._clock, channel=next(self._channels), fold_over=fold_over)


@contextmanager
def rooms(**options: Any) -> Iterator[Rooms]:
    """Run a workspace; the options are SlackServer's."""
    clock = Clock()
    names = {channel: channel.lower() for channel in CHANNELS}
    with SlackServer(channels=names, token=TOKEN, clock=clock.seconds, **options) as server:
        yield Rooms(server, clock)


def shown(event: IssueEvent) -> Issue:
    """Return the issue of an event that has a card."""
    issue = card.shown(event)
    assert issue is not None
    return issue
