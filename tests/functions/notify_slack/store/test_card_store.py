"""The living card against the strict stand-in for Slack, through Slack's own client."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.slack import deadline
from clients.slack.blocks import Message
from clients.slack.client import Slack
from functions.notify_slack.cards import card
from functions.notify_slack.cards import metadata as index
from functions.notify_slack.cards import thread_reply as reply
from functions.notify_slack.routing.routes import Hearing, Route, Routes
from functions.notify_slack.store.card_store import Outcome
from local.slack.page import Message as Kept
from ops.send import payloads as github
from pipeline.errors import Unavailable
from pipeline.events import IssueEvent
from tests.support.messages import NOON
from tests.support.rooms import GITHUB, MONA, TOKEN, Crash, Room, Rooms, Trouble, rooms, shown

ELSEWHERE = github.Repository(full_name="acme/elsewhere")
COMPACT = Hearing(channel="C1")


def content(message: Message | Kept) -> tuple[str, str]:
    """Return what is seen of a message, as it is on the wire."""
    blocks = list(message.blocks)
    return message.text, json.dumps(blocks, sort_keys=True)


def state(event: IssueEvent, hearing: Hearing = COMPACT, close: IssueEvent | None = None) -> tuple[str, str]:
    """Return what the card of the event shows, where it follows that of the close."""
    before = card_of(close, hearing) if close else None
    return content(card.build(event, shown(event), hearing, GITHUB, before))


def card_of(event: IssueEvent, hearing: Hearing) -> index.Found:
    """Return the card that the event makes, as it is found."""
    made = card.build(event, shown(event), hearing, GITHUB)
    message = {"ts": "1", "blocks": made.blocks, "metadata": made.metadata}
    found = index.read_card(message, index.key(event, shown(event)))
    assert found is not None
    return found


def payload(kept: Kept) -> dict[str, Any]:
    """Return the metadata of a message."""
    assert kept.metadata is not None
    return dict(kept.metadata["event_payload"])


@pytest.fixture(scope="module")
def house() -> Iterator[Rooms]:
    """Return the workspace that all tests share."""
    with rooms() as running:
        yield running


@pytest.fixture(scope="module")
def lagging() -> Iterator[Rooms]:
    """Return a workspace whose history shows a message two seconds late."""
    with rooms(history_lag=2.0) as running:
        yield running


@pytest.fixture(scope="module")
def workspaces(house: Rooms, lagging: Rooms) -> dict[float, Rooms]:
    """Return the workspaces by how many seconds their histories lag."""
    return {0.0: house, 2.0: lagging}


@pytest.fixture
def room(house: Rooms) -> Room:
    """Return an empty channel."""
    return house.room()


# Any life, any order, any trouble


STEPS = ["labeled", "commented", "closed", "reopened", "edited", "assigned"]
lives = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from([0, 1, 60, 5_000])), min_size=1, max_size=8
)
ends = st.sampled_from(["", "", "deleted", "transferred"])
troubles = st.none() | st.builds(
    Trouble, kind=st.sampled_from(["crash", "lost", "unheard", "refused"]), call=st.integers(1, 10)
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


def newest(events: list[IssueEvent], hearing: Hearing) -> set[tuple[str, str]]:
    """Return the states that may be the last: several only of one and the same second."""
    final = [event for event in events if index.is_final(event)]
    latest = max(index.as_of(event, shown(event)) for event in events)
    last = final or [event for event in events if index.as_of(event, shown(event)) == latest]
    strong = [event for event in last if event.event == "issues" and event.action != "opened"]
    return {state(event, hearing, close) for event in strong or last for close in closes(event, events)}


def closes(event: IssueEvent, events: list[IssueEvent]) -> list[IssueEvent | None]:
    """Return those of which the event's card says who did it: none only where one second holds more."""
    wanted = shown(event).closed_at
    if wanted is None or event.action == "closed" or index.is_final(event):
        return [None]
    of_the_second = [each for each in events if each.event == "issues" and shown(each).updated_at == wanted]
    found: list[IssueEvent | None] = [each for each in of_the_second if each.action == "closed"]
    return found if len(of_the_second) == 1 else [*found, None]


