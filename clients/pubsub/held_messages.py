"""Reads the messages that a subscription holds, publishes them again, and loses none of them.

    with HeldMessages(subscription, topic) as held:  # their full names, projects/P/...
        while messages := held.pull(limit=50):
            held.redrive([message for message in messages if message.redriven < most])

`pull` returns the next messages, the oldest first; fewer than asked for mean that no further one is there.
It leases them for ten minutes, so that no other reader gets them. `redrive` publishes messages and `discard`
drops them: any that were pulled, at any time within the lease. The end of the block releases what was only
read, and the next reader gets it at once. If the process is killed, the next reader gets it after the lease.

A message is acknowledged on the hold only once Pub/Sub has confirmed its publishing. After a failure between
the two it is still held, so it may be published twice, which makes no second row and no second card.

Every call raises Unavailable with a sentence for the operator. An instance is for one thread.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, cast

from google.api_core.exceptions import DeadlineExceeded
from google.api_core.retry import Retry
from google.pubsub_v1 import PublishRequest, ReceivedMessage

from clients.pubsub import publisher, subscriptions
from clients.pubsub.batch_publisher import BATCH_BYTES, BATCH_MESSAGES, publish_batch
from clients.pubsub.subscriptions import CALL_SECONDS, RETRY, unavailable
from pipeline.delivery import format_time, parse_number, parse_time, unpack
from pipeline.errors import Unavailable

PULL_SECONDS = 3.0  # without a message within this time, there is none
PAUSE_SECONDS = 0.2
LEASE_SECONDS = 600  # the longest that Pub/Sub allows
RELEASE_SECONDS = 10.0
ACK_IDS = 1_000  # in one request, which may have 512 KiB

# What Pub/Sub adds: https://cloud.google.com/pubsub/docs/handling-failures#track_delivery_attempts
_SOURCE = "CloudPubSubDeadLetterSource"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMessage:
    """A message on the hold. `message_id` is of the held copy, which has been there since `held_at`."""

    message_id: str
    held_at: datetime
    data: bytes
    attributes: Mapping[str, str]

    @property
    def delivery_id(self) -> str | None:
        """Return GitHub's id of the delivery."""
        return self.attributes.get("delivery_id") or None

    @property
    def gave_up(self) -> str | None:
        """Return the name of the subscription that used up its attempts, such as notify-slack."""
        return self.attributes.get(f"{_SOURCE}Subscription") or None

    @property
    def attempts(self) -> int | None:
        """Return how often that subscription tried."""
        return parse_number(self.attributes.get(f"{_SOURCE}DeliveryCount"))

    @property
    def redriven(self) -> int:
        """Return how often it was driven again before."""
        return parse_number(self.attributes.get("redriven")) or 0

    @property
    def received_at(self) -> datetime:
        """Return when ingest received it, or the earliest time that is known instead."""
        published = self.attributes.get(f"{_SOURCE}TopicPublishTime")
        return parse_time(self.attributes.get("received_at")) or parse_time(published) or self.held_at

    def body(self) -> bytes:
        """Return the JSON text as GitHub sent it. Raises Malformed."""
        return unpack(self.data, self.attributes.get("content_encoding"))

    def redriven_attributes(self) -> dict[str, str]:
        """Return the attributes with which it is published again, for the subscription that gave up."""
        kept = {name: value for name, value in self.attributes.items() if not name.startswith(_SOURCE)}
        return {
            **kept,
            "received_at": kept.get("received_at") or format_time(self.received_at),
            "source": "backfill" if kept.get("source") == "backfill" else "replay",
            "redriven": str(self.redriven + 1),
            **({"only": self.gave_up} if self.gave_up else {}),
        }


