"""While two instances run, each issue of a burst is shown: in a card or in a burst message."""

import os
import random
from collections import Counter, deque

import pytest

from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from pipeline.errors import Unavailable
from tests.functions.notify_slack.store.support import bursts, cards, linked
from tests.support.interleaving import Interleaving
from tests.support.workspace import MONA, Channel, Crash, Fault, Workspace

LIMIT = 5
ISSUES = 150
SEEDS = range(int(os.environ.get("SEEDS", "1")))  # more of them for docs/guarantees.md
FAULTS = ("crash", "answer_lost", "request_lost", "refused")


def shown(channel: Channel) -> Counter[int]:
    """Return how often each issue is in a card or a burst message."""
    return Counter(linked(*cards(channel), *bursts(channel)))


def deliver(channel: Channel, events: list[CardEvent], seed: int, faults: float) -> None:
    """Deliver the events to two instances, in turn by call; an event that fails is delivered again.

    `faults` is the part of the calls that fail. An instance that crashes starts again.
    """
    instances = [channel, channel.another()]
    waiting = deque(events)
    turns = Interleaving(seed, threads=len(instances))

    def before_call(index: int) -> None:
        turns.step(index)
        channel.server.clear_faults()
        channel.clock.sleep(0.1)
        if turns.random.random() < faults:
            Fault(kind=turns.random.choice(FAULTS), call=0).occur(channel)

    def work(index: int) -> None:
        instance = instances[index]
        while waiting:
            event = waiting.popleft()
            try:
                instance.handle(event)
            except Unavailable:
                waiting.append(event)
            except Crash:
                instance.restart()
                waiting.append(event)

    for index, instance in enumerate(instances):
        instance.slack.before_each = lambda index=index: before_call(index)
    turns.run([lambda index=index: work(index) for index in range(len(instances))])
    channel.server.clear_faults()


def opened(channel: Channel, seed: int) -> list[CardEvent]:
    """Return the events of issues that are opened at the same time, in an order that the seed decides."""
    events = [channel.receive(channel.issue(number=number).opened()) for number in range(1, ISSUES + 1)]
    random.Random(seed).shuffle(events)
    return events


@pytest.mark.parametrize("seed", SEEDS)
def test_two_instances_show_each_issue_of_a_burst_once(workspace: Workspace, seed: int) -> None:
    """Two instances that take turns in any order show each of 150 new issues exactly once."""
    channel = workspace.channel(fold_over=LIMIT)
    deliver(channel, opened(channel, seed), seed, faults=0)
    assert shown(channel) == Counter(range(1, ISSUES + 1))
    assert len(bursts(channel)) < 10


@pytest.mark.parametrize("seed", SEEDS)
def test_two_failing_instances_show_each_issue_of_a_burst(workspace: Workspace, seed: int) -> None:
    """Crashes, lost answers and refusals lose no issue that is acknowledged, and double none."""
    channel = workspace.channel(fold_over=LIMIT)
    deliver(channel, opened(channel, seed), seed, faults=0.04)
    assert shown(channel) == Counter(range(1, ISSUES + 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_two_instances_show_each_labeled_issue_of_a_burst(workspace: Workspace, seed: int) -> None:
    """Two simultaneous deliveries of each issue, one to each instance, lose none and list few twice."""
    channel = workspace.channel(fold_over=LIMIT)
    issues = [channel.issue(number=number) for number in range(1, ISSUES // 2 + 1)]
    now = channel.clock.now
    events = [(each.opened(), each.labeled(MONA, now, "bug")) for each in issues]
    deliver(channel, [channel.receive(event) for pair in events for event in pair], seed, faults=0)
    found = shown(channel)
    assert found.keys() == set(range(1, ISSUES // 2 + 1))
    assert sum(count > 1 for count in found.values()) <= 10


def test_the_younger_burst_message_gives_way(workspace: Workspace) -> None:
    """An issue that two instances add at once stays in the older burst message only."""
    older = workspace.channel(fold_over=1)
    younger = older.another()
    for number, instance in ((1, older), (2, older), (3, younger)):
        instance.handle(older.receive(older.issue(number=number).opened()))
        older.clock.sleep(1)
    assert [linked(burst) for burst in bursts(older)] == [[2], [3]]
    issue = older.issue(number=4)
    opened, labeled = (
        older.receive(issue.opened()),
        older.receive(issue.labeled(MONA, older.clock.now, "bug")),
    )
    younger.slack.calls = 0
    younger.slack.before = {2: lambda: older.card_store.upsert(opened, Destination(channel=older.id))}
    assert younger.handle(labeled).ts == bursts(older)[0].ts
    assert [linked(burst) for burst in bursts(older)] == [[2, 4], [3]]
    younger.handle(older.receive(older.issue(number=5).opened()))
    assert [linked(burst) for burst in bursts(older)] == [[2, 4], [3, 5]]
