"""The Pub/Sub stand-in's topics and subscriptions: one method per call of the API, without a transport."""

import itertools
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import grpc
from google.pubsub_v1 import types

from local.pubsub.rules import (
    MAX_DEADLINE,
    Refused,
    check_mask,
    check_name,
    check_publish,
    check_subscription,
    check_topic,
    invalid,
)
from local.pubsub.subscription import Subscription, changed, completed

DELETED_TOPIC = "_deleted-topic_"
PULL_WAIT = 1.0


class Service:
    """Each method takes the request and returns the answer; raises Refused with the status to answer."""

    def __init__(self) -> None:
        # Held by calls that create, change or delete; deliveries never take it, so it may wait.
        self._admin = threading.Lock()
        self._topics: dict[str, types.Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        # Sixteen digits, as the service's, and not used again by a later start.
        self._ids = itertools.count(time.time_ns() // 1_000)

    def create_topic(self, request: types.Topic) -> types.Topic:
        """CreateTopic."""
        check_topic(request)
        with self._admin:
            if request.name in self._topics:
                raise Refused(grpc.StatusCode.ALREADY_EXISTS, f"Topic already exists: {request.name}")
            self._topics[request.name] = request
        return request

    def get_topic(self, request: types.GetTopicRequest) -> types.Topic:
        """GetTopic."""
        return self._topic(request.topic)

    def list_topics(self, request: types.ListTopicsRequest) -> types.ListTopicsResponse:
        """ListTopics, by name, in pages."""
        names = [name for name in list(self._topics) if name.startswith(f"{request.project}/topics/")]
        page, token = _page(names, request.page_size, request.page_token)
        return types.ListTopicsResponse(topics=[self._topic(name) for name in page], next_page_token=token)

    def list_topic_subscriptions(
        self, request: types.ListTopicSubscriptionsRequest
    ) -> types.ListTopicSubscriptionsResponse:
        """ListTopicSubscriptions, by name, in pages."""
        self._topic(request.topic)
        names = [subscription.spec.name for subscription in self._of(request.topic)]
        page, token = _page(names, request.page_size, request.page_token)
        return types.ListTopicSubscriptionsResponse(subscriptions=page, next_page_token=token)

    def delete_topic(self, request: types.DeleteTopicRequest) -> None:
        """DeleteTopic: its subscriptions keep what they hold."""
        with self._admin:
            self._topic(request.topic)
            for subscription in self._of(request.topic):
                subscription.configure(changed(subscription.spec, topic=DELETED_TOPIC))
            del self._topics[request.topic]

    def publish(self, request: types.PublishRequest) -> types.PublishResponse:
        """Publish: every subscription of the topic holds the messages when this returns."""
        self._topic(request.topic)
        check_publish(request)
        return types.PublishResponse(message_ids=self._publish(request.topic, request.messages))

    def create_subscription(self, request: types.Subscription) -> types.Subscription:
        """CreateSubscription."""
        spec = completed(request)
        check_subscription(spec)
        with self._admin:
            if spec.name in self._subscriptions:
                raise Refused(grpc.StatusCode.ALREADY_EXISTS, f"Subscription already exists: {spec.name}")
            self._topic(spec.topic)
            self._check_dead_letter_topic(spec)
            self._subscriptions[spec.name] = Subscription(spec, publish=self._publish_dead_letter)
        return spec

    def get_subscription(self, request: types.GetSubscriptionRequest) -> types.Subscription:
        """GetSubscription."""
        return self._subscription(request.subscription).spec

    def list_subscriptions(self, request: types.ListSubscriptionsRequest) -> types.ListSubscriptionsResponse:
        """ListSubscriptions, by name, in pages."""
        prefix = f"{request.project}/subscriptions/"
        names = [name for name in list(self._subscriptions) if name.startswith(prefix)]
        page, token = _page(names, request.page_size, request.page_token)
        specs = [self._subscription(name).spec for name in page]
        return types.ListSubscriptionsResponse(subscriptions=specs, next_page_token=token)

    def update_subscription(self, request: types.UpdateSubscriptionRequest) -> types.Subscription:
        """UpdateSubscription: whole fields, as named by the mask."""
        paths = list(request.update_mask.paths)
        check_mask(paths)
        return self._configure(request.subscription, paths)

    def modify_push_config(self, request: types.ModifyPushConfigRequest) -> None:
        """ModifyPushConfig: an endpoint starts the pushing of what is held, an empty one ends it."""
        spec = types.Subscription(name=request.subscription, push_config=request.push_config)
        self._configure(spec, ["push_config"])

    def delete_subscription(self, request: types.DeleteSubscriptionRequest) -> None:
        """DeleteSubscription: what it holds is gone."""
        with self._admin:
            self._subscription(request.subscription).stop()
            del self._subscriptions[request.subscription]

    def pull(self, request: types.PullRequest, *, wait: float = PULL_WAIT) -> types.PullResponse:
        """Pull: waits that many seconds for the first message, or not at all with return_immediately."""
        subscription = self._subscription(request.subscription)
        if request.max_messages < 1:
            raise invalid("No max_messages specified")
        if subscription.spec.push_config.push_endpoint:
            detail = f"{request.subscription} is a push subscription"
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION, detail)
        leases = subscription.pull(request.max_messages, 0.0 if request.return_immediately else wait)
        counted = "dead_letter_policy" in subscription.spec
        return types.PullResponse(
            received_messages=[
                types.ReceivedMessage(
                    ack_id=lease.ack_id,
                    message=lease.message,
                    delivery_attempt=lease.attempt if counted else 0,
                )
                for lease in leases
            ]
        )

    def acknowledge(self, request: types.AcknowledgeRequest) -> None:
        """Acknowledge: an id whose lease was followed by another is no error and has no effect."""
        subscription = self._subscription(request.subscription)
        for ack_id in _some(request.ack_ids):
            try:
                subscription.backlog.acknowledge(ack_id)
            except ValueError as error:
                raise invalid(str(error)) from error

    def modify_ack_deadline(self, request: types.ModifyAckDeadlineRequest) -> None:
        """ModifyAckDeadline: 0 gives the message back."""
        subscription = self._subscription(request.subscription)
        if not 0 <= request.ack_deadline_seconds <= MAX_DEADLINE:
            raise invalid(f"ack_deadline_seconds is {request.ack_deadline_seconds}; it must be 0 to 600")
        for ack_id in _some(request.ack_ids):
            try:
                subscription.modify_deadline(ack_id, request.ack_deadline_seconds)
            except ValueError as error:
                raise invalid(str(error)) from error

    def stop(self) -> None:
        """End every pull and push; returns once no thread of a subscription is left."""
        with self._admin:
            for subscription in self._subscriptions.values():
                subscription.stop()

    def _topic(self, name: str) -> types.Topic:
        topic = self._topics.get(name)
        if topic is None:
            check_name("topics", name)
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Topic not found: {name}")
        return topic

    def _subscription(self, name: str) -> Subscription:
        subscription = self._subscriptions.get(name)
        if subscription is None:
            check_name("subscriptions", name)
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Subscription does not exist: {name}")
        return subscription

    def _of(self, topic: str) -> list[Subscription]:
        return [each for each in list(self._subscriptions.values()) if each.spec.topic == topic]

    def _check_dead_letter_topic(self, spec: types.Subscription) -> None:
        if "dead_letter_policy" in spec:
            self._topic(spec.dead_letter_policy.dead_letter_topic)

    def _configure(self, source: types.Subscription, paths: list[str]) -> types.Subscription:
        with self._admin:
            subscription = self._subscription(source.name)
            changes = {path: getattr(source, path) for path in paths if path in source}
            spec = completed(changed(subscription.spec, cleared=paths, **changes))
            check_subscription(spec)
            self._check_dead_letter_topic(spec)
            subscription.configure(spec)
        return spec

    def _publish(self, topic: str, messages: Iterable[types.PubsubMessage]) -> list[str]:
        now = datetime.now(tz=UTC)
        published = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
        subscriptions = self._of(topic)
        ids = []
        for message in messages:
            message.message_id = str(next(self._ids))
            message.publish_time = published
            ids.append(message.message_id)
            for subscription in subscriptions:
                subscription.backlog.add(message)
        return ids

    def _publish_dead_letter(self, topic: str, message: types.PubsubMessage) -> bool:
        if topic not in self._topics:
            return False
        self._publish(topic, [message])
        return True


def _page(names: Iterable[str], size: int, token: str) -> tuple[list[str], str]:
    """Return the names after the token, size at most (0: all), and the next page's token or an empty one."""
    rest = sorted(name for name in names if name > token)
    page = rest[: size or None]
    return page, page[-1] if len(page) < len(rest) else ""


def _some(ack_ids: Iterable[str]) -> list[str]:
    found = list(ack_ids)
    if not found:
        raise invalid("No ack ids specified.")
    return found
