"""The living card against the strict stand-in for Slack, through Slack's own client."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.notify_slack import card, index, reply
from functions.notify_slack.living import Living, Outcome
from functions.notify_slack.message import Message
from functions.notify_slack.routes import Hearing
from functions.notify_slack.slack import Slack
from local import github
from local.slack.page import Message as Kept
from local.slack.server import SlackServer
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable
from pipeline.events import Issue, IssueEvent
from tests.support.clock import FakeClock
from tests.support.messages import NOON, an_issue

TOKEN = "xoxb-local"
GITHUB = "https://github.com"
MONA = github.Person(login="mona")
ELSEWHERE = github.Repository(full_name="acme/elsewhere")
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


@dataclass(kw_only=True)
class Room:
    """One channel of the workspace, empty at first, and an instance of the function."""

    server: SlackServer
    clock: Clock
    channel: str
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.edge = Unlucky(self.server.url)
        self.living = Living(self.edge, GITHUB, self.clock)

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

    def handle(self, event: IssueEvent) -> Outcome:
        """Handle the event."""
        self.clock.pass_until(event.received_at)
        return self.living.handle(Hearing(channel=self.channel), event, shown(event))

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


def shown(event: IssueEvent) -> Issue:
    """Return the issue of an event that has a card."""
    issue = card.shown(event)
    assert issue is not None
    return issue


def content(message: Message | Kept) -> tuple[str, str]:
    """Return what is seen of a message, as it is on the wire."""
    blocks = list(message.blocks)
    return message.text, json.dumps(blocks, sort_keys=True)


def state(event: IssueEvent) -> tuple[str, str]:
    """Return what the card of the event shows."""
    return content(card.build(event, shown(event), Hearing(channel="C1"), GITHUB))


def payload(kept: Kept) -> dict[str, Any]:
    """Return the metadata of a message."""
    assert kept.metadata is not None
    return dict(kept.metadata["event_payload"])


_clock = Clock()
_channels = iter(CHANNELS)


@pytest.fixture(scope="module")
def running() -> Iterator[SlackServer]:
    """Return the workspace that all tests share; a channel is used once."""
    names = {channel: channel.lower() for channel in CHANNELS}
    with SlackServer(channels=names, token=TOKEN, clock=_clock.seconds) as server:
        yield server


@pytest.fixture
def room(running: SlackServer) -> Room:
    """Return an empty channel."""
    return a_room(running)


def a_room(server: SlackServer) -> Room:
    """Return a channel that nobody has used, at a time when nothing has happened yet."""
    server.clear_faults()
    _clock.pass_until(_clock.now.replace(microsecond=0) + timedelta(days=1))
    return Room(server=server, clock=_clock, channel=next(_channels))


# Any life, any order, any trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What happens at the n-th call of an attempt: a crash before it, a lost answer, or a refusal."""

    kind: str
    call: int

    def befall(self, room: Room) -> None:
        """Let it happen at the next attempt."""
        room.edge.calls = 0
        room.edge.before = {self.call: lambda: self._happen(room)}

    def _happen(self, room: Room) -> None:
        if self.kind == "crash":
            raise Crash
        faults = {
            "lost": {"drop": True, "after": True},
            "unheard": {"drop": True},
            "refused": {"error": "fatal_error"},
        }
        room.server.fail_next(1, **faults[self.kind])


STEPS = ["labeled", "commented", "closed", "reopened", "edited", "assigned"]
lives = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from([0, 1, 60, 5_000])), min_size=1, max_size=8
)
ends = st.sampled_from(["", "", "deleted", "transferred"])
troubles = st.none() | st.builds(
    Trouble, kind=st.sampled_from(["crash", "lost", "unheard", "refused"]), call=st.integers(1, 5)
)


def happen(issue: github.Issue, step: str, at: datetime) -> github.Event:  # noqa: PLR0911 - a table
    """Let one thing happen to the issue."""
    match step:
        case "labeled":
            return issue.labeled(MONA, at, f"label {len(issue.labels)}")
        case "commented":
            return issue.commented(MONA, at, f"comment {issue.comments} <!here> & more")
        case "closed":
            return issue.closed(MONA, at, "not_planned")
        case "reopened":
            return issue.reopened(MONA, at)
        case "edited":
            return issue.edited(MONA, at, f"{issue.title}!")
        case "assigned":
            return issue.assigned(MONA, at, github.Person(login=f"worker-{len(issue.assignees)}"))
        case "deleted":
            return issue.deleted(MONA, at)
        case _:
            return issue.transferred(MONA, at, ELSEWHERE, 3)[0]


