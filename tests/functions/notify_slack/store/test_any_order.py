"""Events in any order, with duplicates and faults, against the strict stand-in for Slack."""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.notify_slack.cards import card, thread_reply
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination, Route, Routes
from tests.functions.notify_slack.store.support import apply, card_content, content, payload
from tests.support.workspace import MONA, Channel, Fault, Workspace

STEPS = ["labeled", "commented", "closed", "reopened", "edited", "assigned"]
histories = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from([0, 1, 60, 5_000])), min_size=1, max_size=8
)
ends = st.sampled_from(["", "", "deleted", "transferred"])
faults = st.none() | st.builds(
    Fault, kind=st.sampled_from(["crash", "answer_lost", "request_lost", "refused"]), call=st.integers(1, 10)
)


@pytest.fixture(scope="module")
def workspaces(workspace: Workspace, lagging: Workspace) -> dict[float, Workspace]:
    """Return the workspaces by the lag of their histories in seconds."""
    return {0.0: workspace, 2.0: lagging}


@pytest.mark.parametrize("lag", [0.0, 2.0])
@settings(derandomize=True, database=None, deadline=None, max_examples=25)
@given(histories, ends, st.data())
def test_any_order_of_deliveries_ends_with_one_card_of_the_newest_state(
    workspaces: dict[float, Workspace],
    lag: float,
    steps: list[tuple[str, int]],
    end: str,
    data: st.DataObject,
) -> None:
    """In any order of deliveries there is one card of the newest state, with each expected reply once.

    This holds in both channels of a delivery, for either layout, on either of two instances, and also if the
    history lags, which may take more calls.
    """
    workspace = workspaces[lag]
    channel, second = workspace.channel(), workspace.channel()
    people = {"worker-0": "U0AAAAAAA", "mona": "U0BBBBBBB"}
    destinations = (
        Destination(channel=channel.id),
        Destination(channel=second.id, format="full", people=people, mention=("U0CCCCCCC",)),
    )
    instances = (channel, channel.another())
    events = deliveries(channel, steps, end)
    indices = range(len(events))
    repeated = data.draw(st.lists(st.sampled_from(indices), max_size=4))
    waiting = [events[index] for index in data.draw(st.permutations([*indices, *repeated]))]
    attempts = 0
    while waiting:
        event = waiting.pop(0)
        if event.is_deletion and not (channel.cards and second.cards):
            waiting.append(event)  # a deletion makes no card, and only its own instance remembers it
            continue
        attempts += 1
        fault = data.draw(faults) if attempts <= 25 else None
        before = len(workspace.server.requests)
        shown_in = [for_event(destination, event) for destination in destinations]
        if not data.draw(st.sampled_from(instances)).attempt(event, shown_in, fault):
            waiting.insert(data.draw(st.integers(0, len(waiting))), event)
        for destination in destinations if not (lag or event.is_deletion) else ():
            assert_within_bounds(workspace.server.requests[before:], destination.channel)
        channel.clock.pass_until(
            channel.clock.now + timedelta(seconds=data.draw(st.sampled_from([0, 2, 4_000])))
        )
    for each, destination in zip((channel, second), destinations, strict=True):
        assert_shown(each, destination, events)
    assert not any(arguments.get("reply_broadcast") for _, arguments in workspace.server.requests)
    if calls_to_closed(events):  # once the issue is open again, a late opening calls people
        channel.attempt(events[0], destinations, None)
    calls = channel.calls(
        lambda: [
            channel.attempt(event, [for_event(destination, event) for destination in destinations], None)
            for event in events
        ]
    )
    assert set(calls) <= {"conversations.history", "conversations.replies"}


def deliveries(channel: Channel, steps: list[tuple[str, int]], end: str) -> list[CardEvent]:
    """Return the events of an issue's life as the function reads them."""
    issue, at = channel.issue(), channel.clock.now
    events = [channel.receive(issue.opened())]
    for step, seconds in [*steps, *([(end, 1)] if end else [])]:
        if (step == "closed") is (issue.state == "closed") and step in {"closed", "reopened"}:
            continue
        if step == "reopened" and issue.state != "closed":
            continue
        at += timedelta(seconds=seconds)
        events.append(channel.receive(apply(issue, step, at), at=at))
    return events


def for_event(destination: Destination, event: CardEvent) -> Destination:
    """Return the destination of the event: only an opening mentions people."""
    return destination if event.is_opening else replace(destination, mention=())


def without_marker(found: tuple[str, str]) -> tuple[str, str]:
    """Return the content of a card without the block's id that says whom it has mentioned."""
    return found[0], re.sub('"block_id": "mentioned:[^"]*", ', "", found[1])


def final_contents(events: list[CardEvent], destination: Destination) -> set[tuple[str, str]]:
    """Return the contents that the card may end with: several only if one second has several events."""
    final = [event for event in events if event.is_final]
    latest = max(event.shown_at for event in events)
    last = final or [event for event in events if event.shown_at == latest]
    strong = [event for event in last if event.received.event == "issues" and not event.is_new]
    return {
        without_marker(card_content(event, for_event(destination, event), close))
        for event in strong or last
        for close in known_closes(event, events)
    }


