"""The memory of what was posted: bounded, and right under threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.notify_slack.store.processed_ids import Recent
from pipeline.errors import Unavailable


def once(recent: Recent, key: object) -> bool:
    """Do the work on `key` successfully; return whether there was any."""
    with recent.first(key) as todo:
        return todo


def test_success_is_remembered() -> None:
    """The second time there is nothing to do, for this key alone."""
    recent = Recent()
    assert [once(recent, "a"), once(recent, "a"), once(recent, "b"), once(recent, "a")] == [
        True,
        False,
        True,
        False,
    ]


def test_failure_is_not_remembered() -> None:
    """Work that failed is still to be done, and its error is the caller's."""
    recent = Recent()
    with pytest.raises(RuntimeError, match="refused"), recent.first("a"):
        raise RuntimeError("refused")
    assert once(recent, "a")


def test_an_error_after_success_does_not_forget_it() -> None:
    """What was posted once stays posted, whatever goes wrong while it is skipped."""
    recent = Recent()
    once(recent, "a")
    with pytest.raises(RuntimeError), recent.first("a"):
        raise RuntimeError
    assert not once(recent, "a")


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    """A process that lives for months does not grow."""
    recent = Recent(limit=3)
    for key in range(1000):
        assert once(recent, key)
    assert len(recent._done) == 3
    assert not recent._turns._busy
    assert [once(recent, key) for key in (999, 998, 997, 996)] == [False, False, False, True]


@pytest.mark.parametrize("fails", [False, True])
def test_a_second_thread_waits_for_how_the_first_ends(fails: bool) -> None:  # noqa: FBT001 - both ways
    """While the first thread posts, the second neither posts nor acknowledges; then it knows what to do."""
    recent, begun, go_on, second = Recent(), threading.Event(), threading.Event(), []

    def first() -> None:
        with recent.first("a"):
            begun.set()
            assert go_on.wait(10)
            if fails:
                raise RuntimeError("refused")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert begun.wait(10)
        two = pool.submit(lambda: second.append(once(recent, "a")))
        assert once(recent, "b")
        assert not two.done()
        go_on.set()
        assert (one.exception(10) is not None) is fails
        two.result(10)
    assert second == [fails]


def test_waiting_ends_with_an_error_not_with_an_acknowledgement() -> None:
    """A first thread that hangs does not make the second claim success."""
    recent = Recent(patience=0.01)
    with recent.first("a"), ThreadPoolExecutor(1) as pool:
        error = pool.submit(once, recent, "a").exception(10)
    assert isinstance(error, Unavailable)
    assert error.reason == "in_flight"
    assert not once(recent, "a")


def test_of_many_threads_exactly_one_does_the_work() -> None:
    """Sixteen repetitions at once of twenty deliveries make twenty cards, though each third attempt fails."""
    recent, done, attempts, lock = Recent(), [], [], threading.Lock()
    together = threading.Barrier(16)

    def worker() -> None:
        together.wait(10)
        for key in range(20):
            while True:
                try:
                    with recent.first(key) as todo:
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