def assert_within_bounds(calls: list[tuple[str, dict[str, Any]]], channel: str) -> None:
    """One look-up of at most two windows, a confirming one, one post or update, one reading, one reply."""
    count = Counter(
        "reply" if method == "chat.postMessage" and "thread_ts" in arguments else method
        for method, arguments in calls
        if arguments["channel"] == channel
    )
    posted = count["chat.postMessage"]
    assert posted + count["chat.update"] <= 1
    assert count["conversations.history"] <= 2 + posted
    assert count["conversations.replies"] <= 1
    assert count["reply"] <= 1
    assert count["chat.delete"] == 0


def due_replies(events: list[IssueEvent], hearing: Hearing, posted_by: str) -> dict[str, tuple[str, str]]:
    """Return by delivery what a thread holds, where the delivery `posted_by` has made the card."""
    due = {}
    for event in events:
        told = replace(hearing, mention=()) if event.delivery_id == posted_by else hearing
        if message := reply.due(event, shown(event), told, GITHUB):
            due[event.delivery_id] = content(message)
    return due


def assert_shown(room: Room, hearing: Hearing, events: list[IssueEvent]) -> None:
    """One card of the newest state, every due reply in its thread, and none twice."""
    assert content(room.card) in newest(events, hearing)
    assert payload(room.card)["issue"] == index.key(events[0], shown(events[0]))
    wanted = due_replies(events, hearing, payload(room.card)["deliveries"][0])
    assert Counter(payload(told)["delivery_id"] for told in room.replies) == Counter(list(wanted))
    assert {payload(told)["delivery_id"]: content(told) for told in room.replies} == wanted
    assert {told.thread_ts for told in room.replies} <= {room.card.ts}


@pytest.mark.parametrize("lag", [0.0, 2.0])
@settings(derandomize=True, database=None, deadline=None, max_examples=25)
@given(lives, ends, st.data())
def test_any_life_ends_with_one_card_of_the_newest_state(
    workspaces: dict[float, Rooms], lag: float, steps: list[tuple[str, int]], end: str, data: st.DataObject
) -> None:
    """Duplicates, any order, lost answers and crashes: one card, the newest state, each due reply once.

    In both channels of a delivery, whatever their formats are, whichever instance it comes to, and also when
    the history lags; then it may take more calls.
    """
    house = workspaces[lag]
    room, second = house.room(), house.room()
    people = {"worker-0": "U0AAAAAAA", "mona": "U0BBBBBBB"}
    hearings = (
        Hearing(channel=room.channel),
        Hearing(channel=second.channel, format="full", people=people, mention=("U0CCCCCCC",)),
    )
    instances = (room, room.another())
    events = live(room, steps, end)
    places = range(len(events))
    repeated = data.draw(st.lists(st.sampled_from(places), max_size=4))
    waiting = [events[place] for place in data.draw(st.permutations([*places, *repeated]))]
    attempts = 0
    while waiting:
        event = waiting.pop(0)
        attempts += 1
        trouble = data.draw(troubles) if attempts <= 25 else None
        before = len(house.server.requests)
        if not data.draw(st.sampled_from(instances)).attempt(event, hearings, trouble):
            waiting.insert(data.draw(st.integers(0, len(waiting))), event)
        for hearing in hearings if not lag else ():
            assert_within_bounds(house.server.requests[before:], hearing.channel)
        room.clock.pass_until(room.clock.now + timedelta(seconds=data.draw(st.sampled_from([0, 2, 4_000]))))
    for place, hearing in zip((room, second), hearings, strict=True):
        assert_shown(place, hearing, events)
    assert not any(arguments.get("reply_broadcast") for _, arguments in house.server.requests)
    calls = room.calls(lambda: [room.attempt(event, hearings, None) for event in events])
    assert set(calls) <= {"conversations.history", "conversations.replies"}


# Two instances


@pytest.mark.parametrize("at", [2, 3, 4])
def test_two_instances_with_the_same_opened_end_with_one_card(house: Rooms, at: int) -> None:
    """Whether they meet before both post, or between post and second look-up: the younger removes itself."""
    room = house.room()
    other = room.another()
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
def test_opened_and_five_labeled_at_once_end_with_one_card(house: Rooms, at: int) -> None:
    """Six instances, none of which sees a card at first; every delivery is on the one that stays."""
    room = house.room()
    rooms = [room.another() for _ in range(6)]
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


def test_a_crash_before_the_second_look_up_leaves_no_second_card(house: Rooms) -> None:
    """The card that lost the race while its instance died is removed when its event comes again."""
    room = house.room()
    issue = room.issue()
    opened, commented = room.read(issue.opened()), room.read(issue.commented(MONA, room.clock.now, "me too"))
    other = room.another()

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


