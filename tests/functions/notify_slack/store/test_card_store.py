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

from clients.slack.blocks import Message
from clients.slack.client import Slack
from functions.notify_slack.cards import card, metadata, thread_reply
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination, Route, Routes
from functions.notify_slack.store import channel_history
from functions.notify_slack.store.outcome import UpsertResult
from local.slack.message import Message as StoredMessage
from ops.send import accounts, payloads
from pipeline.errors import Unavailable
from tests.support.messages import NOON
from tests.support.workspace import (
    MONA,
    TOKEN,
    Channel,
    Crash,
    Fault,
    Workspace,
    running_workspace,
)

ELSEWHERE = accounts.Repository(full_name="acme/elsewhere")
COMPACT = Destination(channel="C1")


def content(message: Message | StoredMessage) -> tuple[str, str]:
    """Return what is seen of a message, as it is on the wire."""
    blocks = list(message.blocks)
    return message.text, json.dumps(blocks, sort_keys=True)


def state(
    event: CardEvent, destination: Destination = COMPACT, close: CardEvent | None = None
) -> tuple[str, str]:
    """Return what the card of the event shows, where it follows that of the close."""
    before = card_of(close, destination) if close else None
    return content(card.build(event, destination, before))


def card_of(event: CardEvent, destination: Destination) -> metadata.PostedCard:
    """Return the card that the event makes, as it is found."""
    made = card.build(event, destination)
    message = {"ts": "1", "blocks": made.blocks, "metadata": made.metadata}
    found = metadata.read_card(message, event.key)
    assert found is not None
    return found


def payload(kept: StoredMessage) -> dict[str, Any]:
    """Return the metadata of a message."""
    assert kept.metadata is not None
    return dict(kept.metadata["event_payload"])


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    """Return the workspace that all tests share."""
    with running_workspace() as running:
        yield running


@pytest.fixture(scope="module")
def lagging() -> Iterator[Workspace]:
    """Return a workspace whose history shows a message two seconds late."""
    with running_workspace(history_lag=2.0) as running:
        yield running


@pytest.fixture(scope="module")
def workspaces(workspace: Workspace, lagging: Workspace) -> dict[float, Workspace]:
    """Return the workspaces by how many seconds their histories lag."""
    return {0.0: workspace, 2.0: lagging}


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    """Return an empty channel."""
    return workspace.channel()


# Any life, any order, any fault


STEPS = ["labeled", "commented", "closed", "reopened", "edited", "assigned"]
lives = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from([0, 1, 60, 5_000])), min_size=1, max_size=8
)
ends = st.sampled_from(["", "", "deleted", "transferred"])
faults = st.none() | st.builds(
    Fault, kind=st.sampled_from(["crash", "answer_lost", "request_lost", "refused"]), call=st.integers(1, 10)
)


def happen(issue: payloads.Issue, step: str, at: datetime) -> payloads.Event:  # noqa: PLR0911 - a table
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
            return issue.assigned(MONA, at, accounts.Account(login=f"worker-{len(issue.assignees)}"))
        case "deleted":
            return issue.deleted(MONA, at)
        case _:
            return issue.transferred(MONA, at, ELSEWHERE, 3)[0]


def live(channel: Channel, steps: list[tuple[str, int]], end: str) -> list[CardEvent]:
    """Return the events of an issue's life, as they arrive."""
    issue, at = channel.issue(), channel.clock.now
    events = [channel.receive(issue.opened())]
    for step, seconds in [*steps, *([(end, 1)] if end else [])]:
        if (step == "closed") is (issue.state == "closed") and step in {"closed", "reopened"}:
            continue
        if step == "reopened" and issue.state != "closed":
            continue
        at += timedelta(seconds=seconds)
        events.append(channel.receive(happen(issue, step, at), at=at))
    return events


def newest(events: list[CardEvent], destination: Destination) -> set[tuple[str, str]]:
    """Return the states that may be the last: several only of one and the same second."""
    final = [event for event in events if event.is_final]
    latest = max(event.shown_at for event in events)
    last = final or [event for event in events if event.shown_at == latest]
    strong = [event for event in last if event.received.event == "issues" and not event.is_new]
    return {state(event, destination, close) for event in strong or last for close in closes(event, events)}


