"""Held messages are read, released, driven again and discarded, and none is lost on the way."""

import contextlib
import gzip
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from google.api_core.exceptions import DeadlineExceeded, ServiceUnavailable
from google.pubsub_v1 import PublisherClient, SubscriberClient

from clients.pubsub import held_messages
from clients.pubsub.held_messages import HeldMessage, HeldMessages
from local.pubsub.server import PubSubServer
from pipeline.errors import Unavailable
from tests.support.held import fill
from tests.support.messages import NOON
from tests.support.pubsub import Inbox, PubSub


@pytest.fixture
def pubsub(monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSub]:
    """Start a Pub/Sub that the official clients find by themselves."""
    server = PubSubServer()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.start())
    yield PubSub(host=server.host)
    server.stop()


@pytest.fixture
def hold(pubsub: PubSub) -> Iterator[Inbox]:
    """Return the hold and the dead-letter topic."""
    inbox = pubsub.new_topic()
    yield inbox
    inbox.channel.close()


@pytest.fixture
def topic(pubsub: PubSub) -> Iterator[Inbox]:
    """Return the topic to which held messages go again."""
    inbox = pubsub.new_topic()
    yield inbox
    inbox.channel.close()


def opened(hold: Inbox, topic: Inbox) -> HeldMessages:
    """Return the hold as its readers open it, with a short wait for its end."""
    return HeldMessages(hold.subscription, topic.topic, pull_seconds=0.4)


def ids(messages: list[HeldMessage]) -> list[str | None]:
    """Return the delivery ids."""
    return [message.delivery_id for message in messages]


def left(hold: Inbox, topic: Inbox) -> list[str | None]:
    """Return what another reader finds on the hold at this moment."""
    with opened(hold, topic) as held:
        return sorted(ids(held.pull()), key=str)


def test_what_is_only_read_is_there_for_the_next_reader(hold: Inbox, topic: Inbox) -> None:
    """A reader gets each message once, no one else gets it meanwhile, and all are there again afterwards."""
    fill(hold.topic, 5)
    with opened(hold, topic) as held:
        first, second, third = held.pull(limit=3), held.pull(limit=3), held.pull()
        assert ids(first + second) == [f"d-{number}" for number in range(5)]
        assert (len(first), len(third)) == (3, 0)
        assert left(hold, topic) == []
    assert left(hold, topic) == [f"d-{number}" for number in range(5)]


def test_an_error_releases_what_was_read(hold: Inbox, topic: Inbox) -> None:
    """Ctrl-C and any other error release what was read."""
    fill(hold.topic, 1)

    def read() -> None:
        with opened(hold, topic) as held:
            held.pull()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()
    assert left(hold, topic) == ["d-0"]


def test_a_held_message_says_what_became_of_it(hold: Inbox, topic: Inbox) -> None:
    """A held message names its delivery, the subscription that gave up, its attempts and its times."""
    fill(hold.topic, 1, redriven="2")
    with opened(hold, topic) as held:
        [message] = held.pull()
    assert (message.delivery_id, message.gave_up, message.attempts) == ("d-0", "notify-slack", 100)
    assert (message.redriven, message.received_at, message.body()) == (2, NOON, b'{"issue": {"number": 0}}')
    assert abs((datetime.now(UTC) - message.held_at).total_seconds()) < 60


def test_a_message_of_someone_else_has_what_is_known() -> None:
    """A message without attributes names nothing, and is dated by when it was held."""
    message = HeldMessage(message_id="1", held_at=NOON, data=b"x", attributes={})
    assert (message.delivery_id, message.gave_up, message.attempts, message.redriven) == (None, None, None, 0)
    assert message.received_at == NOON
    assert message.redriven_attributes() == {
        "received_at": "2026-01-05T12:00:00.000000Z",
        "source": "replay",
        "redriven": "1",
    }


def test_a_packed_body_is_unpacked() -> None:
    """The body of a message that ingest packed is the text that GitHub sent."""
    message = HeldMessage(
        message_id="1", held_at=NOON, data=gzip.compress(b"{}"), attributes={"content_encoding": "gzip"}
    )
    assert message.body() == b"{}"


@pytest.mark.parametrize(
    ("source", "expected"), [("webhook", "replay"), ("replay", "replay"), ("backfill", "backfill")]
)
def test_a_message_driven_again_is_the_same_delivery(
    hold: Inbox, topic: Inbox, source: str, expected: str
) -> None:
    """It keeps body, id, event and receipt; it is a counted replay for the subscription that gave up."""
    fill(hold.topic, 2, source=source, redriven="3")
    with opened(hold, topic) as held:
        held.redrive(held.pull())
    assert left(hold, topic) == []
    first, second = topic.until("d-1")
    assert (first.data, second.data) == (b'{"issue": {"number": 0}}', b'{"issue": {"number": 1}}')
    assert dict(first.attributes) == {
        "event": "issues",
        "action": "opened",
        "repository": "acme/app",
        "delivery_id": "d-0",
        "received_at": "2026-01-05T12:00:00.000000Z",
        "source": expected,
        "schema": "1",
        "hook_id": "5",
        "redriven": "4",
        "only": "notify-slack",
    }