def known_closes(event: CardEvent, events: list[CardEvent]) -> list[CardEvent | None]:
    """Return the closes that the event's card may name; None is one if their second has other events."""
    wanted = event.issue.closed_at
    if wanted is None or event.is_close or event.is_final:
        return [None]
    in_that_second = [
        each for each in events if each.received.event == "issues" and each.issue.updated_at == wanted
    ]
    found: list[CardEvent | None] = [each for each in in_that_second if each.is_close]
    return found if len(in_that_second) == 1 else [*found, None]


def assert_within_bounds(calls: list[tuple[str, dict[str, Any]]], channel_id: str) -> None:
    """Assert that one attempt made no more calls than a card, its look-ups and one reply need."""
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


def expected_replies(
    events: list[CardEvent], destination: Destination, posted_by: str
) -> dict[str, tuple[str, str]]:
    """Return the replies by delivery, if the delivery `posted_by` has posted the card."""
    expected = {}
    for event in events:
        is_poster = event.delivery_id == posted_by
        mentioning = replace(destination, mention=()) if is_poster else for_event(destination, event)
        if message := thread_reply.build(event, mentioning):
            expected[event.delivery_id] = content(message)
    return expected


def assert_shown(channel: Channel, destination: Destination, events: list[CardEvent]) -> None:
    """Assert that there is one card of the newest state, with each expected reply once in its thread."""
    assert without_marker(content(channel.card)) in final_contents(events, destination)
    assert payload(channel.card)["issue"] == events[0].key
    wanted = expected_replies(events, destination, payload(channel.card)["deliveries"][0])
    told = Counter(payload(reply)["delivery_id"] for reply in channel.replies)
    if any(event.is_deletion for event in events):
        # What arrives after the deletion has no reply, and what was said before it is taken back.
        assert told <= Counter(list(wanted))
        assert not any("commented" in reply.text for reply in channel.replies)
    else:
        assert max(told.values(), default=1) == 1
        assert {payload(reply)["delivery_id"]: content(reply) for reply in channel.replies} == {
            delivery: wanted[delivery] for delivery in told
        }
        assert set(wanted) - set(told) <= told_by_another(events, set(told)) | calls_to_closed(events)
    assert {reply.thread_ts for reply in channel.replies} <= {channel.card.ts}


def told_by_another(events: list[CardEvent], told: set[str]) -> set[str]:
    """Return the closes and reopenings whose reply is that of another one within two seconds."""
    states = [event for event in events if event.name in {("issues", "closed"), ("issues", "reopened")}]
    return {
        event.delivery_id
        for event in states
        for other in states
        if other.delivery_id in told
        and other.name == event.name
        and abs(other.shown_at - event.shown_at) <= timedelta(seconds=2)
    }


def calls_to_closed(events: list[CardEvent]) -> set[str]:
    """Return the opening, whose reply only calls people, if it may arrive when the card shows a close."""
    may_be_late = any(event.issue.state == "closed" for event in events)
    return {event.delivery_id for event in events if event.is_opening and may_be_late}


# Routes and labels


def a_route(name: str, channel: str, **changes: Any) -> Route:
    """Return a route that every event matches, except for the changes."""
    every: dict[str, Any] = dict.fromkeys(
        ("labels_any", "labels_all", "labels_none", "events", "mute_authors", "mention"), ()
    )
    plain = {"repositories": ("*",), "private": "any", "format": "compact"}
    return Route(**{"name": name, "channels": (channel,), **every, **plain, **changes})


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["bug", "wontfix", "closed", "reopened"]), max_size=7), st.data())
def test_each_channel_has_one_card_of_the_last_event_routed_to_it(
    workspace: Workspace, steps: list[str], data: st.DataObject
) -> None:
    """In any order of label events, each channel has one card of the last event that is routed to it."""
    channels = {name: workspace.channel() for name in ("all", "bugs", "wanted")}
    channel = channels["all"]
    routes = Routes(
        routes=(
            a_route("all", channels["all"].id),
            a_route("bugs", channels["bugs"].id, labels_any=("Bug",)),
            a_route("wanted", channels["wanted"].id, labels_none=("wontfix",)),
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
            events.append(channel.receive(apply(issue, step, at), at=at))
    routed: dict[str, list[tuple[Destination, CardEvent]]] = {each.id: [] for each in channels.values()}
    for event in data.draw(st.permutations(events)):
        channel.clock.pass_until(event.received.received_at)
        for destination in routes.destinations(event.received):
            known = routed[destination.channel]
            if known or not destination.final_update:
                known.append((destination, event))
            channel.card_store.upsert(event, destination)
    for each in channels.values():
        if known := routed[each.id]:
            destination, event = max(known, key=lambda pair: pair[1].shown_at)
            built = card.build(event, destination)
            assert each.card.text == built.text
            assert ("not follow" in str(each.card.blocks)) is destination.final_update
        else:
            assert not each.cards