def closes(event: CardEvent, events: list[CardEvent]) -> list[CardEvent | None]:
    """Return those of which the event's card says who did it: none only where one second holds more."""
    wanted = event.issue.closed_at
    if wanted is None or event.is_close or event.is_final:
        return [None]
    of_the_second = [
        each for each in events if each.received.event == "issues" and each.issue.updated_at == wanted
    ]
    found: list[CardEvent | None] = [each for each in of_the_second if each.is_close]
    return found if len(of_the_second) == 1 else [*found, None]


def assert_within_bounds(calls: list[tuple[str, dict[str, Any]]], channel_id: str) -> None:
    """One look-up of at most two windows, a confirming one, one post or update, one reading, one reply."""
    count = Counter(
        "reply" if method == "chat.postMessage" and "thread_ts" in arguments else method
        for method, arguments in calls
        if arguments["channel"] == channel_id
    )
    posted = count["chat.postMessage"]
    assert posted + count["chat.update"] <= 1
    assert count["conversations.history"] <= 2 + posted
    assert count["conversations.replies"] <= 1
    assert count["reply"] <= 1
    assert count["chat.delete"] == 0


def due_replies(
    events: list[CardEvent], destination: Destination, posted_by: str
) -> dict[str, tuple[str, str]]:
    """Return by delivery what a thread holds, where the delivery `posted_by` has made the card."""
    due = {}
    for event in events:
        told = replace(destination, mention=()) if event.delivery_id == posted_by else destination
        if message := thread_reply.build(event, told):
            due[event.delivery_id] = content(message)
    return due


def assert_shown(channel: Channel, destination: Destination, events: list[CardEvent]) -> None:
    """One card of the newest state, every due reply in its thread, and none twice."""
    assert content(channel.card) in newest(events, destination)
    assert payload(channel.card)["issue"] == events[0].key
    wanted = due_replies(events, destination, payload(channel.card)["deliveries"][0])
    assert Counter(payload(told)["delivery_id"] for told in channel.replies) == Counter(list(wanted))
    assert {payload(told)["delivery_id"]: content(told) for told in channel.replies} == wanted
    assert {told.thread_ts for told in channel.replies} <= {channel.card.ts}


@pytest.mark.parametrize("lag", [0.0, 2.0])
@settings(derandomize=True, database=None, deadline=None, max_examples=25)
@given(lives, ends, st.data())
def test_any_life_ends_with_one_card_of_the_newest_state(
    workspaces: dict[float, Workspace],
    lag: float,
    steps: list[tuple[str, int]],
    end: str,
    data: st.DataObject,
) -> None:
    """Duplicates, any order, lost answers and crashes: one card, the newest state, each due reply once.

    In both channels of a delivery, whatever their formats are, whichever instance it comes to, and also when
    the history lags; then it may take more calls.
    """
    workspace = workspaces[lag]
    channel, second = workspace.channel(), workspace.channel()
    people = {"worker-0": "U0AAAAAAA", "mona": "U0BBBBBBB"}
    destinations = (
        Destination(channel=channel.id),
        Destination(channel=second.id, format="full", people=people, mention=("U0CCCCCCC",)),
    )
    instances = (channel, channel.another())
    events = live(channel, steps, end)
    places = range(len(events))
    repeated = data.draw(st.lists(st.sampled_from(places), max_size=4))
    waiting = [events[place] for place in data.draw(st.permutations([*places, *repeated]))]
    attempts = 0
    while waiting:
        event = waiting.pop(0)
        attempts += 1
        fault = data.draw(faults) if attempts <= 25 else None
        before = len(workspace.server.requests)
        if not data.draw(st.sampled_from(instances)).attempt(event, destinations, fault):
            waiting.insert(data.draw(st.integers(0, len(waiting))), event)
        for destination in destinations if not lag else ():
            assert_within_bounds(workspace.server.requests[before:], destination.channel)
        channel.clock.pass_until(
            channel.clock.now + timedelta(seconds=data.draw(st.sampled_from([0, 2, 4_000])))
        )
    for place, destination in zip((channel, second), destinations, strict=True):
        assert_shown(place, destination, events)
    assert not any(arguments.get("reply_broadcast") for _, arguments in workspace.server.requests)
    calls = channel.calls(lambda: [channel.attempt(event, destinations, None) for event in events])
    assert set(calls) <= {"conversations.history", "conversations.replies"}