def test_no_call_is_made_that_tells_nothing_new(room: Room) -> None:
    """A thread without replies is not read; of a delivery that the card knows, its thread alone is."""
    issue = room.issue()
    room.handle(room.read(issue.opened()))
    comments = [room.read(issue.commented(MONA, room.clock.now, text)) for text in ("first", "second")]
    post, update, read = "chat.postMessage", "chat.update", "conversations.replies"
    calls = [room.calls(lambda event=event: room.handle(event)) for event in [*comments, comments[-1]]]
    assert calls == [
        ["conversations.history", *more] for more in ([update, post], [update, read, post], [read])
    ]


def test_a_card_is_up_to_date_though_its_thread_takes_no_reply(room: Room) -> None:
    """An administrator locks a thread: the card shows the close, and its reply follows the unlocking."""
    issue = room.issue()
    room.handle(room.read(issue.opened()))
    closed = room.read(issue.closed(MONA, room.clock.now))
    room.server.fail_next(1, error="restricted_action_thread_locked", method="chat.postMessage")
    with pytest.raises(Unavailable):
        room.handle(closed)
    assert content(room.card) == state(closed)
    assert room.handle(closed).replied
    assert not room.handle(closed).replied


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
    monkeypatch.setattr("clients.slack.client.PAGE", 1)
    issue = room.issue()
    room.handle(room.read(issue.opened()))
    for number in range(100, 107):
        room.handle(room.read(room.issue(number=number).opened()))
    room.clock.pass_until(room.clock.now + timedelta(hours=2))
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
    labeled = room.read(issue.labeled(MONA, start + timedelta(seconds=4), "late"), at=start)
    comment = room.read(issue.commented(MONA, start + timedelta(seconds=4), "late"), at=start)
    event = room.read(happen(issue, end, start + timedelta(seconds=4)), at=start + timedelta(seconds=4))
    for arrived in (opened, event, labeled, comment):
        room.handle(arrived)
    assert content(room.card) == state(event)
    assert room.replies[-1].text == "mona commented: late"


def test_the_end_of_a_comment_is_not_that_of_its_issue(room: Room) -> None:
    """A comment that was deleted, told late, changes nothing: it is as old as the issue that it shows."""
    issue, start = room.issue(), room.clock.now
    opened = room.read(issue.opened())
    comment = issue.commented(MONA, start + timedelta(seconds=1), "x")
    gone = room.read(github.Event(name=comment.name, payload={**comment.payload, "action": "deleted"}))
    closed = room.read(issue.closed(MONA, start + timedelta(seconds=9)))
    assert [room.handle(event).done for event in (opened, closed, gone)] == ["Posted", "Updated", "Recorded"]
    assert content(room.card) == state(closed)


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


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_label_of_the_same_second_does_not_bring_the_state_back(room: Room, order: tuple[int, ...]) -> None:
    """What labels an issue and closes it at once makes two events of one second, in any order of arrival."""
    issue, start = room.issue(), room.clock.now
    at = start + timedelta(seconds=30)
    opened, labeled = room.read(issue.opened()), room.read(issue.labeled(MONA, at, "stale"))
    closed = room.read(issue.closed(MONA, at))
    events = [opened, labeled, closed]
    for place in order:
        room.handle(events[place])
    assert content(room.card) == state(closed)


@pytest.mark.parametrize("steps", [("closed", "reopened"), ("closed", "reopened", "closed")])
def test_turns_of_the_same_second_win_as_they_arrive(room: Room, steps: tuple[str, ...]) -> None:
    """What is closed and reopened at once is open, and the other way round."""
    issue, start = room.issue(), room.clock.now
    at = start + timedelta(seconds=30)
    events = [room.read(issue.opened()), *(room.read(happen(issue, step, at)) for step in steps)]
    for event in events:
        room.handle(event)
    assert content(room.card) == state(events[-1])


def test_a_card_that_somebody_removed_is_posted_again(room: Room) -> None:
    """The next event finds none and posts the issue as it stands."""
    issue = room.issue()
    room.handle(room.read(issue.opened()))
    room.edge.delete(room.channel, room.card.ts)
    room.handle(room.read(issue.labeled(MONA, room.clock.now, "bug")))
    assert room.card.text.startswith("Open issue")