def live(room: Room, steps: list[tuple[str, int]], end: str) -> list[IssueEvent]:
    """Return the events of an issue's life, as they arrive."""
    issue, at = room.issue(), room.clock.now
    events = [room.read(issue.opened())]
    for step, seconds in [*steps, *([(end, 1)] if end else [])]:
        if (step == "closed") is (issue.state == "closed") and step in {"closed", "reopened"}:
            continue
        if step == "reopened" and issue.state != "closed":
            continue
        at += timedelta(seconds=seconds)
        events.append(room.read(happen(issue, step, at), at=at))
    return events


def newest(events: list[IssueEvent]) -> set[tuple[str, str]]:
    """Return the states that may be the last: several only of one and the same second."""
    final = [event for event in events if index.is_final(event)]
    latest = max(index.as_of(event, shown(event)) for event in events)
    last = final or [event for event in events if index.as_of(event, shown(event)) == latest]
    strong = [event for event in last if event.event == "issues" and event.action != "opened"]
    return {state(event) for event in strong or last}


def assert_within_bounds(calls: list[tuple[str, dict[str, Any]]]) -> None:
    """One look-up of at most two windows, a confirming one, one post or update, one reading, one reply."""
    count = Counter(
        "reply" if method == "chat.postMessage" and "thread_ts" in arguments else method
        for method, arguments in calls
    )
    posted = count["chat.postMessage"]
    assert posted + count["chat.update"] <= 1
    assert count["conversations.history"] <= 2 + posted
    assert count["conversations.replies"] <= 1
    assert count["reply"] <= 1
    assert count["chat.delete"] == 0


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(lives, ends, st.data())
def test_any_life_ends_with_one_card_of_the_newest_state(
    running: SlackServer, steps: list[tuple[str, int]], end: str, data: st.DataObject
) -> None:
    """Duplicates, any order, lost answers and crashes: one card, the newest state, each due reply once."""
    room = a_room(running)
    events = live(room, steps, end)
    places = range(len(events))
    repeated = data.draw(st.lists(st.sampled_from(places), max_size=4))
    waiting = [events[place] for place in data.draw(st.permutations([*places, *repeated]))]
    attempts = 0
    while waiting:
        event = waiting.pop(0)
        attempts += 1
        trouble = data.draw(troubles) if attempts <= 25 else None
        if trouble:
            trouble.befall(room)
        before = len(running.requests)
        try:
            room.handle(event)
        except (Crash, Unavailable):
            waiting.insert(data.draw(st.integers(0, len(waiting))), event)
        assert_within_bounds(running.requests[before:])
        running.clear_faults()
        room.edge.before = {}
        room.clock.pass_until(room.clock.now + timedelta(seconds=data.draw(st.sampled_from([0, 2, 4_000]))))
    assert content(room.card) in newest(events)
    assert payload(room.card)["issue"] == index.key(events[0], shown(events[0]))
    due = {
        event.delivery_id: reply.due(event, shown(event), Hearing(channel="C1"), GITHUB) for event in events
    }
    wanted = {delivery_id: content(message) for delivery_id, message in due.items() if message}
    assert Counter(payload(told)["delivery_id"] for told in room.replies) == Counter(list(wanted))
    assert {payload(told)["delivery_id"]: content(told) for told in room.replies} == wanted
    assert {told.thread_ts for told in room.replies} <= {room.card.ts}
    assert not any(arguments.get("reply_broadcast") for _, arguments in running.requests)
    calls = room.calls(lambda: [room.handle(event) for event in events])
    assert set(calls) <= {"conversations.history", "conversations.replies"}


# Two instances


@pytest.mark.parametrize("at", [2, 3, 4])
def test_two_instances_with_the_same_opened_end_with_one_card(running: SlackServer, at: int) -> None:
    """Whether they meet before both post, or between post and second look-up: the younger removes itself."""
    room = a_room(running)
    other = Room(server=running, clock=_clock, channel=room.channel)
    event = room.read(room.issue().opened())
    room.clock.pass_until(event.received_at)
    meeting = threading.Barrier(2)
    for instance in (room, other):
        instance.edge.before = {at: lambda: wait(meeting)}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda instance: instance.handle(event), [room, other]))
    assert content(room.card) == state(event)
    assert payload(room.card)["deliveries"] == [event.delivery_id]
    assert not room.replies


