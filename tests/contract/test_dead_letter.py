"""A message that a subscriber refuses every time is kept unchanged on the dead-letter topic."""

from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, RetryPolicy, Subscription

from clients.pubsub.held_messages import HeldMessages
from local.processes import free_port
from local.pubsub.server import PubSubServer
from tests.support.framework import function
from tests.support.messages import TOPIC_PATH

PROJECT = "projects/local-dev"
TOPIC, DEAD = f"{PROJECT}/topics/github-events", f"{PROJECT}/topics/github-events-dead"
HOLD = f"{PROJECT}/subscriptions/github-events-dead-hold"
POISON = b'{"action": "opened", "issue": '
ATTRIBUTES = {"event": "issues", "delivery_id": "d-poison", "received_at": "2026-01-05T12:00:00Z"}


def test_a_poison_message_ends_on_the_dead_letter_topic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that is not JSON is tried five times, then kept; driven again, it is tried five more."""
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
            monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.host)
            with HeldMessages(HOLD, TOPIC, pull_seconds=30.0) as held:
                [kept] = held.pull(limit=1)
                held.redrive([kept])
                [again] = held.pull(limit=1)
            reasons = [line["reason"] for line in stream_bq.log_lines() if line["severity"] == "ERROR"]
        channel.close()
    finally:
        server.stop()
    assert kept.data == POISON
    assert kept.attributes.items() >= ATTRIBUTES.items()
    assert again.data == POISON
    assert again.attributes.items() >= {**ATTRIBUTES, "redriven": "1", "only": "stream-bq"}.items()
    assert reasons == ["body_not_json"] * 10