# Two instances


@pytest.mark.parametrize("at", [2, 3, 4])
def test_two_instances_with_the_same_opened_end_with_one_card(workspace: Workspace, at: int) -> None:
    """Whether they meet before both post, or between post and second look-up: the younger removes itself."""
    channel = workspace.channel()
    other = channel.another()
    event = channel.receive(channel.issue().opened())
    channel.clock.pass_until(event.received.received_at)
    meeting = threading.Barrier(2)
    for instance in (channel, other):
        instance.slack.before = {at: lambda: wait(meeting)}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda instance: instance.handle(event), [channel, other]))
    assert content(channel.card) == state(event)
    assert payload(channel.card)["deliveries"] == [event.delivery_id]
    assert not channel.replies


def wait(meeting: threading.Barrier) -> None:
    """Wait for the other instance, if it comes so far."""
    try:
        meeting.wait(0.5)
    except threading.BrokenBarrierError:
        return


@pytest.mark.parametrize("at", [2, 3])
def test_opened_and_five_labeled_at_once_end_with_one_card(workspace: Workspace, at: int) -> None:
    """Six instances, none of which sees a card at first; every delivery is on the one that stays."""
    channel = workspace.channel()
    channels = [channel.another() for _ in range(6)]
    events = opened_and_labeled(channel)
    channel.clock.pass_until(events[-1].received.received_at)
    meeting = threading.Barrier(6)
    for instance in channels:
        instance.slack.before = {at: lambda: wait(meeting)}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda pair: pair[0].handle(pair[1]), zip(channels, events, strict=True)))
    assert len(channel.cards) == 1


def opened_and_labeled(channel: Channel) -> list[CardEvent]:
    """Return what GitHub sends for an issue that is made with five labels: all of one second."""
    issue, at = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    return [opened, *(channel.receive(issue.labeled(MONA, at, f"l{number}"), at=at) for number in range(5))]


def test_opened_and_five_labeled_make_one_card(channel: Channel) -> None:
    """One post and five updates; each look-up is one call."""
    events = opened_and_labeled(channel)
    calls = channel.calls(lambda: [channel.handle(event) for event in events])
    assert content(channel.card) == state(events[-1])
    assert payload(channel.card)["deliveries"] == [event.delivery_id for event in events]
    assert Counter(calls) == {"conversations.history": 7, "chat.postMessage": 1, "chat.update": 5}


def test_a_crash_before_the_second_look_up_leaves_no_second_card(workspace: Workspace) -> None:
    """The card that lost the race while its instance died is removed when its event comes again."""
    channel = workspace.channel()
    issue = channel.issue()
    opened, commented = (
        channel.receive(issue.opened()),
        channel.receive(issue.commented(MONA, channel.clock.now, "me too")),
    )
    other = channel.another()

    def meanwhile() -> None:
        other.handle(opened)

    def die() -> None:
        raise Crash

    channel.slack.before = {2: meanwhile, 3: die}
    with pytest.raises(Crash):
        channel.handle(commented)
    assert len(channel.cards) == 2
    assert channel.handle(commented).replied
    assert channel.card.text.startswith("New issue")
    assert [told.thread_ts for told in channel.replies] == [channel.card.ts]


# One thing at a time


