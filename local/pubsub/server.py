"""A local Pub/Sub: the API's own messages over plaintext gRPC, in this process, in memory.

It does not imitate and refuses as UNIMPLEMENTED: lists, updates and deletes, ordering, filters,
StreamingPull, exactly-once delivery, push tokens, dead letters of pull subscriptions, schemas, BigQuery and
Cloud Storage subscriptions. It has no persistence, permissions, quotas or expiry.
"""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types

from local import grpc_server
from local.grpc_server import GrpcServer, Refused
from local.pubsub.push import Report
from local.pubsub.service import Service

# Larger than a request of 10 MB with its framing, so that Pub/Sub's limit answers and not gRPC's.
MAX_RECEIVE_BYTES = 24 * 1024 * 1024
# A waiting pull occupies a thread for up to a second; publishes need a free one.
THREADS = 32


class PubSubServer(GrpcServer):
    """The stand-in on one port; its host is the value for PUBSUB_EMULATOR_HOST."""

    def __init__(self, port: int = 0) -> None:
        self._service = service = Service()
        topic, subscription = types.Topic.serialize, types.Subscription.serialize
        published, pulled = types.PublishResponse.serialize, types.PullResponse.serialize

        def unary(act: Callable[..., Any], *serialization: Any, timed: bool = False) -> Any:
            def answer(*request: Any) -> Any:
                if service.paused:
                    raise Refused(grpc.StatusCode.UNAVAILABLE, "the stand-in is paused")
                return act(*request)

            return grpc_server.unary(answer, *serialization, timed=timed)

        services = {
            "google.pubsub.v1.Publisher": {
                "CreateTopic": unary(service.create_topic, types.Topic, topic),
                "GetTopic": unary(service.get_topic, types.GetTopicRequest, topic),
                "Publish": unary(service.publish, types.PublishRequest, published),
            },
            "google.pubsub.v1.Subscriber": {
                "CreateSubscription": unary(service.create_subscription, types.Subscription, subscription),
                "Seek": unary(service.seek, types.SeekRequest, types.SeekResponse.serialize),
                "GetSubscription": unary(
                    service.get_subscription, types.GetSubscriptionRequest, subscription
                ),
                "ModifyAckDeadline": unary(
                    service.modify_ack_deadline, types.ModifyAckDeadlineRequest, Empty.SerializeToString
                ),
                "Pull": unary(service.pull, types.PullRequest, pulled, timed=True),
                "Acknowledge": unary(service.acknowledge, types.AcknowledgeRequest, Empty.SerializeToString),
            },
        }
        super().__init__(
            "pubsub", port, services, threads=THREADS, max_receive_message_length=MAX_RECEIVE_BYTES
        )

    @property
    def unacknowledged(self) -> int:
        """Return how many messages a push endpoint has still to take, in all subscriptions."""
        return self._service.unacknowledged()

    def backlogs(self) -> dict[str, int]:
        """Return how many messages each subscription has that are not acknowledged, by its short name."""
        return self._service.backlogs()

    def limit_attempts(self, count: int) -> None:
        """Let every subscription with dead letters give up after so many attempts from now on."""
        self._service.limit_attempts(count)

    def report_to(self, report: Report) -> None:
        """Call `report` after each push from now on."""
        self._service.report = report

    def pause(self, *, paused: bool) -> None:
        """Be away, as in an outage, until this is called with False; nothing is lost by it."""
        self._service.pause(paused=paused)

    def stop(self) -> None:
        """End pulls and pushes, also those in flight or waiting; returns once no thread is left."""
        self._server.stop(grace=None)
        self._service.stop()
        super().stop()
