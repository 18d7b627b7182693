"""Threads at the same key take turns."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.slack import deadline
from functions.notify_slack.store.locks import Turns
from pipeline.errors import Unavailable


def test_one_thread_at_a_time_is_at_a_key() -> None:
    """Eight threads pass one after the other."""
    turns, inside, most = Turns(), 0, 0

    def enter(_: int) -> None:
        nonlocal inside, most
        with turns.turn("issue"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.002)
            inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(16)))
    assert most == 1


def test_other_keys_do_not_wait() -> None:
    """A turn at one issue holds up no other."""
    turns = Turns(patience=0)
    with turns.turn("one"), turns.turn("two"):
        pass


def test_a_turn_that_ends_wakes_whoever_waits_for_it() -> None:
    """Also where others, who wait for another key, have waited for longer."""
    turns = Turns()

    def enter(key: str) -> None:
        with turns.turn(key):
            pass

    with ThreadPoolExecutor(2) as pool:
        with turns.turn("one"):
            with turns.turn("two"):
                first = pool.submit(enter, "one")
                time.sleep(0.05)
                second = pool.submit(enter, "two")
                time.sleep(0.05)
            second.result(10)
        first.result(10)


def test_patience_ends() -> None:
    """Who waits too long goes back to Pub/Sub."""
    turns, done, begun = Turns(patience=0.01), threading.Event(), threading.Event()

    def hold() -> None:
        with turns.turn("issue"):
            begun.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait()
    with pytest.raises(Unavailable) as caught, turns.turn("issue"):
        pass
    done.set()
    holder.join()
    assert caught.value.reason == "in_flight"


def test_patience_ends_with_the_time_of_the_delivery() -> None:
    """Who has no time left does not wait for another thread, but takes a turn that is free."""
    turns, done, begun = Turns(), threading.Event(), threading.Event()

    def hold() -> None:
        with turns.turn("issue"):
            begun.set()
            done.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait()
    with deadline.limit(0):
        with pytest.raises(Unavailable), turns.turn("issue"):
            pass
        with turns.turn("another"):
            pass
    done.set()
    holder.join()


def test_an_error_ends_the_turn() -> None:
    """The next one is let in."""
    turns = Turns(patience=0)
    with pytest.raises(ValueError, match="x"), turns.turn("issue"):
        raise ValueError("x")
    with turns.turn("issue"):
        pass