def wait(meeting: threading.Barrier) -> None:
    """Wait for the other instance, if it comes so far."""
    try:
        meeting.wait(0.5)
    except threading.BrokenBarrierError:
        return


@pytest.mark.parametrize("at", [2, 3])
def test_opened_and_five_labeled_at_once_end_with_one_card(running: SlackServer, at: int) -> None:
    """Six instances, none of which sees a card at first; every delivery is on the one that stays."""
    room = a_room(running)
    rooms = [Room(server=running, clock=_clock, channel=room.channel) for _ in range(6)]
    events = opened_and_labeled(room)
    room.clock.pass_until(events[-1].received_at)
    meeting = threading.Barrier(6)
    for instance in rooms:
        instance.edge.before = {at: lambda: wait(meeting)}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda pair: pair[0].handle(pair[1]), zip(rooms, events, strict=True)))
    assert len(room.cards) == 1


def opened_and_labeled(room: Room) -> list[IssueEvent]:
    """Return what GitHub sends for an issue that is made with five labels: all of one second."""
    issue, at = room.issue(), room.clock.now
    opened = room.read(issue.opened())
    return [opened, *(room.read(issue.labeled(MONA, at, f"l{number}"), at=at) for number in range(5))]


def test_opened_and_five_labeled_make_one_card(room: Room) -> None:
    """One post and five updates; each look-up is one call."""
    events = opened_and_labeled(room)
    calls = room.calls(lambda: [room.handle(event) for event in events])
    assert content(room.card) == state(events[-1])
    assert payload(room.card)["deliveries"] == [event.delivery_id for event in events]
    assert Counter(calls) == {"conversations.history": 7, "chat.postMessage": 1, "chat.update": 5}


def test_a_crash_before_the_second_look_up_leaves_no_second_card(running: SlackServer) -> None:
    """The card that lost the race while its instance died is removed when its event comes again."""
    room = a_room(running)
    issue = room.issue()
    opened, commented = room.read(issue.opened()), room.read(issue.commented(MONA, room.clock.now, "me too"))
    other = Room(server=running, clock=_clock, channel=room.channel)

    def meanwhile() -> None:
        other.handle(opened)

    def die() -> None:
        raise Crash

    room.edge.before = {2: meanwhile, 3: die}
    with pytest.raises(Crash):
        room.handle(commented)
    assert len(room.cards) == 2
    assert room.handle(commented).replied
    assert room.card.text.startswith("New issue")
    assert [told.thread_ts for told in room.replies] == [room.card.ts]


# One thing at a time


def test_each_event_is_told_once_and_never_broadcast(room: Room) -> None:
    """The log's words: posted, updated, recorded, handled before."""
    issue, start = room.issue(), room.clock.now
    opened = room.read(issue.opened())
    labeled = room.read(issue.labeled(MONA, start + timedelta(seconds=5), "bug"))
    closed = room.read(issue.closed(MONA, start + timedelta(seconds=9)), at=start + timedelta(seconds=9))
    order = [opened, closed, labeled, opened, closed, labeled]
    outcomes = [room.handle(event) for event in order]
    assert [outcome.done for outcome in outcomes] == [
        "Posted",
        "Updated",
        "Recorded",
        *["Handled before"] * 3,
    ]
    assert [outcome.replied for outcome in outcomes] == [False, True, False, False, False, False]
    assert content(room.card) == state(closed)


def test_an_unknown_issue_is_posted_as_it_stands(room: Room) -> None:
    """A first comment years later makes a card without the word new, and its reply beneath."""
    issue = room.issue(created_at=NOON - timedelta(days=900))
    issue.closed(MONA, NOON - timedelta(days=800))
    event = room.read(issue.commented(MONA, room.clock.now, "still there?"))
    calls = room.calls(lambda: room.handle(event))
    assert calls == [
        "conversations.history",
        "conversations.history",
        "chat.postMessage",
        "conversations.history",
        "chat.postMessage",
    ]
    assert room.card.text.startswith("Closed as completed: acme/app#7")
    assert [told.text for told in room.replies] == ["mona commented: still there?"]
    assert room.handle(event).done == "Handled before"