def test_what_is_not_published_is_still_held(
    hold: Inbox, topic: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the topic takes only the first group of messages, the others stay on the hold."""
    fill(hold.topic, 4)
    monkeypatch.setattr(held_messages, "BATCH_MESSAGES", 2)
    publish, refused = PublisherClient.publish, DeadlineExceeded("no answer")

    def once(self: PublisherClient, request: object, **options: object) -> object:
        monkeypatch.setattr(PublisherClient, "publish", fail)
        return publish(self, request, **options)

    def fail(*_: object, **__: object) -> None:
        raise refused

    monkeypatch.setattr(PublisherClient, "publish", once)
    with pytest.raises(Unavailable) as caught, opened(hold, topic) as held:
        held.redrive(held.pull())
    monkeypatch.setattr(PublisherClient, "publish", publish)
    assert caught.value.reason == "publish_failed"
    assert left(hold, topic) == ["d-2", "d-3"]
    assert len(topic.until("d-1")) == 2


def test_what_is_not_acknowledged_is_still_held(
    hold: Inbox, topic: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the hold does not confirm, the messages stay there, although they are published."""
    fill(hold.topic, 1)
    acknowledge = SubscriberClient.acknowledge

    def fail(*_: object, **__: object) -> None:
        raise ServiceUnavailable("no answer")

    monkeypatch.setattr(SubscriberClient, "acknowledge", fail)
    with pytest.raises(Unavailable), opened(hold, topic) as held:
        held.redrive(held.pull())
    monkeypatch.setattr(SubscriberClient, "acknowledge", acknowledge)
    assert left(hold, topic) == ["d-0"]
    assert len(topic.until("d-0")) == 1


@pytest.mark.parametrize("seed", range(1, 1 + int(os.environ.get("SEEDS", "1"))))
def test_random_failures_lose_nothing(
    hold: Inbox,
    topic: Inbox,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    """If calls fail, before or after Pub/Sub has done them, each message is published in the end."""
    draw = random.Random(seed)

    def failing(call: Callable[..., object]) -> Callable[..., object]:
        def act(*arguments: object, **options: object) -> object:
            fate = draw.random()
            if fate < 0.1:
                raise ServiceUnavailable("not done")
            answer = call(*arguments, **options)
            if fate < 0.2:
                raise ServiceUnavailable("done, but the answer is lost")
            return answer

        return act

    fill(hold.topic, 50)
    monkeypatch.setattr(held_messages, "BATCH_MESSAGES", 5)
    with monkeypatch.context() as faults:
        for client, name in ((PublisherClient, "publish"), (SubscriberClient, "acknowledge")):
            faults.setattr(client, name, failing(getattr(client, name)))
        remaining = 1
        while remaining:
            with contextlib.suppress(Unavailable), opened(hold, topic) as held:
                messages = held.pull(limit=100)
                remaining = len(messages)
                held.redrive(messages)
    end = {"attributes": {"delivery_id": "end"}}
    held_messages.publisher.connect().publish(topic=topic.topic, messages=[end], timeout=10)
    published = Counter(message.attributes["delivery_id"] for message in topic.until("end"))
    del published["end"]
    assert set(published) == {f"d-{number}" for number in range(50)}


def test_a_lease_that_has_ended_is_not_used(
    hold: Inbox, topic: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the lease another reader may have the message, so it is neither published nor dropped."""
    fill(hold.topic, 1)
    with opened(hold, topic) as held:
        messages = held.pull()
        monkeypatch.setattr(held_messages, "LEASE_SECONDS", 0)
        for act in (held.redrive, held.discard):
            with pytest.raises(Unavailable) as caught:
                act(messages)
            assert caught.value.reason == "lease_ended"
        monkeypatch.undo()


def test_discarded_messages_are_gone(hold: Inbox, topic: Inbox) -> None:
    """A discarded message is on the hold no longer; the others are."""
    fill(hold.topic, 3)
    with opened(hold, topic) as held:
        held.discard(held.pull()[:2])
    assert left(hold, topic) == ["d-2"]


def test_a_missing_hold_is_one_sentence(topic: Inbox) -> None:
    """A hold that does not exist is named."""
    with (
        pytest.raises(Unavailable, match=r"test/subscriptions/none does not exist\.") as caught,
        HeldMessages("projects/test/subscriptions/none", topic.topic) as held,
    ):
        held.pull()
    assert caught.value.reason == "subscription_missing"
