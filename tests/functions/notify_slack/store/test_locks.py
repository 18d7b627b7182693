"""One lock per key, and the memory of processed ids: bounded, and correct under threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.slack import deadline
from functions.notify_slack.store.locks import KeyedLock, ProcessedIds
from pipeline.errors import Unavailable


def test_one_thread_at_a_time_is_at_a_key() -> None:
    """Eight threads pass one after the other."""
    locks, inside, most = KeyedLock(), 0, 0

    def enter(_: int) -> None:
        nonlocal inside, most
        with locks.hold("issue"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.002)
            inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(16)))
    assert most == 1


def test_other_keys_do_not_wait() -> None:
    """A turn at one issue holds up no other."""
    locks = KeyedLock(patience=0)
    with locks.hold("one"), locks.hold("two"):
        pass


def test_a_turn_that_ends_wakes_whoever_waits_for_it() -> None:
    """Also where others, who wait for another key, have waited for longer."""
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


def test_patience_ends() -> None:
    """Who waits too long goes back to Pub/Sub."""
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


def test_patience_ends_with_the_time_of_the_delivery() -> None:
    """Who has no time left does not wait for another thread, but takes a turn that is free."""
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


def test_an_error_ends_the_turn() -> None:
    """The next one is let in."""
    locks = KeyedLock(patience=0)
    with pytest.raises(ValueError, match="x"), locks.hold("issue"):
        raise ValueError("x")
    with locks.hold("issue"):
        pass


# Processed ids


def once(processed: ProcessedIds, key: object) -> bool:
    """Do the work on `key` successfully; return whether there was any."""
    with processed.claim(key) as todo:
        return todo


def test_success_is_remembered() -> None:
    """The second time there is nothing to do, for this key alone."""
    processed = ProcessedIds()
    assert [once(processed, "a"), once(processed, "a"), once(processed, "b"), once(processed, "a")] == [
        True,
        False,
        True,
        False,
    ]


def test_failure_is_not_remembered() -> None:
    """Work that failed is still to be done, and its error is the caller's."""
    processed = ProcessedIds()
    with pytest.raises(RuntimeError, match="refused"), processed.claim("a"):
        raise RuntimeError("refused")
    assert once(processed, "a")


def test_an_error_after_success_does_not_forget_it() -> None:
    """What was posted once stays posted, whatever goes wrong while it is skipped."""
    processed = ProcessedIds()
    once(processed, "a")
    with pytest.raises(RuntimeError), processed.claim("a"):
        raise RuntimeError
    assert not once(processed, "a")


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    """A process that lives for months does not grow."""
    processed = ProcessedIds(limit=3)
    for key in range(1000):
        assert once(processed, key)
    assert len(processed._done) == 3
    assert not processed._locks._busy
    assert [once(processed, key) for key in (999, 998, 997, 996)] == [False, False, False, True]


@pytest.mark.parametrize("fails", [False, True])
def test_a_second_thread_waits_for_how_the_first_ends(fails: bool) -> None:  # noqa: FBT001 - both ways
    """While the first thread posts, the second neither posts nor acknowledges; then it knows what to do."""
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


def test_waiting_ends_with_an_error_not_with_an_acknowledgement() -> None:
    """A first thread that hangs does not make the second claim success."""
    processed = ProcessedIds(patience=0.01)
    with processed.claim("a"), ThreadPoolExecutor(1) as pool:
        error = pool.submit(once, processed, "a").exception(10)
    assert isinstance(error, Unavailable)
    assert error.reason == "in_flight"
    assert not once(processed, "a")


def test_of_many_threads_exactly_one_does_the_work() -> None:
    """Sixteen repetitions at once of twenty deliveries make twenty cards, though each third attempt fails."""
    processed, done, attempts, lock = ProcessedIds(), [], [], threading.Lock()
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
