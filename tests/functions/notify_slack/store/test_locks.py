"""A lock by key excludes other threads, and processed ids are remembered within a bound."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.slack import deadline
from clients.slack.waiting import WaitLimit
from functions.notify_slack.store.locks import KeyedLock, ProcessedIds
from pipeline.errors import Unavailable


def test_one_thread_at_a_time_holds_a_key() -> None:
    """A key is held by one thread at a time."""
    locks, inside, most = KeyedLock(), 0, 0

    def enter(_: int) -> None:
        nonlocal inside, most
        with locks.hold("issue"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.002)
            inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(16)))
    assert most == 1


def test_other_keys_do_not_wait() -> None:
    """A thread that holds one key does not block another key."""
    locks = KeyedLock(patience=0)
    with locks.hold("one"), locks.hold("two"):
        pass


def test_a_released_key_wakes_its_waiter() -> None:
    """A released key wakes its waiter, even if the waiter of another key has waited for longer."""
    locks = KeyedLock()

    def enter(key: str) -> None:
        with locks.hold(key):
            pass

    with ThreadPoolExecutor(2) as pool:
        with locks.hold("one"):
            with locks.hold("two"):
                first = pool.submit(enter, "one")
                time.sleep(0.05)
                second = pool.submit(enter, "two")
                time.sleep(0.05)
            second.result(10)
        first.result(10)


def test_a_wait_ends_after_the_patience() -> None:
    """A wait for a key ends after its time limit, so that the delivery fails and is redelivered."""
    locks, done, begun = KeyedLock(patience=0.01), threading.Event(), threading.Event()

    def hold() -> None:
        with locks.hold("issue"):
            begun.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait()
    with pytest.raises(Unavailable) as caught, locks.hold("issue"):
        pass
    done.set()
    holder.join()
    assert caught.value.reason == "in_flight"


def test_a_wait_ends_with_the_deadline() -> None:
    """A thread does not wait for a key after its deadline, but may still take a free one."""
    locks, done, begun = KeyedLock(), threading.Event(), threading.Event()

    def hold() -> None:
        with locks.hold("issue"):
            begun.set()
            done.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait()
    with deadline.limit(0):
        with pytest.raises(Unavailable), locks.hold("issue"):
            pass
        with locks.hold("another"):
            pass
    done.set()
    holder.join()


def test_a_thread_that_may_not_wait_fails_at_once() -> None:
    """While as many threads wait as may, for whatever it is, another one fails at once; a free key passes."""
    limit = WaitLimit(threads=1)
    locks, done, begun = KeyedLock(patience=60, wait_limit=limit), threading.Event(), threading.Event()

    def hold() -> None:
        with locks.hold("issue"):
            begun.set()
            done.wait(5)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        begun.wait()
        with limit.place():
            with pytest.raises(Unavailable) as caught, locks.hold("issue"):
                pass
            with locks.hold("another"):
                pass
        done.set()
        holder.result(5)
    assert caught.value.reason == "in_flight"


def test_an_error_releases_the_key() -> None:
    """A thread that raises an error releases its key."""
    locks = KeyedLock(patience=0)
    with pytest.raises(ValueError, match="x"), locks.hold("issue"):
        raise ValueError("x")
    with locks.hold("issue"):
        pass


# Processed ids


def once(processed: ProcessedIds, key: object) -> bool:
    """Claim `key`, succeed, and return whether there was work to do."""
    with processed.claim(key) as todo:
        return todo


def test_success_is_remembered() -> None:
    """A key that was processed is not processed again."""
    processed = ProcessedIds()
    assert [once(processed, "a"), once(processed, "a"), once(processed, "b"), once(processed, "a")] == [
        True,
        False,
        True,
        False,
    ]


def test_failure_is_not_remembered() -> None:
    """A key whose processing failed can be claimed again, and the error reaches the caller."""
    processed = ProcessedIds()
    with pytest.raises(RuntimeError, match="refused"), processed.claim("a"):
        raise RuntimeError("refused")
    assert once(processed, "a")


def test_a_later_error_does_not_forget_a_success() -> None:
    """A key that was processed stays processed if a second claim raises an error."""
    processed = ProcessedIds()
    once(processed, "a")
    with pytest.raises(RuntimeError), processed.claim("a"):
        raise RuntimeError
    assert not once(processed, "a")


def test_the_oldest_ids_are_dropped() -> None:
    """The number of remembered ids is bounded, and the oldest are dropped."""
    processed = ProcessedIds(limit=3)
    for key in range(1000):
        assert once(processed, key)
    assert len(processed._done) == 3
    assert not processed._locks._busy
    assert [once(processed, key) for key in (999, 998, 997, 996)] == [False, False, False, True]


@pytest.mark.parametrize("fails", [False, True])
def test_a_second_thread_waits_for_the_result_of_the_first(*, fails: bool) -> None:
    """While the first thread posts, a second one with the same id neither posts nor acknowledges."""
    processed, begun, go_on, second = ProcessedIds(), threading.Event(), threading.Event(), []

    def first() -> None:
        with processed.claim("a"):
            begun.set()
            assert go_on.wait(10)
            if fails:
                raise RuntimeError("refused")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert begun.wait(10)
        two = pool.submit(lambda: second.append(once(processed, "a")))
        assert once(processed, "b")
        assert not two.done()
        go_on.set()
        assert (one.exception(10) is not None) is fails
        two.result(10)
    assert second == [fails]


def test_a_wait_ends_with_an_error_and_not_with_a_success() -> None:
    """If the first thread hangs, the second one fails, so that its delivery is redelivered."""
    processed = ProcessedIds(locks=KeyedLock(patience=0.01))
    with processed.claim("a"), ThreadPoolExecutor(1) as pool:
        error = pool.submit(once, processed, "a").exception(10)
    assert isinstance(error, Unavailable)
    assert error.reason == "in_flight"
    assert not once(processed, "a")


def test_of_many_threads_exactly_one_succeeds() -> None:
    """Of many threads exactly one processes a key, although some attempts fail."""
    processed = ProcessedIds(locks=KeyedLock(patience=30, wait_limit=WaitLimit(16)))
    done, attempts, lock = [], [], threading.Lock()
    together = threading.Barrier(16)

    def worker() -> None:
        together.wait(10)
        for key in range(20):
            while True:
                try:
                    with processed.claim(key) as todo:
                        if todo:
                            with lock:
                                attempts.append(key)
                                fails = len(attempts) % 3 == 0
                            if fails:
                                raise RuntimeError  # noqa: TRY301 - as a post would
                            done.append(key)
                    break
                except RuntimeError:
                    continue

    with ThreadPoolExecutor(16) as pool:
        for worked in [pool.submit(worker) for _ in range(16)]:
            worked.result(30)
    assert sorted(done) == list(range(20))
    assert len(attempts) > 20
