"""The topics and subscriptions of the pipeline, made through the official clients as deploy.sh makes them."""

from collections.abc import Mapping
from datetime import timedelta

import grpc
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import Subscription, Topic

from clients.pubsub import publisher

PROJECT = "local-dev"
TOPIC = "github-events"
DEAD_TOPIC = "github-events-dead"
HOLD = "github-events-dead-hold"
RETENTION = timedelta(days=7)
RPC_SECONDS = 10.0
ATTEMPTS = 100  # before a message is held as a dead letter
LONGEST_BACKOFF_SECONDS = 10  # ten minutes, as in the cloud, are too long at a laptop


def topic_path(name: str = TOPIC) -> str:
    """Return the topic's full name."""
    return f"projects/{PROJECT}/topics/{name}"


def subscriber_client(host: str) -> SubscriberClient:
    """Return the official subscriber of the Pub/Sub at `host`."""
    return SubscriberClient(transport=SubscriberGrpcTransport(channel=grpc.insecure_channel(host)))


def create_topics(host: str) -> None:
    """Create the topic, the dead-letter topic, and the subscription that holds its messages."""
    client = publisher.connect(emulator=host)
    for name in (TOPIC, DEAD_TOPIC):
        topic = Topic(name=topic_path(name), message_retention_duration=RETENTION)
        client.create_topic(topic, timeout=RPC_SECONDS)
    hold = Subscription(name=_subscription_path(HOLD), topic=topic_path(DEAD_TOPIC))
    subscriber_client(host).create_subscription(hold, timeout=RPC_SECONDS)


def create_subscriptions(host: str, ports: Mapping[str, int]) -> None:
    """Create a push subscription for each subscriber: {subscription: port of the function}.

    The settings are those of the cloud, except for a shorter backoff.
    """
    subscriber = subscriber_client(host)
    for name, port in ports.items():
        subscription = Subscription(
            name=_subscription_path(name),
            topic=topic_path(),
            push_config={"push_endpoint": f"http://127.0.0.1:{port}/{topic_path()}"},
            ack_deadline_seconds=60,
            retry_policy={
                "minimum_backoff": {"seconds": 1},
                "maximum_backoff": {"seconds": LONGEST_BACKOFF_SECONDS},
            },
            dead_letter_policy={
                "dead_letter_topic": topic_path(DEAD_TOPIC),
                "max_delivery_attempts": ATTEMPTS,
            },
        )
        subscriber.create_subscription(subscription, timeout=RPC_SECONDS)


def _subscription_path(name: str) -> str:
    return f"projects/{PROJECT}/subscriptions/{name}"
