"""Each item gets its own outcome, however it was grouped."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipeline.errors import Unavailable
from pipeline.group_commit import GroupCommit, Limits
from tests.support.virtual_loop import run

# Without the phase that explains a failure: it takes minutes.
PHASES = [phase for phase in Phase if phase is not Phase.explain]
FIELD: ContextVar[str] = ContextVar("FIELD", default="none")


class Refused(Exception):
    """The whole request is refused, perhaps because of one item."""


class Broken(Exception):
    """The whole request fails, whatever its items are."""


@dataclass(eq=False, kw_only=True)
class Item:
    """One caller. `kind` is what the service does with its item; times are those of the virtual clock."""

    kind: Literal["good", "bad", "poison"] = "good"
    size: int = 1
    at: float = 0
    patience: float = 100_000  # longer than everything takes
    cancelled_after: float | None = None
    deadline: float = 0
    is_waiting: bool = False
    waiting_before: int = 0  # the bytes that waited when this one came
    groups: list[int] = field(default_factory=list)  # the sizes of the groups that it was sent in
    has_outcome: bool = False
    failed_with: Broken | None = None
    ended: float | None = None
    result: Any = None


@dataclass(kw_only=True)
class Service:
    """Answers sends, and checks what holds at every moment."""

    limits: Limits
    seconds: Sequence[float] = (1.0,)  # how long each send takes, again and again
    broken: Sequence[bool] = (False,)
    items: list[Item] = field(default_factory=list)
    order: list[Item] = field(default_factory=list)  # of the first sends
    sends: int = 0
    in_flight: int = 0

    def __post_init__(self) -> None:
        self.group = GroupCommit[Item, Item](self.send, self.limits, splits=lambda e: isinstance(e, Refused))

    def send(self, group: Sequence[Item], seconds: float) -> Coroutine[Any, Any, list[Any]]:
        """Check the group when it is put together: its callers may be gone before the loop begins to send."""
        now = asyncio.get_running_loop().time()
        assert seconds == max(item.deadline for item in group) - now
        assert len(group) <= self.limits.group_items
        assert len(group) == 1 or sum(item.size for item in group) <= self.limits.group_bytes
        for item in group:
            assert item.ended is None
            assert now <= item.deadline
            assert not item.has_outcome, "sent again after its own outcome"
            assert item.failed_with is None, "sent again after an error that does not split"
            assert not item.groups or len(group) < item.groups[-1], (
                "sent again in a group that is not smaller"
            )
            item.is_waiting = False
            self.order += [] if item.groups else [item]
            item.groups.append(len(group))
        number, self.sends = self.sends, self.sends + 1
        return self.answer(group, number)

    async def answer(self, group: Sequence[Item], number: int) -> list[Any]:
        """Take some time, and answer as the items and `broken` say."""
        self.in_flight += 1
        assert self.in_flight <= self.limits.sends
        try:
            await asyncio.sleep(self.seconds[number % len(self.seconds)])
        finally:
            self.in_flight -= 1
        if self.broken[number % len(self.broken)]:
            error = Broken()
            for item in group:
                item.failed_with = error
            raise error
        if any(item.kind == "poison" for item in group):
            raise Refused
        for item in group:
            item.has_outcome = True
        return [ValueError(item) if item.kind == "bad" else item for item in group]

    async def submit(self, item: Item) -> None:
        """Submit one item and note how it ended."""
        item.deadline = asyncio.get_running_loop().time() + item.patience
        item.waiting_before = self.waiting_bytes()
        item.is_waiting = True
        try:
            item.result = await self.group.submit(item, item.size, item.patience)
        except (asyncio.CancelledError, TimeoutError, ValueError, Unavailable, Refused, Broken) as error:
            item.result = error
        finally:
            item.is_waiting = False
            self.ends(item)

    def ends(self, item: Item) -> None:
        """Note when the item's caller was gone."""
        if item.ended is None:
            item.ended = asyncio.get_running_loop().time()

    async def call(self, item: Item) -> None:
        """Submit one item at its time, and cancel its caller at its time."""
        await asyncio.sleep(item.at)
        caller = asyncio.create_task(self.submit(item))
        if item.cancelled_after is not None:
            await asyncio.sleep(item.cancelled_after)
            if caller.cancel():
                self.ends(item)
        await caller

    def waiting_bytes(self) -> int:
        """Return the bytes of what was submitted and neither sent nor given up."""
        return sum(item.size for item in self.items if item.is_waiting)

    def check(self) -> None:
        """Check what holds whenever time passes."""
        waiting = sum(item.is_waiting for item in self.items)
        assert not waiting or self.in_flight == self.limits.sends, "an item waits although it could be sent"
        assert waiting <= 1 or self.waiting_bytes() <= self.limits.waiting_bytes

    def run(self, *items: Item, end: float | None = None) -> None:
        """Run all callers, or as many as there are until `end`; then nothing may be left over."""
        self.items = list(items)

        async def main() -> None:
            calls = [asyncio.create_task(self.call(item)) for item in items]
            await asyncio.wait(calls, timeout=end)
            if end is None:
                await asyncio.gather(*calls)
                await asyncio.sleep(1000)  # sends whose callers are gone end too

        run(main(), before_a_jump=self.check)
        assert (self.in_flight, self.group._waiting_bytes) == (0, 0)
        assert not any((self.group._waiting, self.group._halves, self.group._sends))


