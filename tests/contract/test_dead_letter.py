"""A message that a subscriber refuses every time is kept unchanged on the dead-letter topic."""

import time
from pathlib import Path

import grpc
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, RetryPolicy, Subscription

from local.processes import free_port
from local.pubsub.server import PubSubServer
from tests.support.framework import function
from tests.support.messages import TOPIC_PATH

PROJECT = "projects/local-dev"
TOPIC, DEAD = f"{PROJECT}/topics/github-events", f"{PROJECT}/topics/github-events-dead"
HOLD = f"{PROJECT}/subscriptions/github-events-dead-hold"
POISON = b'{"action": "opened", "issue": '
ATTRIBUTES = {"event": "issues", "delivery_id": "d-poison", "received_at": "2026-01-05T12:00:00Z"}


def test_a_poison_message_ends_on_the_dead_letter_topic(tmp_path: Path) -> None:
    """A body that is not JSON is tried five times, then kept with its bytes and attributes."""
    server = PubSubServer()
    settings = {
        "BIGQUERY_TABLE": "local-dev.github.events",
        "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{free_port()}",
    }
    try:
        channel = grpc.insecure_channel(server.start())
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        for topic in (TOPIC, DEAD):
            publisher.create_topic(name=topic, timeout=10)
        subscriber.create_subscription(Subscription(name=HOLD, topic=DEAD), timeout=10)
        with function("stream_bq", tmp_path, settings) as stream_bq:
            subscription = Subscription(
                name=f"{PROJECT}/subscriptions/stream-bq",
                topic=TOPIC,
                push_config=PushConfig(push_endpoint=stream_bq.url + TOPIC_PATH),
                retry_policy=RetryPolicy(
                    minimum_backoff=Duration(nanos=10_000_000), maximum_backoff=Duration(nanos=50_000_000)
                ),
                dead_letter_policy=DeadLetterPolicy(dead_letter_topic=DEAD, max_delivery_attempts=5),
            )
            subscriber.create_subscription(subscription, timeout=10)
            publisher.publish(topic=TOPIC, messages=[{"data": POISON, "attributes": ATTRIBUTES}], timeout=10)
            kept = pull(subscriber)
            reasons = [line["reason"] for line in stream_bq.log_lines() if line["severity"] == "ERROR"]
        channel.close()
    finally:
        server.stop()
    assert kept.data == POISON
    assert dict(kept.attributes).items() >= ATTRIBUTES.items()
    assert reasons == ["body_not_json"] * 5


def pull(subscriber: SubscriberClient):
    """Return the one message that was kept."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = subscriber.pull(subscription=HOLD, max_messages=1, timeout=10)
        if answer.received_messages:
            return answer.received_messages[0].message
    raise AssertionError("no message was kept")