def test_each_event_is_told_once_and_never_broadcast(channel: Channel) -> None:
    """The log's words: posted, updated, recorded, handled before."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    labeled = channel.receive(issue.labeled(MONA, start + timedelta(seconds=5), "bug"))
    closed = channel.receive(
        issue.closed(MONA, start + timedelta(seconds=9)), at=start + timedelta(seconds=9)
    )
    order = [opened, closed, labeled, opened, closed, labeled]
    outcomes = [channel.handle(event) for event in order]
    assert [outcome.outcome for outcome in outcomes] == [
        "posted",
        "updated",
        "recorded",
        *["already_handled"] * 3,
    ]
    assert [outcome.replied for outcome in outcomes] == [False, True, False, False, False, False]
    assert content(channel.card) == state(closed)


def test_no_call_is_made_that_tells_nothing_new(channel: Channel) -> None:
    """A thread without replies is not read; of a delivery that the card knows, its thread alone is."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    comments = [
        channel.receive(issue.commented(MONA, channel.clock.now, text)) for text in ("first", "second")
    ]
    post, update, read = "chat.postMessage", "chat.update", "conversations.replies"
    calls = [channel.calls(lambda event=event: channel.handle(event)) for event in [*comments, comments[-1]]]
    assert calls == [
        ["conversations.history", *more] for more in ([update, post], [update, read, post], [read])
    ]


def test_a_card_is_up_to_date_though_its_thread_takes_no_reply(channel: Channel) -> None:
    """An administrator locks a thread: the card shows the close, and its reply follows the unlocking."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    closed = channel.receive(issue.closed(MONA, channel.clock.now))
    channel.server.fail_next(1, error="restricted_action_thread_locked", method="chat.postMessage")
    with pytest.raises(Unavailable):
        channel.handle(closed)
    assert content(channel.card) == state(closed)
    assert channel.handle(closed).replied
    assert not channel.handle(closed).replied


def test_an_unknown_issue_is_posted_as_it_stands(channel: Channel) -> None:
    """A first comment years later makes a card without the word new, and its reply beneath."""
    issue = channel.issue(created_at=NOON - timedelta(days=900))
    issue.closed(MONA, NOON - timedelta(days=800))
    event = channel.receive(issue.commented(MONA, channel.clock.now, "still there?"))
    calls = channel.calls(lambda: channel.handle(event))
    assert calls == [
        "conversations.history",
        "conversations.history",
        "chat.postMessage",
        "conversations.history",
        "chat.postMessage",
    ]
    assert channel.card.text.startswith("Closed as completed: acme/app#7")
    assert [told.text for told in channel.replies] == ["mona commented: still there?"]
    assert channel.handle(event).outcome == "already_handled"


def test_the_look_up_reads_five_pages_at_most(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that is too busy gets a second card rather than a look-up without end."""
    monkeypatch.setattr("clients.slack.client.PAGE", 1)
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    for number in range(100, 107):
        channel.handle(channel.receive(channel.issue(number=number).opened()))
    channel.clock.pass_until(channel.clock.now + timedelta(hours=2))
    event = channel.receive(issue.labeled(MONA, channel.clock.now, "bug"))
    calls = channel.calls(lambda: channel.handle(event))
    assert calls.count("conversations.history") == 5 + 1
    assert len(channel.cards) == 9


def test_the_last_twenty_deliveries_are_kept(channel: Channel) -> None:
    """Newest last; one that is forgotten changes nothing when it comes again, and is not told twice."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    first = channel.receive(issue.commented(MONA, start + timedelta(seconds=1), "first"))
    others = [
        channel.receive(issue.labeled(MONA, start + timedelta(seconds=2 + number), f"l{number}"))
        for number in range(25)
    ]
    for event in [opened, first, *others]:
        channel.handle(event)
    assert payload(channel.card)["deliveries"] == [event.delivery_id for event in others[-20:]]
    assert channel.handle(first) == UpsertResult(outcome="recorded", ts=channel.card.ts, replied=False)
    assert content(channel.card) == state(others[-1])
    assert len(channel.replies) == 1


def test_a_delivery_that_github_sends_again_later_is_not_told_twice(channel: Channel) -> None:
    """The same id, received hours later, when the card has forgotten it: the thread has not."""
    issue, start = channel.issue(), channel.clock.now
    comment = issue.commented(MONA, start, "first")
    channel.handle(channel.receive(issue.opened()))
    channel.handle(channel.receive(comment, "once", at=start))
    for number in range(25):
        channel.handle(
            channel.receive(issue.labeled(MONA, start + timedelta(seconds=2 + number), f"l{number}"))
        )
    channel.handle(channel.receive(comment, "once", at=start + timedelta(hours=5)))
    assert len(channel.replies) == 1


@pytest.mark.parametrize("end", ["deleted", "transferred"])
def test_an_end_is_final(channel: Channel, end: str) -> None:
    """Nothing that happened before and arrives later brings the issue back; a comment is told still."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    labeled = channel.receive(issue.labeled(MONA, start + timedelta(seconds=4), "late"), at=start)
    comment = channel.receive(issue.commented(MONA, start + timedelta(seconds=4), "late"), at=start)
    event = channel.receive(happen(issue, end, start + timedelta(seconds=4)), at=start + timedelta(seconds=4))
    for arrived in (opened, event, labeled, comment):
        channel.handle(arrived)
    assert content(channel.card) == state(event)
    assert channel.replies[-1].text == "mona commented: late"


