"""One subscription of the local Pub/Sub: its settings and its messages, which are pushed or pulled."""

import threading
from collections.abc import Callable
from datetime import timedelta

from google.pubsub_v1 import types

from local.pubsub.backlog import Backlog, Lease
from local.pubsub.push import Pusher

# Without a retry policy: https://cloud.google.com/pubsub/docs/push#push_backoff.
_PUSH_BACKOFF = (0.1, 60.0)
_SOURCE = "CloudPubSubDeadLetterSource"


class Subscription:
    """Pushes its messages to the endpoint of `spec`, or leases them to pulls if it has none.

    publish_dead_letter(topic, message) delivers a message that has used up its attempts.
    """

    def __init__(
        self,
        spec: types.Subscription,
        *,
        publish_dead_letter: Callable[[str, types.PubsubMessage], object],
    ) -> None:
        self.backlog = Backlog(spec.name)
        self.spec = spec
        self._publish_dead_letter = publish_dead_letter
        self._stopped = threading.Event()
        self._pusher: Pusher | None = None
        if spec.push_config.push_endpoint:
            self._pusher = Pusher(self.backlog, spec, retire=self._retire, backoff=self._backoff)

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
            self._pusher = None

    def _backoff(self, attempt: int) -> float:
        """Return the seconds until the next push after this attempt failed."""
        spec = self.spec
        if "dead_letter_policy" in spec and attempt >= spec.dead_letter_policy.max_delivery_attempts:
            return 0.0
        shortest, longest = _PUSH_BACKOFF
        if "retry_policy" in spec:
            shortest = spec.retry_policy.minimum_backoff / timedelta(seconds=1)
            longest = spec.retry_policy.maximum_backoff / timedelta(seconds=1)
        # 2 ** 40 times the least backoff is past any limit; a larger power would only overflow.
        return min(longest, shortest * 2.0 ** min(attempt - 1, 40))

    def _retire(self, lease: Lease) -> bool:
        """Move a message that has used up its attempts to the dead-letter topic; return whether it did."""
        policy = self.spec.dead_letter_policy
        if "dead_letter_policy" not in self.spec or lease.attempt <= policy.max_delivery_attempts:
            return False
        self._publish_dead_letter(policy.dead_letter_topic, self._dead_letter(lease))
        self.backlog.acknowledge(lease.ack_id)
        return True

    def _dead_letter(self, lease: Lease) -> types.PubsubMessage:
        _, project, _, name = self.spec.name.split("/")
        source = {
            f"{_SOURCE}Subscription": name,
            f"{_SOURCE}SubscriptionProject": project,
            f"{_SOURCE}DeliveryCount": str(lease.attempt - 1),
            f"{_SOURCE}TopicPublishTime": types.PubsubMessage.pb(lease.message).publish_time.ToJsonString(),
        }
        return types.PubsubMessage(
            data=lease.message.data, attributes=dict(lease.message.attributes) | source
        )


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