def test_a_card_that_somebody_removes_meanwhile_leaves_no_reply_in_the_channel(room: Room) -> None:
    """Between the update and the reply: the next delivery of the event posts both again, in their places."""
    issue = room.issue()
    room.handle(room.read(issue.opened()))
    ts = room.card.ts
    event = room.read(issue.commented(MONA, room.clock.now, "x"))
    room.edge.calls = 0
    room.edge.before = {3: lambda: Slack(lambda: TOKEN, room.server.url).delete(room.channel, ts)}
    with pytest.raises(Unavailable) as refusal:
        room.handle(event)
    assert refusal.value.reason == "slack_thread_not_found"
    assert room.kept == []
    room.handle(event)
    assert [reply.thread_ts for reply in room.replies] == [room.card.ts]


EDGES = ["0001-01-01T00:00:00Z", "0001-01-01T00:05:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]


@pytest.mark.parametrize("moment", [*EDGES, "yesterday", None])
def test_a_moment_that_makes_no_sense_stops_no_event(room: Room, moment: str | None) -> None:
    """Wherever it stands in the payload: one card, and each reply once."""
    issue = room.issue()
    happened = [issue.opened(), issue.closed(MONA, NOON), issue.commented(MONA, NOON, "x")]
    for event in happened:
        for name in ("created_at", "updated_at", "closed_at"):
            event.payload["issue"][name] = moment
    happened[2].payload["comment"]["created_at"] = moment
    for event in map(room.read, happened):
        for _ in range(2):
            room.handle(event)
    assert len(room.cards) == 1
    assert len(room.replies) == 2


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"deliveries": "d-1", "updated_at": "rubbish"},
        {"deliveries": [], "updated_at": 7},
        {"deliveries": [None, 7, {}], "updated_at": {}},
    ],
)
def test_a_card_with_strange_metadata_is_brought_up_to_date(room: Room, written: dict[str, Any]) -> None:
    """What cannot be read says nothing: the next event makes the card what it should be."""
    closed = room.read(room.issue().closed(MONA, room.clock.now))
    content_of_it = {"issue": index.key(closed, shown(closed)), **written}
    metadata = {"event_type": index.CARD, "event_payload": content_of_it}
    room.edge.post(room.channel, Message(text="A card once", blocks=(), metadata=metadata))
    outcomes = [room.handle(closed) for _ in range(2)]
    assert [outcome.done for outcome in outcomes] == ["Updated", "Handled before"]
    assert content(room.card) == state(closed)
    assert payload(room.card)["deliveries"][-1] == closed.delivery_id
    assert len(room.replies) == 1


def test_issues_and_channels_do_not_mix(house: Rooms) -> None:
    """A card is one issue's in one channel."""
    rooms = [house.room(), house.room()]
    issues = [rooms[0].issue(number=7), rooms[0].issue(number=77)]
    for room in rooms:
        for issue in issues:
            room.handle(room.read(issue.opened()))
            room.handle(room.read(issue.labeled(MONA, datetime.now(UTC), "bug")))
    assert [len(room.cards) for room in rooms] == [2, 2]


def test_a_mention_of_a_new_issue_that_comes_second_is_a_reply(room: Room) -> None:
    """GitHub's labeled may overtake opened; whom new issues are shown to is pinged all the same, once."""
    issue = room.issue()
    opened, labeled = room.read(issue.opened()), room.read(issue.labeled(MONA, room.clock.now, "bug"))
    mention = ("U0AAAAAAA",)
    outcomes = [room.handle(event, mention=mention) for event in (labeled, opened, opened, labeled)]
    assert [outcome.replied for outcome in outcomes] == [False, True, False, False]
    assert [told.text.count("<@U0AAAAAAA>") for told in room.replies] == [1]
    assert "<@U0AAAAAAA>" not in str(room.card.blocks)


def test_a_card_that_has_forgotten_its_first_delivery_pings_nobody_again(room: Room) -> None:
    """Who posted it is not known any more, and opened may have been it."""
    issue, start = room.issue(), room.clock.now
    opened = room.read(issue.opened())
    room.handle(opened, mention=("U0AAAAAAA",))
    for number in range(20):
        room.handle(room.read(issue.labeled(MONA, start + timedelta(seconds=2 + number), f"l{number}")))
    room.handle(opened, mention=("U0AAAAAAA",))
    assert not room.replies


