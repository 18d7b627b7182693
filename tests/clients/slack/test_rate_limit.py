"""Posts keep to the rate limit, and calls respect Slack's pauses, in any interleaving of threads."""

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.slack import deadline, waiting
from clients.slack.rate_limit import (
    BURST,
    MIN_CALL_SECONDS,
    SECONDS_PER_POST,
    RateLimit,
)
from pipeline.errors import Unavailable
from tests.support.clock import FakeClock

POST, UPDATE = "chat.postMessage", "chat.update"


def rate_limit(clock: FakeClock) -> RateLimit:
    """Return a rate limit on this clock."""
    return RateLimit(clock, clock.sleep)


def error_of(call: Callable[[], None]) -> Unavailable:
    """Return the error that the call raises."""
    with pytest.raises(Unavailable) as caught:
        call()
    return caught.value


def test_a_burst_comes_back_with_time() -> None:
    """Ten posts pass at once, then one a second; after ten seconds without one, ten pass again."""
    clock = FakeClock()
    limit = rate_limit(clock)
    for _ in range(BURST + 2):
        limit.wait(POST, "C1")
    assert clock.sleeps == [1, 1]
    clock.sleep(BURST)
    clock.sleeps.clear()
    for _ in range(BURST + 1):
        limit.wait(POST, "C1")
    assert clock.sleeps == [1]


def test_after_a_pause_there_is_no_burst() -> None:
    """After a pause, posts pass one a second, without a burst."""
    clock = FakeClock()
    limit = rate_limit(clock)
    limit.pause(POST, "C1", 2)
    for _ in range(3):
        limit.wait(POST, "C1")
    assert clock.sleeps == [2, 1, 1]


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Of two pauses, the one that ends later counts."""
    clock = FakeClock()
    limit = rate_limit(clock)
    limit.pause(UPDATE, "C1", 2)
    limit.pause(UPDATE, "C2", 1)
    limit.wait(UPDATE, "C3")
    assert clock.sleeps == [2]


@pytest.mark.parametrize(("pause", "sleeps"), [(1, [1, 1]), (2, [1])])
def test_a_pause_that_begins_during_a_wait_prolongs_it(pause: int, sleeps: list[float]) -> None:
    """A thread that waits while another one receives 429 waits for that pause too, or fails if it is long."""
    clock = FakeClock()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.sleeps) == 1:
            limit.pause(POST, "C1", pause)

    limit = RateLimit(clock, sleep)
    for _ in range(BURST):
        limit.wait(POST, "C1")
    if len(sleeps) > 1:
        limit.wait(POST, "C1")
    else:
        assert error_of(lambda: limit.wait(POST, "C1")).reason == "slack_ratelimited"
    assert clock.sleeps == sleeps


@pytest.mark.parametrize(("budget", "reason"), [(60.0, None), (3.0, None), (2.9, "slack_ratelimited")])
def test_a_pause_is_waited_for_when_it_fits(budget: float, reason: str | None) -> None:
    """A pause is waited for only if it and one more call end before the deadline."""
    clock = FakeClock()
    limit = rate_limit(clock)
    limit.pause(UPDATE, "C1", 2)
    with deadline.limit(budget, clock):
        if reason is None:
            limit.wait(UPDATE, "C1")
            assert clock.sleeps == [2]
        else:
            assert error_of(lambda: limit.wait(UPDATE, "C1")).reason == reason
            assert clock.sleeps == []


def test_each_waiting_thread_has_a_turn_of_its_own() -> None:
    """A thread whose turn is too far away fails at once, although no other one has posted yet."""
    now, sleeps = [0.0], []
    limit = RateLimit(lambda: now[0], sleeps.append)  # nobody's wait ends
    for _ in range(BURST + 2):
        limit.wait(POST, "C1")
    for act in (limit.wait, limit.check):
        assert error_of(lambda act=act: act(POST, "C1")).reason == "slack_busy"
    assert sleeps == [1, 2]
    limit.wait(POST, "C2")
    now[0] = 0.5
    limit.check(POST, "C1")
    limit.wait(POST, "C1")
    assert sleeps == [1, 2, 2.5]


def test_a_check_takes_no_turn() -> None:
    """A check takes no turn, and passes where a call may start now or within a moment."""
    clock = FakeClock()
    limit = rate_limit(clock)
    for _ in range(2 * BURST):
        limit.check(POST, "C1")
    for _ in range(BURST):
        limit.wait(POST, "C1")
    assert clock.sleeps == []
    limit.pause(POST, "C1", 3)
    assert error_of(lambda: limit.check(POST, "C1")).reason == "slack_ratelimited"
    clock.sleep(1)
    limit.check(POST, "C1")


def test_a_thread_that_may_not_wait_fails_at_once() -> None:
    """While as many threads wait as may, another one fails at once, in any channel; a free call passes."""
    clock, limits = FakeClock(), waiting.WaitLimit(threads=1)
    limit = RateLimit(clock, clock.sleep, limits)
    for _ in range(BURST):
        limit.wait(POST, "C1")
    with limits.place() as place:
        assert place
        for act in (limit.wait, limit.check):
            assert error_of(lambda act=act: act(POST, "C1")).reason == "slack_busy"
        limit.wait(POST, "C2")
    limit.wait(POST, "C1")
    assert clock.sleeps == [1]


# Any interleaving


class Simulation:
    """A clock for several threads: it advances to the next wake-up once all of them sleep."""

    def __init__(self, threads: int) -> None:
        self._now = 0.0
        self._awake = threads
        self._sleepers: list[tuple[float, int]] = []
        self._numbers = count()
        self._changed = threading.Condition()

    def __call__(self) -> float:
        """Return the time."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Sleep until the clock has advanced by `seconds`."""
        with self._changed:
            me = (self._now + seconds, next(self._numbers))
            heapq.heappush(self._sleepers, me)
            self._awake -= 1
            self._advance()
            self._changed.wait_for(lambda: me not in self._sleepers)

    def leave(self) -> None:
        """End this thread's part in the simulation."""
        with self._changed:
            self._awake -= 1
            self._advance()

    def _advance(self) -> None:
        if self._awake == 0 and self._sleepers:
            self._now, _ = heapq.heappop(self._sleepers)
            self._awake += 1
            self._changed.notify_all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A call after `idle` seconds; Slack answers it with a pause in seconds, 0 for ok."""

    idle: float
    method: str
    channel: str
    pause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call: when it was requested, when it started, and the deadline of its delivery."""

    requested: float
    at: float
    deadline: float
    step: Step