def test_the_end_of_a_comment_is_not_that_of_its_issue(channel: Channel) -> None:
    """A comment that was deleted, told late, changes nothing: it is as old as the issue that it shows."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    comment = issue.commented(MONA, start + timedelta(seconds=1), "x")
    gone = channel.receive(
        payloads.Event(name=comment.name, payload={**comment.payload, "action": "deleted"})
    )
    closed = channel.receive(issue.closed(MONA, start + timedelta(seconds=9)))
    assert [channel.handle(event).outcome for event in (opened, closed, gone)] == [
        "posted",
        "updated",
        "recorded",
    ]
    assert content(channel.card) == state(closed)


def test_a_comment_of_the_same_second_does_not_bring_the_state_back(channel: Channel) -> None:
    """GitHub's close with a comment is two events of one second, and the comment may show it open."""
    issue, start = channel.issue(), channel.clock.now
    at = start + timedelta(seconds=30)
    opened = channel.receive(issue.opened())
    comment = channel.receive(issue.commented(MONA, at, "done"))
    closed = channel.receive(issue.closed(MONA, at))
    for event in (opened, closed, comment):
        channel.handle(event)
    assert content(channel.card) == state(closed)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_label_of_the_same_second_does_not_bring_the_state_back(
    channel: Channel, order: tuple[int, ...]
) -> None:
    """What labels an issue and closes it at once makes two events of one second, in any order of arrival."""
    issue, start = channel.issue(), channel.clock.now
    at = start + timedelta(seconds=30)
    opened, labeled = channel.receive(issue.opened()), channel.receive(issue.labeled(MONA, at, "stale"))
    closed = channel.receive(issue.closed(MONA, at))
    events = [opened, labeled, closed]
    for place in order:
        channel.handle(events[place])
    assert content(channel.card) == state(closed)


@pytest.mark.parametrize("steps", [("closed", "reopened"), ("closed", "reopened", "closed")])
def test_turns_of_the_same_second_win_as_they_arrive(channel: Channel, steps: tuple[str, ...]) -> None:
    """What is closed and reopened at once is open, and the other way round."""
    issue, start = channel.issue(), channel.clock.now
    at = start + timedelta(seconds=30)
    events = [channel.receive(issue.opened()), *(channel.receive(happen(issue, step, at)) for step in steps)]
    for event in events:
        channel.handle(event)
    assert content(channel.card) == state(events[-1])


def test_a_card_that_somebody_removed_is_posted_again(channel: Channel) -> None:
    """The next event finds none and posts the issue as it stands."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    channel.slack.delete(channel.id, channel.card.ts)
    channel.handle(channel.receive(issue.labeled(MONA, channel.clock.now, "bug")))
    assert channel.card.text.startswith("Open issue")


def test_a_card_that_somebody_removes_meanwhile_leaves_no_reply_in_the_channel(channel: Channel) -> None:
    """Between the update and the reply: the next delivery of the event posts both again, in their places."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    ts = channel.card.ts
    event = channel.receive(issue.commented(MONA, channel.clock.now, "x"))
    channel.slack.calls = 0
    channel.slack.before = {3: lambda: Slack(lambda: TOKEN, channel.server.url).delete(channel.id, ts)}
    with pytest.raises(Unavailable) as refusal:
        channel.handle(event)
    assert refusal.value.reason == "slack_thread_not_found"
    assert channel.messages == []
    channel.handle(event)
    assert [reply.thread_ts for reply in channel.replies] == [channel.card.ts]


