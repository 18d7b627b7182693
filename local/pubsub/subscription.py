"""One subscription of the Pub/Sub stand-in: its settings, what it holds, whether that is pushed or pulled."""

import threading
from collections.abc import Callable, Iterable
from datetime import timedelta

from google.pubsub_v1 import types

from local.pubsub.backlog import Backlog, Lease
from local.pubsub.push import Pusher

# Without a retry policy; push: https://cloud.google.com/pubsub/docs/push#push_backoff.
_PUSH_BACKOFF = (0.1, 60.0)
_PULL_BACKOFF = (0.0, 0.0)
_SOURCE = "CloudPubSubDeadLetterSource"


class Subscription:
    """Holds messages and hands them out.

    publish(topic, message): delivers a spent message to the dead-letter topic; False when there is no such
    topic, and then the subscription keeps trying, as the service does.
    """

    def __init__(
        self, spec: types.Subscription, *, publish: Callable[[str, types.PubsubMessage], bool]
    ) -> None:
        self.backlog = Backlog(spec.name)
        self.spec = spec
        self._publish = publish
        self._stopped = threading.Event()
        self._pusher: Pusher | None = None
        self.configure(spec)

    def configure(self, spec: types.Subscription) -> None:
        """Take new settings: pushing starts, goes on (a push in flight is not disturbed) or ends.

        One caller at a time. The spec is read by other threads: it is replaced, never changed.
        """
        self.spec = spec
        pushes = bool(spec.push_config.push_endpoint)
        if pushes and self._pusher is None:
            self._pusher = Pusher(
                self.backlog, spec=lambda: self.spec, retire=self._retire, delay=self._delay
            )
        elif not pushes and self._pusher is not None:
            self._pusher.stop()
            self._pusher = None

    def pull(self, limit: int, wait: float) -> list[Lease]:
        """Lease up to limit messages for the ack deadline; waits that many seconds for the first one."""
        deadline = self.spec.ack_deadline_seconds
        leases = self.backlog.lease(
            limit,
            hold=lambda attempt: deadline + self._delay(attempt),
            wait=wait,
            stopped=self._stopped,
        )
        return [lease for lease in leases if not self._retire(lease)]

    def modify_deadline(self, ack_id: str, seconds: int) -> None:
        """Lease for that many seconds from now; 0: give it back. ValueError: no id of this subscription."""
        self.backlog.postpone(ack_id, seconds + self._delay(self.backlog.attempt(ack_id)))

    def stop(self) -> None:
        """End every pull and push; returns once no thread of this subscription is left."""
        self._stopped.set()
        self.backlog.wake()
        if self._pusher is not None:
            self._pusher.stop()
            self._pusher = None

    def _delay(self, attempt: int) -> float:
        """Return how long the message rests after this attempt failed."""
        spec = self.spec
        if "dead_letter_policy" in spec and attempt >= spec.dead_letter_policy.max_delivery_attempts:
            return 0.0
        shortest, longest = _PUSH_BACKOFF if spec.push_config.push_endpoint else _PULL_BACKOFF
        if "retry_policy" in spec:
            shortest = spec.retry_policy.minimum_backoff / timedelta(seconds=1)
            longest = spec.retry_policy.maximum_backoff / timedelta(seconds=1)
        # 2 ** 40 times the least backoff is past any limit; a larger power would only overflow.
        return min(longest, shortest * 2.0 ** min(attempt - 1, 40))

    def _retire(self, lease: Lease) -> bool:
        """Move a message whose attempts are spent to the dead-letter topic; False: it is to be delivered."""
        policy = self.spec.dead_letter_policy
        if "dead_letter_policy" not in self.spec or lease.attempt <= policy.max_delivery_attempts:
            return False
        if not self._publish(policy.dead_letter_topic, self._dead_letter(lease)):
            return False
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


def changed(
    spec: types.Subscription, *, cleared: Iterable[str] = (), **changes: object
) -> types.Subscription:
    """Return a copy: the stored one is read by other threads and never changed."""
    copy = types.Subscription(spec)
    for field in cleared:
        types.Subscription.pb(copy).ClearField(field)
    for field, value in changes.items():
        setattr(copy, field, value)
    return copy


def completed(spec: types.Subscription) -> types.Subscription:
    """Return a copy with the service's defaults where the caller said nothing."""
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