steps = st.builds(
    Step,
    idle=st.sampled_from([0.0, 0.0, 0.3, 1.0, 2.5]),
    method=st.sampled_from([POST, POST, POST, UPDATE]),
    channel=st.sampled_from(["C1", "C1", "C2"]),
    pause=st.sampled_from([0, 0, 0, 0, 0, 1, 4, 12]),
)
deliveries = st.tuples(st.sampled_from([3.0, 20.0, 45.0]), st.lists(steps, min_size=1, max_size=6))


@settings(max_examples=300, deadline=None)
@given(st.lists(deliveries, min_size=1, max_size=8))
def test_any_interleaving_keeps_the_rate_the_pauses_and_the_deadlines(
    plans: list[tuple[float, list[Step]]],
) -> None:
    """Posts never exceed the bucket, no call starts during a pause, and none starts too late."""
    time = Simulation(len(plans))
    limit = RateLimit(time, time.sleep)
    calls: list[Call] = []
    reasons: set[str] = set()

    def deliver(budget: float, todo: list[Step]) -> None:
        end = time() + budget
        with deadline.limit(budget, time):
            for step in todo:
                time.sleep(step.idle)
                requested = time()
                try:
                    limit.wait(step.method, step.channel)
                except Unavailable as error:
                    reasons.add(error.reason)
                    continue
                calls.append(Call(requested=requested, at=time(), deadline=end, step=step))
                if step.pause:
                    limit.pause(step.method, step.channel, step.pause)

    def thread(budget: float, todo: list[Step]) -> None:
        try:
            deliver(budget, todo)
        finally:
            time.leave()

    threads = [threading.Thread(target=thread, args=plan) for plan in plans]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for channel in ("C1", "C2"):
        posts = sorted(call.at for call in calls if call.step.method == POST and call.step.channel == channel)
        for first, start in enumerate(posts):
            for last in range(first + BURST, len(posts)):
                assert posts[last] - start > (last + 1 - first - BURST) * SECONDS_PER_POST - 1e-6
    for pausing in (call for call in calls if call.step.pause):
        for call in calls:
            same = call.step.method == pausing.step.method and (
                call.step.method != POST or call.step.channel == pausing.step.channel
            )
            over = call.at <= pausing.at or call.at >= pausing.at + pausing.step.pause - 1e-6
            assert over or not same
    assert all(call.at <= max(call.requested, call.deadline - MIN_CALL_SECONDS) for call in calls)
    assert all(call.at <= call.requested + waiting.SECONDS + 1e-6 for call in calls)
    assert reasons <= {"slack_busy", "slack_ratelimited"}