EDGES = ["0001-01-01T00:00:00Z", "0001-01-01T00:05:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]


@pytest.mark.parametrize("moment", [*EDGES, "yesterday", None])
def test_a_moment_that_makes_no_sense_stops_no_event(channel: Channel, moment: str | None) -> None:
    """Wherever it stands in the payload: one card, and each reply once."""
    issue = channel.issue()
    happened = [issue.opened(), issue.closed(MONA, NOON), issue.commented(MONA, NOON, "x")]
    for event in happened:
        for name in ("created_at", "updated_at", "closed_at"):
            event.payload["issue"][name] = moment
    happened[2].payload["comment"]["created_at"] = moment
    for event in map(channel.receive, happened):
        for _ in range(2):
            channel.handle(event)
    assert len(channel.cards) == 1
    assert len(channel.replies) == 2


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"deliveries": "d-1", "updated_at": "rubbish"},
        {"deliveries": [], "updated_at": 7},
        {"deliveries": [None, 7, {}], "updated_at": {}},
    ],
)
def test_a_card_with_strange_metadata_is_brought_up_to_date(
    channel: Channel, written: dict[str, Any]
) -> None:
    """What cannot be read says nothing: the next event makes the card what it should be."""
    closed = channel.receive(channel.issue().closed(MONA, channel.clock.now))
    content_of_it = {"issue": closed.key, **written}
    posted = {"event_type": metadata.CARD, "event_payload": content_of_it}
    channel.slack.post(channel.id, Message(text="A card once", blocks=(), metadata=posted))
    outcomes = [channel.handle(closed) for _ in range(2)]
    assert [outcome.outcome for outcome in outcomes] == ["updated", "already_handled"]
    assert content(channel.card) == state(closed)
    assert payload(channel.card)["deliveries"][-1] == closed.delivery_id
    assert len(channel.replies) == 1


def test_issues_and_channels_do_not_mix(workspace: Workspace) -> None:
    """A card is one issue's in one channel."""
    channels = [workspace.channel(), workspace.channel()]
    issues = [channels[0].issue(number=7), channels[0].issue(number=77)]
    for channel in channels:
        for issue in issues:
            channel.handle(channel.receive(issue.opened()))
            channel.handle(channel.receive(issue.labeled(MONA, datetime.now(UTC), "bug")))
    assert [len(channel.cards) for channel in channels] == [2, 2]


def test_a_mention_of_a_new_issue_that_comes_second_is_a_reply(channel: Channel) -> None:
    """GitHub's labeled may overtake opened; whom new issues are shown to is pinged all the same, once."""
    issue = channel.issue()
    opened, labeled = (
        channel.receive(issue.opened()),
        channel.receive(issue.labeled(MONA, channel.clock.now, "bug")),
    )
    mention = ("U0AAAAAAA",)
    outcomes = [channel.handle(event, mention=mention) for event in (labeled, opened, opened, labeled)]
    assert [outcome.replied for outcome in outcomes] == [False, True, False, False]
    assert [told.text.count("<@U0AAAAAAA>") for told in channel.replies] == [1]
    assert "<@U0AAAAAAA>" not in str(channel.card.blocks)


def test_a_card_that_has_forgotten_its_first_delivery_pings_nobody_again(channel: Channel) -> None:
    """Who posted it is not known any more, and opened may have been it."""
    issue, start = channel.issue(), channel.clock.now
    opened = channel.receive(issue.opened())
    channel.handle(opened, mention=("U0AAAAAAA",))
    for number in range(20):
        channel.handle(
            channel.receive(issue.labeled(MONA, start + timedelta(seconds=2 + number), f"l{number}"))
        )
    channel.handle(opened, mention=("U0AAAAAAA",))
    assert not channel.replies


