"""While two instances run, each issue of a burst is shown: in a card or in a burst message."""

import random
from collections import Counter, deque

import pytest

from functions.notify_slack.routing.eligibility import CardEvent
from pipeline.errors import Unavailable
from tests.functions.notify_slack.store.support import bursts, cards, linked
from tests.support.interleaving import Interleaving
from tests.support.workspace import Channel, Crash, Fault, Workspace

LIMIT = 5
ISSUES = 150
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


@pytest.mark.parametrize("seed", range(2))
def test_two_instances_show_each_issue_of_a_burst_once(workspace: Workspace, seed: int) -> None:
    """Two instances that take turns in any order show each of 150 new issues exactly once."""
    channel = workspace.channel(fold_over=LIMIT)
    deliver(channel, opened(channel, seed), seed, faults=0)
    assert shown(channel) == Counter(range(1, ISSUES + 1))
    assert len(bursts(channel)) < 10


@pytest.mark.parametrize("seed", range(2))
def test_two_failing_instances_show_each_issue_of_a_burst(workspace: Workspace, seed: int) -> None:
    """Crashes, lost answers and refusals lose no issue that is acknowledged."""
    channel = workspace.channel(fold_over=LIMIT)
    deliver(channel, opened(channel, seed), seed, faults=0.04)
    assert shown(channel).keys() == set(range(1, ISSUES + 1))
