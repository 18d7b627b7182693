"""One delivery in several channels: what is done in one is not repeated while another refuses."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from functions.notify_slack.store.fan_out import FanOut
from local.slack.access import Access
from pipeline.errors import Unavailable
from tests.functions.notify_slack.store.support import bursts, cards, linked
from tests.support.workspace import Channel, Workspace, running_workspace

STUCK = 250
ONE, TWO, THREE = (Destination(channel=name) for name in ("C1", "C2", "C3"))


@pytest.fixture
def event(channel: Channel) -> CardEvent:
    """Return an event."""
    return channel.receive(channel.issue().opened())


class Act:
    """Records the channels; those of `refusing` refuse."""

    def __init__(self, *refusing: Destination) -> None:
        self.refusing = list(refusing)
        self.channels: list[str] = []

    def __call__(self, _event: CardEvent, destination: Destination) -> None:
        """Act on one channel."""
        self.channels.append(destination.channel)
        if destination in self.refusing:
            raise Unavailable(f"refused_{destination.channel}", "x")


def reason_of(call: Callable[[], None]) -> str:
    """Return the reason of the error that the call raises."""
    with pytest.raises(Unavailable) as caught:
        call()
    return caught.value.reason


def test_a_retry_acts_only_where_the_delivery_failed(event: CardEvent) -> None:
    """Channels that are done are skipped, over any number of retries; the first failure is raised."""
    fan_out, act = FanOut(), Act(ONE, THREE)
    assert reason_of(lambda: fan_out.run(event, (ONE, TWO, THREE), act)) == "refused_C1"
    act.refusing = [THREE]
    assert reason_of(lambda: fan_out.run(event, (ONE, TWO, THREE), act)) == "refused_C3"
    act.refusing = []
    fan_out.run(event, (ONE, TWO, THREE), act)
    assert act.channels == ["C1", "C2", "C3", "C1", "C3", "C3"]


def test_a_delivery_that_succeeded_is_forgotten(event: CardEvent) -> None:
    """A replay of a delivery that succeeded acts on every channel again, however often it failed before."""
    fan_out, act = FanOut(), Act(TWO)
    reason_of(lambda: fan_out.run(event, (ONE, TWO), act))
    act.refusing = []
    for _ in range(2):
        fan_out.run(event, (ONE, TWO), act)
    assert act.channels == ["C1", "C2", "C2", "C1", "C2"]


def test_the_oldest_deliveries_are_dropped(channel: Channel) -> None:
    """The number of remembered deliveries is bounded; what is dropped is looked up in Slack again."""
    fan_out, act = FanOut(limit=2), Act(TWO)
    events = [channel.receive(channel.issue(number=number).opened()) for number in range(3)]
    for event in [*events, *reversed(events)]:
        reason_of(lambda event=event: fan_out.run(event, (ONE, TWO), act))
    assert len(fan_out._done) == 2
    assert act.channels.count("C1") == 4


def test_a_bug_is_raised_at_once(event: CardEvent) -> None:
    """An error that no one answers for is raised, and nothing is remembered as done that is not."""

    def act(_event: CardEvent, _destination: Destination) -> None:
        raise ValueError("x")

    fan_out, later = FanOut(), Act()
    with pytest.raises(ValueError, match="x"):
        fan_out.run(event, (ONE, TWO), act)
    fan_out.run(event, (ONE, TWO), later)
    assert later.channels == ["C1", "C2"]


# A channel that is archived


@pytest.fixture
def half_archived() -> Iterator[Workspace]:
    """Return a workspace whose second channel is archived."""
    with running_workspace(archived=["C0001"]) as running:
        yield running


def test_stuck_deliveries_cost_no_calls(half_archived: Workspace) -> None:
    """250 deliveries that wait for an archived channel read the good one once, the archived one once a step.

    Once it is unarchived, every issue is shown once in both.
    """
    good, archived = half_archived.channel(fold_over=10), half_archived.channel(fold_over=10)
    archived.card_store, server, clock = good.card_store, good.server, good.slack.clock
    events = [good.receive(good.issue(number=number).opened()) for number in range(1, STUCK + 1)]
    destinations, fan_out = tuple(Destination(channel=each.id) for each in (good, archived)), FanOut()

    def upsert(event: CardEvent, destination: Destination) -> None:
        good.card_store.upsert(event, destination)

    def passes(seconds: int) -> None:
        good.clock.pass_until(good.clock.now + timedelta(seconds=seconds))
        clock.sleep(seconds)

    for seconds in (5, 5, 10, 10, 40, 80, 160, 5):
        for event in events:
            refused = reason_of(lambda event=event: fan_out.run(event, destinations, upsert))
            assert refused == "slack_is_archived"
        passes(seconds)
    calls = Counter((method, arguments["channel"]) for method, arguments in server.requests)
    steps = len([0, 10, 30, 70, 150, 310])
    assert calls == {
        ("conversations.history", good.id): STUCK + 10 + 1,  # ten cards are looked for after their post
        ("chat.postMessage", good.id): 10 + len(bursts(good)),
        ("chat.update", good.id): STUCK - 10 - len(bursts(good)),
        ("conversations.history", archived.id): steps,
        ("chat.postMessage", archived.id): steps,
    }
    server.workspace.access = Access(channels=server.workspace.access.channels)
    passes(310)
    for event in events:
        fan_out.run(event, destinations, upsert)
    for channel in (good, archived):
        assert Counter(linked(*cards(channel), *bursts(channel))) == Counter(range(1, STUCK + 1))