def test_an_old_event_does_not_open_the_door_for_another(channel: Channel) -> None:
    """A card stays as late as it was: two that are late, the older one first, change nothing."""
    issue, start = channel.issue(), channel.clock.now
    opened, *late, closed = [
        channel.receive(issue.opened()),
        channel.receive(issue.labeled(MONA, start + timedelta(seconds=2), "a")),
        channel.receive(issue.labeled(MONA, start + timedelta(seconds=4), "b")),
        channel.receive(issue.closed(MONA, start + timedelta(seconds=9))),
    ]
    outcomes = [channel.handle(event).outcome for event in (opened, closed, *late)]
    assert outcomes == ["posted", "updated", "recorded", "recorded"]
    assert content(channel.card) == state(closed)


def test_a_mention_of_a_new_issue_is_on_its_card(channel: Channel) -> None:
    """And nowhere else, also when opened comes again."""
    opened = channel.receive(channel.issue().opened())
    for _ in range(2):
        channel.handle(opened, mention=("U0AAAAAAA",))
    assert str(channel.card.blocks).count("<@U0AAAAAAA>") == 1
    assert not channel.replies


def test_without_replies_the_card_alone_is_changed(channel: Channel) -> None:
    """What a muted sender does is seen on the card, and nobody is told."""
    issue = channel.issue()
    closed = channel.receive(issue.closed(MONA, channel.clock.now))
    channel.handle(channel.receive(issue.opened()))
    channel.handle(closed, replies=False)
    assert channel.card.text.startswith("Closed")
    assert not channel.replies


def test_a_label_that_takes_an_issue_out_changes_its_card_and_makes_none(channel: Channel) -> None:
    """The card says that it is not followed any more; a channel without one stays as it is."""
    issue = channel.issue()
    left = channel.receive(issue.labeled(MONA, channel.clock.now, "wontfix"))
    assert channel.handle(left, final_update=True).outcome == "no_card"
    assert not channel.cards
    channel.handle(channel.receive(issue.opened()))
    channel.handle(
        channel.receive(issue.labeled(MONA, channel.clock.now + timedelta(seconds=1), "x")), final_update=True
    )
    assert content(channel.card) != state(left)
    assert "not follow" in str(channel.card.blocks)


# A history that lags


@pytest.fixture(scope="module")
def sluggish() -> Iterator[Workspace]:
    """Return a workspace whose history lags for longer than anybody waits for it."""
    with running_workspace(history_lag=30.0) as running:
        yield running


def test_a_post_is_done_once_the_history_shows_it(lagging: Workspace) -> None:
    """So the next event finds its card: six events within a second make one."""
    channel = lagging.channel()
    for event in opened_and_labeled(channel):
        channel.handle(event)
    assert len(payload(channel.card)["deliveries"]) == 6


def test_two_instances_wait_for_a_history_that_lags(lagging: Workspace) -> None:
    """Each has posted before the other's card can be seen; the younger is gone once both can."""
    channel = lagging.channel()
    event = channel.receive(channel.issue().opened())
    channel.clock.pass_until(event.received.received_at)
    meeting = threading.Barrier(2)
    instances = [channel, channel.another()]
    for instance in instances:
        instance.slack.before = {2: lambda: wait(meeting), 3: lambda: wait(meeting)}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda instance: instance.handle(event), instances))
    assert content(channel.card) == state(event)


def test_a_crash_while_the_history_lags_leaves_no_second_card(lagging: Workspace) -> None:
    """The next attempt does not see the first one's card until its own is seen, and then removes it."""
    channel = lagging.channel()
    event = channel.receive(channel.issue().opened())
    Fault(kind="crash", call=4).inject(channel)
    with pytest.raises(Crash):
        channel.handle(event)
    channel.restart()
    channel.handle(event)
    assert payload(channel.card)["deliveries"] == [event.delivery_id]