class HeldMessages:
    """The hold, by its full name, and the topic to which its messages go again."""

    def __init__(self, subscription: str, topic: str, *, pull_seconds: float = PULL_SECONDS) -> None:
        self._subscription = subscription
        self._topic = topic
        self._pull_seconds = pull_seconds
        self._subscriber = subscriptions.connect()
        self._publisher = publisher.connect()
        self._leased: dict[str, str] = {}  # ack ids by message id
        self._known: dict[str, float] = {}  # when each message was leased, also of those that are gone

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        finally:
            self._subscriber.transport.close()  # type: ignore[no-untyped-call]
            self._publisher.transport.close()  # type: ignore[no-untyped-call]

    def pull(self, limit: int = 50) -> list[HeldMessage]:
        """Return up to `limit` messages that were not returned before, the oldest first."""
        found: list[HeldMessage] = []
        end = time.monotonic() + self._pull_seconds
        while len(found) < limit and (seconds := end - time.monotonic()) > 0:
            received = self._pull(limit - len(found), seconds)
            if not received:  # which Pub/Sub may answer although there are messages
                time.sleep(min(PAUSE_SECONDS, seconds))
                continue
            end = time.monotonic() + self._pull_seconds
            found += [_read(each) for each in received if each.message.message_id not in self._known]
            self._leased |= {each.message.message_id: each.ack_id for each in received}
            self._known |= dict.fromkeys((each.message.message_id for each in received), time.monotonic())
            self._lease([each.ack_id for each in received], LEASE_SECONDS)
        return sorted(found, key=lambda message: message.held_at)

    def redrive(self, messages: Iterable[HeldMessage]) -> None:
        """Publish the messages again, and acknowledge each once its publishing is confirmed."""
        for batch in _batches(messages):
            self._check_leases(batch)
            request = PublishRequest.pb(PublishRequest(topic=self._topic))
            for message in batch:
                request.messages.add(data=message.data, attributes=message.redriven_attributes())
            publish_batch(self._publisher, request)
            self.discard(batch)

    def discard(self, messages: Sequence[HeldMessage]) -> None:
        """Acknowledge the messages: the hold has them no longer."""
        self._check_leases(messages)
        for ids in _chunks([self._leased[message.message_id] for message in messages]):
            with unavailable(self._subscription):
                self._subscriber.acknowledge(
                    subscription=self._subscription, ack_ids=ids, retry=RETRY, timeout=CALL_SECONDS
                )
        for message in messages:
            del self._leased[message.message_id]

    def release(self) -> None:
        """Give back what was only read."""
        ids = list(self._leased.values())
        self._leased.clear()
        self._lease(ids, 0, RETRY.with_timeout(RELEASE_SECONDS))

    def _pull(self, limit: int, seconds: float) -> Sequence[ReceivedMessage]:
        try:
            with unavailable(self._subscription):
                answer = self._subscriber.pull(
                    subscription=self._subscription, max_messages=limit, retry=RETRY, timeout=seconds
                )
        except Unavailable as error:
            if isinstance(error.__cause__, DeadlineExceeded):
                return ()
            raise
        return answer.received_messages

    def _lease(self, ids: Sequence[str], seconds: int, retry: Retry = RETRY) -> None:
        for chunk in _chunks(ids):
            with unavailable(self._subscription):
                self._subscriber.modify_ack_deadline(
                    subscription=self._subscription,
                    ack_ids=chunk,
                    ack_deadline_seconds=seconds,
                    retry=retry,
                    timeout=CALL_SECONDS,
                )

    def _check_leases(self, messages: Iterable[HeldMessage]) -> None:
        """Raise Unavailable for a message whose lease has ended: another reader may have it."""
        oldest = time.monotonic() - LEASE_SECONDS + CALL_SECONDS
        if any(self._known[message.message_id] < oldest for message in messages):
            raise Unavailable(
                "lease_ended", f"{self._subscription} was read over nine minutes ago; run this again."
            )


def _read(received: ReceivedMessage) -> HeldMessage:
    message = received.message
    return HeldMessage(
        message_id=message.message_id,
        held_at=cast("datetime", message.publish_time).astimezone(UTC),
        data=message.data,
        attributes=dict(message.attributes),
    )


def _batches(messages: Iterable[HeldMessage]) -> Iterator[list[HeldMessage]]:
    """Yield the messages in groups that fit one request."""
    batch: list[HeldMessage] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == BATCH_MESSAGES or size + len(message.data) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message.data)
    if batch:
        yield batch


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), ACK_IDS):
        yield list(ids[start : start + ACK_IDS])