def test_the_look_up_reads_five_pages_at_most(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that is too busy gets a second card rather than a look-up without end."""
    monkeypatch.setattr("functions.notify_slack.slack.PAGE", 1)
    issue = room.issue()
    room.handle(room.read(issue.opened()))
    for number in range(100, 107):
        room.handle(room.read(room.issue(number=number).opened()))
    event = room.read(issue.labeled(MONA, room.clock.now, "bug"))
    calls = room.calls(lambda: room.handle(event))
    assert calls.count("conversations.history") == 5 + 1
    assert len(room.cards) == 9


def test_the_last_twenty_deliveries_are_kept(room: Room) -> None:
    """Newest last; one that is forgotten changes nothing when it comes again, and is not told twice."""
    issue, start = room.issue(), room.clock.now
    opened = room.read(issue.opened())
    first = room.read(issue.commented(MONA, start + timedelta(seconds=1), "first"))
    others = [
        room.read(issue.labeled(MONA, start + timedelta(seconds=2 + number), f"l{number}"))
        for number in range(25)
    ]
    for event in [opened, first, *others]:
        room.handle(event)
    assert payload(room.card)["deliveries"] == [event.delivery_id for event in others[-20:]]
    assert room.handle(first) == Outcome(done="Recorded", ts=room.card.ts, replied=False)
    assert content(room.card) == state(others[-1])
    assert len(room.replies) == 1


def test_a_delivery_that_github_sends_again_later_is_not_told_twice(room: Room) -> None:
    """The same id, received hours later, when the card has forgotten it: the thread has not."""
    issue, start = room.issue(), room.clock.now
    comment = issue.commented(MONA, start, "first")
    room.handle(room.read(issue.opened()))
    room.handle(room.read(comment, "once", at=start))
    for number in range(25):
        room.handle(room.read(issue.labeled(MONA, start + timedelta(seconds=2 + number), f"l{number}")))
    room.handle(room.read(comment, "once", at=start + timedelta(hours=5)))
    assert len(room.replies) == 1


@pytest.mark.parametrize("end", ["deleted", "transferred"])
def test_an_end_is_final(room: Room, end: str) -> None:
    """Nothing that happened before and arrives later brings the issue back; a comment is told still."""
    issue, start = room.issue(), room.clock.now
    opened = room.read(issue.opened())
    comment = room.read(issue.commented(MONA, start + timedelta(seconds=4), "late"), at=start)
    event = room.read(happen(issue, end, start + timedelta(seconds=4)), at=start + timedelta(seconds=4))
    for arrived in (opened, event, comment):
        room.handle(arrived)
    assert content(room.card) == state(event)
    assert room.replies[-1].text == "mona commented: late"


def test_a_comment_of_the_same_second_does_not_bring_the_state_back(room: Room) -> None:
    """GitHub's close with a comment is two events of one second, and the comment may show it open."""
    issue, start = room.issue(), room.clock.now
    at = start + timedelta(seconds=30)
    opened = room.read(issue.opened())
    comment = room.read(issue.commented(MONA, at, "done"))
    closed = room.read(issue.closed(MONA, at))
    for event in (opened, closed, comment):
        room.handle(event)
    assert content(room.card) == state(closed)


def test_a_card_that_somebody_removed_is_posted_again(room: Room) -> None:
    """The next event finds none and posts the issue as it stands."""
    issue = room.issue()
    room.handle(room.read(issue.opened()))
    room.edge.delete(room.channel, room.card.ts)
    room.handle(room.read(issue.labeled(MONA, room.clock.now, "bug")))
    assert room.card.text.startswith("Open issue")


def test_issues_and_channels_do_not_mix(running: SlackServer) -> None:
    """A card is one issue's in one channel."""
    rooms = [a_room(running), a_room(running)]
    issues = [rooms[0].issue(number=7), rooms[0].issue(number=77)]
    for room in rooms:
        for issue in issues:
            room.handle(room.read(issue.opened()))
            room.handle(room.read(issue.labeled(MONA, datetime.now(UTC), "bug")))
    assert [len(room.cards) for room in rooms] == [2, 2]