def test_the_wait_for_a_history_ends(sluggish: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five reads within four seconds the last one is used; with nine seconds left, the first."""
    channel = sluggish.channel()
    start = channel.clock.now
    event = channel.receive(channel.issue().opened(), at=start - timedelta(seconds=1))
    assert channel.calls(lambda: channel.handle(event)).count("conversations.history") == 1 + 5
    assert channel.clock.now - start == timedelta(seconds=3.75)
    event = channel.receive(channel.issue(number=8).opened())
    monkeypatch.setattr(channel_history, "remaining", lambda: 9.0)
    assert channel.calls(lambda: channel.handle(event)).count("conversations.history") == 1 + 1


def test_two_cards_that_a_lag_has_left_become_one_with_the_next_event(sluggish: Workspace) -> None:
    """Two instances cannot see each other's; the oldest takes over the newest state and all deliveries."""
    channel = sluggish.channel()
    other, issue = channel.another(), channel.issue()
    opened = channel.receive(issue.opened())
    closed = channel.receive(issue.closed(MONA, channel.clock.now + timedelta(seconds=1)))
    labeled = channel.receive(issue.labeled(MONA, channel.clock.now, "late"))
    channel.handle(opened)
    other.handle(closed)
    assert len(channel.cards) == 2
    oldest = channel.cards[0].ts
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=5))
    assert channel.handle(labeled).outcome == "recorded"
    assert channel.card.ts == oldest
    assert content(channel.card) == state(closed)
    assert payload(channel.card)["deliveries"] == [opened.delivery_id, labeled.delivery_id]


def test_a_repetition_that_finds_two_cards_keeps_the_newest_state(sluggish: Workspace) -> None:
    """What only the younger card shows is on the older one before the younger goes."""
    channel = sluggish.channel()
    other, issue = channel.another(), channel.issue()
    opened = channel.receive(issue.opened())
    closed = channel.receive(issue.closed(MONA, channel.clock.now + timedelta(seconds=1)))
    channel.handle(opened)
    other.handle(closed)
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=5))
    assert channel.handle(opened).outcome == "already_handled"
    assert content(channel.card) == state(closed)
    assert payload(channel.card)["deliveries"] == [opened.delivery_id]


def test_a_card_that_another_instance_may_be_removing_is_left_to_it(sluggish: Workspace) -> None:
    """Within the first minute two cards may be a race that is still being settled."""
    channel = sluggish.channel()
    other, issue = channel.another(), channel.issue()
    events = [channel.receive(issue.opened()), channel.receive(issue.labeled(MONA, channel.clock.now, "a"))]
    channel.handle(events[0])
    other.handle(events[1])
    channel.clock.pass_until(channel.clock.now + timedelta(seconds=35))
    channel.handle(channel.receive(issue.labeled(MONA, channel.clock.now, "b")))
    assert len(channel.cards) == 2


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
    workspace: Workspace, steps: list[str], data: st.DataObject
) -> None:
    """Labels that come and go, in any order of arrival: a card per matching channel, and none elsewhere."""
    places = {name: workspace.channel() for name in ("all", "bugs", "wanted")}
    channel = places["all"]
    routes = Routes(
        routes=(
            a_route("all", places["all"].id),
            a_route("bugs", places["bugs"].id, labels_any=("Bug",)),
            a_route("wanted", places["wanted"].id, labels_none=("wontfix",)),
        )
    )
    issue, at = channel.issue(), channel.clock.now
    events = [channel.receive(issue.opened())]
    for step in steps:
        at += timedelta(seconds=2)
        if step in {"bug", "wontfix"}:
            change = issue.unlabeled if step in issue.labels else issue.labeled
            events.append(channel.receive(change(MONA, at, step), at=at))
        elif (step == "closed") is (issue.state == "open"):
            events.append(channel.receive(happen(issue, step, at), at=at))
    heard: dict[str, list[tuple[Destination, CardEvent]]] = {place.id: [] for place in places.values()}
    for event in data.draw(st.permutations(events)):
        channel.clock.pass_until(event.received.received_at)
        for destination in routes.destinations(event.received):
            known = heard[destination.channel]
            if known or not destination.final_update:
                known.append((destination, event))
            channel.card_store.upsert(event, destination)
    for place in places.values():
        if known := heard[place.id]:
            destination, event = max(known, key=lambda each: each[1].shown_at)
            built = card.build(event, destination)
            assert place.card.text == built.text
            assert ("not follow" in str(place.card.blocks)) is destination.final_update
        else:
            assert not place.cards
