"""How long a push subscription waits between two attempts."""

from typing import Any

import pytest
from google.pubsub_v1 import types

from local.pubsub.push import backoff


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
    assert [backoff(spec, attempt) for attempt in range(1, 6)] == pytest.approx(delays)
    assert backoff(spec, 10_000) == max(delays[-1], 60 if "push_config" in settings else 0)
