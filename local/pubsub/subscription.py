"""One subscription of the local Pub/Sub: its settings and its messages, which are pushed or pulled."""

import threading
from collections.abc import Callable

from google.pubsub_v1 import types

from local.pubsub.backlog import Backlog, Lease
from local.pubsub.push import Pusher, Report, no_report


class Subscription:
    """Pushes its messages to the endpoint of `spec`, or leases them to pulls if it has none."""

    def __init__(
        self,
        spec: types.Subscription,
        publish_dead_letter: Callable[[str, types.PubsubMessage], object],
        report: Report = no_report,
    ) -> None:
        self.backlog = Backlog(spec.name)
        self.spec = spec
        self._stopped = threading.Event()
        pushes = spec.push_config.push_endpoint
        self._pusher = Pusher(self.backlog, spec, publish_dead_letter, report) if pushes else None

    def pull(self, limit: int, wait: float) -> list[Lease]:
        """Lease up to `limit` messages for the ack deadline; waits that many seconds for the first one."""
        deadline = self.spec.ack_deadline_seconds
        return self.backlog.lease(limit, lease_seconds=deadline, wait=wait, stopped=self._stopped)

    def stop(self) -> None:
        """End every pull and push; returns once no thread of this subscription is left."""
        self._stopped.set()
        self.backlog.wake()
        if self._pusher is not None:
            self._pusher.stop()


def with_defaults(spec: types.Subscription) -> types.Subscription:
    """Return a copy with the service's defaults for what the caller left out."""
    copy = types.Subscription(spec)
    raw = types.Subscription.pb(copy)
    raw.ack_deadline_seconds = raw.ack_deadline_seconds or 10
    raw.state = types.Subscription.State.ACTIVE
    if not raw.HasField("message_retention_duration"):
        raw.message_retention_duration.FromSeconds(7 * 24 * 3600)
    if raw.HasField("dead_letter_policy"):
        policy = raw.dead_letter_policy
        policy.max_delivery_attempts = policy.max_delivery_attempts or 5
    if raw.HasField("retry_policy"):
        if not raw.retry_policy.HasField("minimum_backoff"):
            raw.retry_policy.minimum_backoff.FromSeconds(10)
        if not raw.retry_policy.HasField("maximum_backoff"):
            raw.retry_policy.maximum_backoff.FromSeconds(600)
    return copy