def limits(**changes: int) -> Limits:
    """Return limits; the changes replace the defaults."""
    return Limits(
        **({"sends": 1, "enough": 4, "group_items": 10, "group_bytes": 1000, "waiting_bytes": 1000} | changes)
    )


TIMES = st.integers(0, 10).map(lambda halves: halves / 2)  # much happens at the same moment
SOME_TIME = st.integers(1, 8).map(lambda halves: halves / 2)
ITEMS = st.builds(
    Item,
    kind=st.sampled_from(("good", "good", "good", "bad", "poison")),
    size=st.integers(1, 12),
    at=TIMES,
    patience=st.just(100_000.0) | SOME_TIME,
    cancelled_after=st.none() | st.none() | TIMES,
)
SERVICES = st.builds(
    Service,
    limits=st.builds(
        Limits,
        sends=st.integers(1, 3),
        group_items=st.integers(1, 5),
        group_bytes=st.integers(1, 30),
        waiting_bytes=st.integers(1, 60),
        enough=st.integers(1, 5),
    ),
    seconds=st.lists(SOME_TIME, min_size=1, max_size=6),
    broken=st.just([False]) | st.lists(st.sampled_from((False, False, True)), min_size=1, max_size=6),
)


@settings(max_examples=300, deadline=None, phases=PHASES)
@given(items=st.lists(ITEMS, min_size=1, max_size=25), service=SERVICES)
def test_every_caller_gets_the_outcome_of_its_own_item(items: list[Item], service: Service) -> None:
    """Whatever is refused, split, late or cancelled, each caller gets its own item's outcome in time."""
    service.run(*items)
    for item in items:
        assert item.ended is not None
        assert item.ended <= item.deadline + 0.001
        match item.result:
            case Item():
                assert (item.result, item.kind) == (item, "good")
            case ValueError():
                assert item.result.args == (item,)
            case Refused():
                assert (item.kind, item.groups[-1]) == ("poison", 1)
            case Broken():
                assert item.result is item.failed_with
            case TimeoutError():
                assert item.ended == pytest.approx(item.deadline)
                assert item.patience < 100_000
            case asyncio.CancelledError():
                assert item.cancelled_after is not None
            case _:
                assert item.result.reason == "overloaded"
                assert item.waiting_before
                assert item.waiting_before + item.size > service.limits.waiting_bytes
                assert item.groups == []
    came = [item for item in sorted(items, key=lambda item: item.at) if item.groups]
    assert [item.at for item in service.order] == [item.at for item in came]


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(items=st.lists(ITEMS, min_size=1, max_size=15), service=SERVICES, end=SOME_TIME)
def test_the_end_of_the_loop_ends_every_caller(items: list[Item], service: Service, end: float) -> None:
    """If the loop is closed, every caller ends, and no send is started for a caller that is gone."""
    service.run(*items, end=end)
    assert all(item.ended is not None for item in items if item.deadline)


def test_a_lone_item_is_sent_at_once_and_the_next_ones_together() -> None:
    """An item waits for no other; what comes while it is in flight goes out together after it."""
    service = Service(limits=limits())
    first, *rest = items = [Item(at=0), Item(at=0.2), Item(at=0.4), Item(at=0.6)]
    service.run(*items)
    assert (first.ended, first.groups) == (1.0, [1])
    assert [(item.ended, item.groups) for item in rest] == [(2.0, [3])] * 3


def test_items_that_come_at_the_same_moment_are_sent_at_once_and_together() -> None:
    """Items that arrive in one round of the loop go together, also if none is in flight."""
    service = Service(limits=limits(sends=2))
    items = [Item(at=1), Item(at=1), Item(at=1)]
    service.run(*items)
    assert [(item.ended, item.groups) for item in items] == [(2.0, [3])] * 3


def test_a_send_does_not_see_the_context_of_a_caller() -> None:
    """A send carries items of many callers, so its log lines must not show the fields of one of them."""
    seen = []

    async def send(items: Sequence[str], _seconds: float) -> Sequence[str]:
        seen.append(FIELD.get())
        await asyncio.sleep(1)
        return items

    async def main() -> None:
        FIELD.set("of the caller")
        group = GroupCommit[str, str](send, limits(), splits=lambda _: False)
        await asyncio.gather(*(group.submit(name, 1, 10.0) for name in "abcdef"))

    run(main())
    assert seen == ["none", "none"]  # the first four, and then the others


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_wrong_number_of_outcomes_is_an_error_of_each_item(number: int) -> None:
    """If a send returns more or fewer outcomes than items, no caller takes another one's."""

    async def send(items: Sequence[str], _seconds: float) -> Sequence[str]:
        await asyncio.sleep(1)
        return items if len(items) == 4 else ["outcome"] * number

    async def main() -> None:
        group = GroupCommit[str, str](send, limits(), splits=lambda _: False)
        calls = (group.submit(name, 1, 10.0) for name in "abcdef")
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert outcomes[:4] == list("abcd")
        assert [type(error) for error in outcomes[4:]] == [RuntimeError, RuntimeError]

    run(main())