def test_an_old_event_does_not_open_the_door_for_another(room: Room) -> None:
    """A card stays as late as it was: two that are late, the older one first, change nothing."""
    issue, start = room.issue(), room.clock.now
    opened, *late, closed = [
        room.read(issue.opened()),
        room.read(issue.labeled(MONA, start + timedelta(seconds=2), "a")),
        room.read(issue.labeled(MONA, start + timedelta(seconds=4), "b")),
        room.read(issue.closed(MONA, start + timedelta(seconds=9))),
    ]
    outcomes = [room.handle(event).done for event in (opened, closed, *late)]
    assert outcomes == ["Posted", "Updated", "Recorded", "Recorded"]
    assert content(room.card) == state(closed)


def test_a_mention_of_a_new_issue_is_on_its_card(room: Room) -> None:
    """And nowhere else, also when opened comes again."""
    opened = room.read(room.issue().opened())
    for _ in range(2):
        room.handle(opened, mention=("U0AAAAAAA",))
    assert str(room.card.blocks).count("<@U0AAAAAAA>") == 1
    assert not room.replies


def test_without_replies_the_card_alone_is_changed(room: Room) -> None:
    """What a muted sender does is seen on the card, and nobody is told."""
    issue = room.issue()
    closed = room.read(issue.closed(MONA, room.clock.now))
    room.handle(room.read(issue.opened()))
    room.handle(closed, replies=False)
    assert room.card.text.startswith("Closed")
    assert not room.replies


def test_a_label_that_takes_an_issue_out_changes_its_card_and_makes_none(room: Room) -> None:
    """The card says that it is not followed any more; a channel without one stays as it is."""
    issue = room.issue()
    left = room.read(issue.labeled(MONA, room.clock.now, "wontfix"))
    assert room.handle(left, leaving=True).done == "No card to change"
    assert not room.cards
    room.handle(room.read(issue.opened()))
    room.handle(room.read(issue.labeled(MONA, room.clock.now + timedelta(seconds=1), "x")), leaving=True)
    assert content(room.card) != state(left)
    assert "not follow" in str(room.card.blocks)


# A history that lags


@pytest.fixture(scope="module")
def sluggish() -> Iterator[Rooms]:
    """Return a workspace whose history lags for longer than anybody waits for it."""
    with rooms(history_lag=30.0) as running:
        yield running


def test_a_post_is_done_once_the_history_shows_it(lagging: Rooms) -> None:
    """So the next event finds its card: six events within a second make one."""
    room = lagging.room()
    for event in opened_and_labeled(room):
        room.handle(event)
    assert len(payload(room.card)["deliveries"]) == 6


def test_two_instances_wait_for_a_history_that_lags(lagging: Rooms) -> None:
    """Each has posted before the other's card can be seen; the younger is gone once both can."""
    room = lagging.room()
    event = room.read(room.issue().opened())
    room.clock.pass_until(event.received_at)
    meeting = threading.Barrier(2)
    instances = [room, room.another()]
    for instance in instances:
        instance.edge.before = {2: lambda: wait(meeting), 3: lambda: wait(meeting)}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda instance: instance.handle(event), instances))
    assert content(room.card) == state(event)


def test_a_crash_while_the_history_lags_leaves_no_second_card(lagging: Rooms) -> None:
    """The next attempt does not see the first one's card until its own is seen, and then removes it."""
    room = lagging.room()
    event = room.read(room.issue().opened())
    Trouble(kind="crash", call=4).befall(room)
    with pytest.raises(Crash):
        room.handle(event)
    room.restart()
    room.handle(event)
    assert payload(room.card)["deliveries"] == [event.delivery_id]


def test_the_wait_for_a_history_ends(sluggish: Rooms) -> None:
    """After five readings within four seconds it is taken as it is; with little time left, after one."""
    room = sluggish.room()
    start = room.clock.now
    event = room.read(room.issue().opened(), at=start - timedelta(seconds=1))
    assert room.calls(lambda: room.handle(event)).count("conversations.history") == 1 + 5
    assert room.clock.now - start == timedelta(seconds=3.75)
    event = room.read(room.issue(number=8).opened())
    with deadline.limit(9.0):
        assert room.calls(lambda: room.handle(event)).count("conversations.history") == 1 + 1


