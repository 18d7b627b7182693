"""A subscription leases its messages, redelivers them, and removes them once acknowledged."""

import math
import queue
import threading
from typing import Any

import pytest
from google.pubsub_v1 import types

from local.pubsub.backlog import Backlog
from tests.local.pubsub.clients import WAIT_SECONDS, wait_until


def test_unacknowledged_lease_comes_back() -> None:
    """A leased message is unavailable until its lease ends; after that only a new lease acknowledges it."""
    backlog = Backlog("sub")
    backlog.add(types.PubsubMessage(data=b"x"))

    def lease(seconds: float, wait: float) -> list[Any]:
        return backlog.lease(9, lease_seconds=seconds, wait=wait, stopped=threading.Event())

    first = lease(60, 0)[0]
    assert lease(60, 0) == []
    backlog.postpone(first.ack_id, 0.01)
    backlog.postpone(first.ack_id, 60)
    assert lease(60, 0.1) == []
    backlog.postpone(first.ack_id, 0.01)
    second = lease(60, WAIT_SECONDS)[0]
    assert [first.attempt, second.attempt] == [1, 2]
    backlog.acknowledge(first.ack_id)
    assert len(backlog._messages) == 1
    backlog.acknowledge(second.ack_id)
    assert len(backlog._messages) == 0


@pytest.mark.slow
def test_another_waiting_thread_gets_the_message() -> None:
    """If the thread that waits for the next message leaves, another thread gets it when it is due."""
    backlog, never = Backlog("sub"), threading.Event()
    backlog.add(types.PubsubMessage(data=b"x"))
    leased = backlog.lease(1, lease_seconds=math.inf, wait=0, stopped=never)[0]
    got = queue.Queue[Any]()

    def wait(seconds: float) -> threading.Thread:
        def lease() -> None:
            got.put(backlog.lease(1, lease_seconds=60, wait=seconds, stopped=never))

        waiting = len(backlog._changed._waiters)
        thread = threading.Thread(target=lease, daemon=True)
        thread.start()
        wait_until(lambda: len(backlog._changed._waiters) > waiting)
        return thread

    brief, patient = wait(0.5), wait(WAIT_SECONDS)
    backlog.postpone(leased.ack_id, 1)
    assert got.get(timeout=WAIT_SECONDS / 2) == []
    assert got.get(timeout=WAIT_SECONDS / 2)[0].attempt == 2
    brief.join()
    patient.join()
