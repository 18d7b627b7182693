"""The stop of a subscription of the local Pub/Sub ends waiting pulls."""

import queue
import threading
from typing import Any

from google.pubsub_v1 import types

from local.pubsub.subscription import Subscription
from tests.local.pubsub.clients import WAIT_SECONDS, wait_until


def test_stop_ends_a_waiting_pull() -> None:
    """A waiting pull returns without messages when the subscription stops."""
    spec = types.Subscription(name="projects/p/subscriptions/sub", ack_deadline_seconds=10)
    subscription = Subscription(spec, lambda *_: None)
    got = queue.Queue[Any]()
    pulling = threading.Thread(target=lambda: got.put(subscription.pull(1, WAIT_SECONDS)), daemon=True)
    pulling.start()
    wait_until(lambda: len(subscription.backlog._changed._waiters) > 0)
    subscription.stop()
    assert got.get(timeout=WAIT_SECONDS / 2) == []
    pulling.join()