def test_two_cards_that_a_lag_has_left_become_one_with_the_next_event(sluggish: Rooms) -> None:
    """Two instances cannot see each other's; the oldest takes over the newest state and all deliveries."""
    room = sluggish.room()
    other, issue = room.another(), room.issue()
    opened = room.read(issue.opened())
    closed = room.read(issue.closed(MONA, room.clock.now + timedelta(seconds=1)))
    labeled = room.read(issue.labeled(MONA, room.clock.now, "late"))
    room.handle(opened)
    other.handle(closed)
    assert len(room.cards) == 2
    oldest = room.cards[0].ts
    room.clock.pass_until(room.clock.now + timedelta(minutes=5))
    assert room.handle(labeled).done == "Recorded"
    assert room.card.ts == oldest
    assert content(room.card) == state(closed)
    assert payload(room.card)["deliveries"] == [opened.delivery_id, labeled.delivery_id]


def test_a_repetition_that_finds_two_cards_keeps_the_newest_state(sluggish: Rooms) -> None:
    """What only the younger card shows is on the older one before the younger goes."""
    room = sluggish.room()
    other, issue = room.another(), room.issue()
    opened = room.read(issue.opened())
    closed = room.read(issue.closed(MONA, room.clock.now + timedelta(seconds=1)))
    room.handle(opened)
    other.handle(closed)
    room.clock.pass_until(room.clock.now + timedelta(minutes=5))
    assert room.handle(opened).done == "Handled before"
    assert content(room.card) == state(closed)
    assert payload(room.card)["deliveries"] == [opened.delivery_id]


def test_a_card_that_another_instance_may_be_removing_is_left_to_it(sluggish: Rooms) -> None:
    """Within the first minute two cards may be a race that is still being settled."""
    room = sluggish.room()
    other, issue = room.another(), room.issue()
    events = [room.read(issue.opened()), room.read(issue.labeled(MONA, room.clock.now, "a"))]
    room.handle(events[0])
    other.handle(events[1])
    room.clock.pass_until(room.clock.now + timedelta(seconds=35))
    room.handle(room.read(issue.labeled(MONA, room.clock.now, "b")))
    assert len(room.cards) == 2


# Routes and labels


def a_route(name: str, channel: str, **changes: Any) -> Route:
    """Return a route that hears everything, but for the changes."""
    every: dict[str, Any] = dict.fromkeys(
        ("labels_any", "labels_all", "labels_none", "events", "mute_authors", "mention"), ()
    )
    plain = {"repositories": ("*",), "private": "any", "format": "compact"}
    return Route(**{"name": name, "channels": (channel,), **every, **plain, **changes})


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["bug", "wontfix", "closed", "reopened"]), max_size=7), st.data())
def test_each_channel_has_one_card_of_what_it_heard_last(
    house: Rooms, steps: list[str], data: st.DataObject
) -> None:
    """Labels that come and go, in any order of arrival: a card per matching channel, and none elsewhere."""
    places = {name: house.room() for name in ("all", "bugs", "wanted")}
    room = places["all"]
    routes = Routes(
        routes=(
            a_route("all", places["all"].channel),
            a_route("bugs", places["bugs"].channel, labels_any=("Bug",)),
            a_route("wanted", places["wanted"].channel, labels_none=("wontfix",)),
        )
    )
    issue, at = room.issue(), room.clock.now
    events = [room.read(issue.opened())]
    for step in steps:
        at += timedelta(seconds=2)
        if step in {"bug", "wontfix"}:
            change = issue.unlabeled if step in issue.labels else issue.labeled
            events.append(room.read(change(MONA, at, step), at=at))
        elif (step == "closed") is (issue.state == "open"):
            events.append(room.read(happen(issue, step, at), at=at))
    heard: dict[str, list[tuple[Hearing, IssueEvent]]] = {place.channel: [] for place in places.values()}
    for event in data.draw(st.permutations(events)):
        room.clock.pass_until(event.received_at)
        for hearing in routes.hearings(event):
            known = heard[hearing.channel]
            if known or not hearing.leaving:
                known.append((hearing, event))
            room.living.handle(hearing, event, shown(event))
    for place in places.values():
        if known := heard[place.channel]:
            hearing, event = max(known, key=lambda each: index.as_of(each[1], shown(each[1])))
            built = card.build(event, shown(event), hearing, GITHUB)
            assert place.card.text == built.text
            assert ("not follow" in str(place.card.blocks)) is hearing.leaving
        else:
            assert not place.cards
