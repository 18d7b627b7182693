"""A subscription of the local Pub/Sub backs off, and its stop ends waiting pulls."""

import queue
import threading
from typing import Any

import pytest
from google.pubsub_v1 import types

from local.pubsub.subscription import Subscription
from tests.local.pubsub.clients import WAIT_SECONDS, wait_until


@pytest.mark.parametrize(
    ("settings", "delays"),
    [
        (
            {"retry_policy": {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 5}}},
            [1, 2, 4, 5, 5],
        ),
        ({"retry_policy": {"minimum_backoff": {}, "maximum_backoff": {"seconds": 5}}}, [0] * 5),
        ({"push_config": {"push_endpoint": "http://127.0.0.1:1/"}}, [0.1, 0.2, 0.4, 0.8, 1.6]),
    ],
    ids=["policy", "policy without backoff", "default"],
)
def test_backoff_between_attempts(settings: dict[str, Any], delays: list[float]) -> None:
    """The backoff doubles from its minimum to its maximum; without a policy these are 0.1 and 60 s."""
    spec = types.Subscription(name="projects/p/subscriptions/sub", ack_deadline_seconds=10, **settings)
    subscription = Subscription(spec, publish_dead_letter=lambda *_: None)
    try:
        assert [subscription._backoff(attempt) for attempt in range(1, 6)] == pytest.approx(delays)
        assert subscription._backoff(10_000) == max(delays[-1], 60 if "push_config" in settings else 0)
    finally:
        subscription.stop()


def test_stop_ends_a_waiting_pull() -> None:
    """A waiting pull returns without messages when the subscription stops."""
    spec = types.Subscription(name="projects/p/subscriptions/sub", ack_deadline_seconds=10)
    subscription = Subscription(spec, publish_dead_letter=lambda *_: None)
    got = queue.Queue[Any]()
    pulling = threading.Thread(target=lambda: got.put(subscription.pull(1, WAIT_SECONDS)), daemon=True)
    pulling.start()
    wait_until(lambda: len(subscription.backlog._changed._waiters) > 0)
    subscription.stop()
    assert got.get(timeout=WAIT_SECONDS / 2) == []
    pulling.join()
