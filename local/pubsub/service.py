"""The topics and subscriptions of the local Pub/Sub: one method per call of the API, without a transport."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types

from local.grpc_server import Refused
from local.pubsub.backlog import Backlog
from local.pubsub.kept import Kept
from local.pubsub.push import Report, no_report
from local.pubsub.rules import (
    MAX_DEADLINE,
    check_name,
    check_publish,
    check_subscription,
    check_topic,
    invalid,
)
from local.pubsub.subscription import Subscription, with_defaults

PULL_WAIT = 1.0  # seconds


class Service:
    """Each method takes the request and returns the answer. Raises Refused with the status to answer.

    `report` is called after each push.
    """

    def __init__(self) -> None:
        self.paused = False
        self.report: Report = no_report
        self._creating = threading.Lock()  # deliveries do not take it
        self._topics: dict[str, types.Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._kept: dict[str, Kept] = {}
        # Sixteen digits, as the service's ids, and never used again by a later start.
        self._ids = itertools.count(time.time_ns() // 1_000)

    def create_topic(self, request: types.Topic) -> types.Topic:
        """CreateTopic."""
        check_topic(request)
        with self._creating:
            if request.name in self._topics:
                raise Refused(grpc.StatusCode.ALREADY_EXISTS, f"Topic already exists: {request.name}")
            if "message_retention_duration" in request:
                self._kept[request.name] = Kept()
            self._topics[request.name] = request
        return request

    def get_topic(self, request: types.GetTopicRequest) -> types.Topic:
        """GetTopic."""
        return self._topic(request.topic)

    def publish(self, request: types.PublishRequest) -> types.PublishResponse:
        """Publish: every subscription of the topic has the messages when this returns."""
        self._topic(request.topic)
        check_publish(request)
        return types.PublishResponse(message_ids=self._publish(request.topic, request.messages))

    def create_subscription(self, request: types.Subscription) -> types.Subscription:
        """CreateSubscription: pushes begin at once if there is an endpoint."""
        spec = with_defaults(request)
        check_subscription(spec)
        with self._creating:
            if spec.name in self._subscriptions:
                raise Refused(grpc.StatusCode.ALREADY_EXISTS, f"Subscription already exists: {spec.name}")
            self._topic(spec.topic)
            if "dead_letter_policy" in spec:
                self._topic(spec.dead_letter_policy.dead_letter_topic)
            self._subscriptions[spec.name] = Subscription(
                spec,
                lambda topic, message: self._publish(topic, [message]),
                lambda report: self.report(report),  # noqa: PLW0108 -- it may be set later
            )
        return spec

    def get_subscription(self, request: types.GetSubscriptionRequest) -> types.Subscription:
        """GetSubscription."""
        return self._subscription(request.subscription).spec

    def pull(self, request: types.PullRequest, remaining: float | None) -> types.PullResponse:
        """Pull: waits for the first message, or not with return_immediately; `remaining` seconds at most."""
        subscription = self._subscription(request.subscription)
        if request.max_messages < 1:
            raise invalid("No max_messages specified")
        if subscription.spec.push_config.push_endpoint:
            detail = f"{request.subscription} is a push subscription"
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, detail)
        # A message leased to a caller that has given up would be missing until its deadline.
        wait = PULL_WAIT if remaining is None else min(PULL_WAIT, remaining / 2)
        leases = subscription.pull(request.max_messages, 0.0 if request.return_immediately else wait)
        received = [types.ReceivedMessage(ack_id=lease.ack_id, message=lease.message) for lease in leases]
        return types.PullResponse(received_messages=received)

    def acknowledge(self, request: types.AcknowledgeRequest) -> Empty:
        """Acknowledge: an id whose message was leased again is no error and has no effect."""
        return self._for_each(request, Backlog.acknowledge)

    def modify_ack_deadline(self, request: types.ModifyAckDeadlineRequest) -> Empty:
        """ModifyAckDeadline: 0 makes a message due at once."""
        seconds = request.ack_deadline_seconds
        if not 0 <= seconds <= MAX_DEADLINE:
            raise invalid(f"the deadline of {seconds} s is not within 0 to {MAX_DEADLINE} s")
        return self._for_each(request, lambda backlog, ack_id: backlog.postpone(ack_id, seconds))

    def seek(self, request: types.SeekRequest) -> types.SeekResponse:
        """Seek to a time: of what the topic retains, only the messages published since are due again."""
        subscription = self._subscription(request.subscription)
        if "time" not in request:
            raise invalid("the local stand-in seeks to a time only")
        kept = self._kept.get(subscription.spec.topic)
        if kept is None:
            raise invalid("the local stand-in seeks only if the topic has a message_retention_duration")
        subscription.backlog.reset(kept.since(request.time))
        return types.SeekResponse()

    def unacknowledged(self) -> int:
        """Return how many messages have been published and not yet been taken by a push endpoint."""
        with self._creating:
            pushed = [each for each in self._subscriptions.values() if each.spec.push_config.push_endpoint]
        return sum(len(subscription.backlog) for subscription in pushed)

    def backlogs(self) -> dict[str, int]:
        """Return how many messages each subscription has that are not acknowledged, by its short name."""
        with self._creating:
            subscriptions = list(self._subscriptions.items())
        return {name.rpartition("/")[2]: len(each.backlog) for name, each in subscriptions}

    def limit_attempts(self, count: int) -> None:
        """Let every subscription with dead letters give up after so many attempts from now on."""
        with self._creating:
            for subscription in self._subscriptions.values():
                if "dead_letter_policy" in subscription.spec:
                    subscription.spec.dead_letter_policy.max_delivery_attempts = count

    def pause(self, *, paused: bool) -> None:
        """Refuse every call and start no push until this is called with False; every message is kept."""
        with self._creating:
            self.paused = paused
            for subscription in self._subscriptions.values():
                subscription.backlog.pause(paused=paused)

    def stop(self) -> None:
        """End every pull and push; returns once no thread of a subscription is left."""
        with self._creating:
            for subscription in self._subscriptions.values():
                subscription.stop()

    def _for_each(
        self,
        request: types.AcknowledgeRequest | types.ModifyAckDeadlineRequest,
        act: Callable[[Backlog, str], None],
    ) -> Empty:
        subscription = self._subscription(request.subscription)
        if not request.ack_ids:
            raise invalid("No ack ids specified.")
        for ack_id in request.ack_ids:
            try:
                act(subscription.backlog, ack_id)
            except ValueError as error:
                raise invalid(str(error)) from error
        return Empty()

    def _topic(self, name: str) -> types.Topic:
        if name not in self._topics:
            check_name("topics", name)
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Topic not found: {name}")
        return self._topics[name]

    def _subscription(self, name: str) -> Subscription:
        if name not in self._subscriptions:
            check_name("subscriptions", name)
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Subscription does not exist: {name}")
        return self._subscriptions[name]

    def _publish(self, topic: str, messages: Iterable[types.PubsubMessage]) -> list[str]:
        now = datetime.now(tz=UTC)
        published = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
        subscriptions = [each for each in list(self._subscriptions.values()) if each.spec.topic == topic]
        ids = []
        for message in messages:
            message.message_id = str(next(self._ids))
            message.publish_time = published
            ids.append(message.message_id)
            if topic in self._kept:
                self._kept[topic].add(message)
            for subscription in subscriptions:
                subscription.backlog.add(message)
        return ids
