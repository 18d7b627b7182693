"""What the pipeline relies on in Pub/Sub, checked on the stand-in and on Google's own emulator."""

import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core import exceptions

from clients.pubsub.held_messages import HeldMessages
from local.pubsub.push import WORKERS
from tests.local.pubsub.clients import QUICK, TIMEOUT, WAIT_SECONDS, PubSub, Push, Receiver, in_turn

# Known differences, all of them:
#
# |                                            | stand-in               | Google's emulator (0.8.20)      |
# |--------------------------------------------|------------------------|---------------------------------|
# | max_delivery_attempts outside 5 to 100     | INVALID_ARGUMENT       | OUT_OF_RANGE                    |
# | ack deadline under 10 s                    | INVALID_ARGUMENT       | accepted                        |
# | over 100 attributes, long keys and values  | INVALID_ARGUMENT       | accepted                        |
# | request of 10,000,001 to 10 MiB            | INVALID_ARGUMENT       | accepted                        |
# | filter, enable_message_ordering            | UNIMPLEMENTED          | stored (ordering also obeyed)   |
# | pull from a push subscription              | FAILED_PRECONDITION    | answered                        |
# | dead-letter policy of a pull subscription  | UNIMPLEMENTED          | obeyed                          |
# | lists, updates, deletes                    | UNIMPLEMENTED          | obeyed                          |
# | `attributes` of a message without any      | absent from a push     | {}                              |
# | `deliveryAttempt` with a dead-letter policy| in a push              | absent                          |
# | a push answered 202                        | acknowledged           | retried                         |
# | pause between pushes without a policy      | 0.1 s doubling to 60 s | 1 s                             |
# | pause between pushes with a policy         | as asked               | as asked, but 1 s at least      |
# | pushes at a time in one subscription       | 8                      | 2                               |
#
# These tests leave them open; test_server.py tests the stand-in alone.


def test_push_body(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """A push is a JSON POST to the endpoint's path that carries data and attributes unchanged."""
    receiver = receive()
    topic = pubsub.topic()
    subscription = pubsub.subscribe("push", topic, f"{receiver.url}projects/p/topics/t?x=1")
    data = bytes(range(256)) + "żółć\u2028".encode()
    message_id = pubsub.publish(topic, data, event="issues", title='żółć "quoted" \\ \u2028 🎉', blank="")
    push = receiver.take(1)[0]
    message = push.body["message"]
    assert push.path == "/projects/p/topics/t?x=1"
    assert push.content_type == "application/json"
    assert push.data == data
    assert message["attributes"] == {
        "event": "issues",
        "title": 'żółć "quoted" \\ \u2028 🎉',
        "blank": "",
    }
    assert message["messageId"] == message["message_id"] == message_id
    assert message["publishTime"] == message["publish_time"]
    assert message["publishTime"].endswith("Z")
    assert push.body["subscription"] == subscription


def test_attributes_alone_are_a_message(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """A message may have attributes and no data; its push carries empty data."""
    receiver = receive()
    topic = pubsub.topic()
    pubsub.subscribe("push", topic, receiver.url)
    pubsub.publish(topic, b"", event="ping")
    push = receiver.take(1)[0]
    assert push.data == b""
    assert push.body["message"]["attributes"] == {"event": "ping"}


def test_large_message(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """A message just under the limit of 10,000,000 bytes is published and pushed whole."""
    receiver = receive()
    topic = pubsub.topic()
    pubsub.subscribe("push", topic, receiver.url)
    data = os.urandom(9_999_000)
    pubsub.publish_raw(topic, {"data": data})
    assert receiver.take(1)[0].data == data


def test_every_subscription_gets_every_message(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """Two subscriptions of one topic each get every message."""
    first, second = receive(), receive()
    topic = pubsub.topic()
    pubsub.subscribe("first", topic, first.url)
    pubsub.subscribe("second", topic, second.url)
    sent = {str(number).encode() for number in range(20)}
    for data in sent:
        pubsub.publish(topic, data)
    assert {push.data for push in first.take(20)} == sent
    assert {push.data for push in second.take(20)} == sent


def test_failed_push_is_repeated(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """A push answered 500 is repeated with the same message id until it is answered 200."""
    receiver = receive(in_turn(500, 200))
    topic = pubsub.topic()
    pubsub.subscribe("push", topic, receiver.url)
    message_id = pubsub.publish(topic, b"once more")
    assert [push.body["message"]["messageId"] for push in receiver.take(2)] == [message_id] * 2


def test_retry_policy_repeats_each_message_on_its_own(
    pubsub: PubSub, receive: Callable[..., Receiver]
) -> None:
    """With a retry policy, a failing message is retried without delaying the next one."""
    answered: dict[bytes, int] = {}

    def answer(push: Push) -> int:
        answered[push.data] = answered.get(push.data, 0) + 1
        return 500 if push.data == b"bad" and answered[b"bad"] < 3 else 200

    receiver = receive(answer)
    topic = pubsub.topic()
    pubsub.subscribe("push", topic, receiver.url, retry_policy=QUICK)
    pubsub.publish(topic, b"bad")
    first = receiver.take(1)
    pubsub.publish(topic, b"good")
    rest = receiver.take(3)
    assert [push.data for push in first] == [b"bad"]
    assert sorted(push.data for push in rest) == [b"bad", b"bad", b"good"]
    assert rest[-1].data == b"bad"


def test_endpoint_down_then_up(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """A message whose endpoint is down arrives once the endpoint is back."""
    topic = pubsub.topic()
    with socket.create_server(("127.0.0.1", 0)) as broken:
        broken.settimeout(WAIT_SECONDS)
        port = broken.getsockname()[1]
        pubsub.subscribe("push", topic, f"http://127.0.0.1:{port}/", retry_policy=QUICK)
        pubsub.publish(topic, b"late")
        broken.accept()[0].close()
    receiver = receive(port=port)
    assert receiver.take(1)[0].data == b"late"


def test_dead_letter(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """After 5 failed pushes a message moves to the dead-letter topic, with its source in the attributes."""
    receiver = receive(in_turn(500))
    topic, dead = pubsub.topic(), pubsub.topic("events-dead")
    hold = pubsub.subscribe("hold", dead)
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    pubsub.subscribe("push", topic, receiver.url, retry_policy=QUICK, dead_letter_policy=policy)
    pubsub.publish(topic, b"\x00lost", event="issues")
    received = pubsub.pull(hold, 1)
    pushes = receiver.take(5)
    assert receiver.arrived.empty()
    assert received[0].message.data == b"\x00lost"
    assert dict(received[0].message.attributes) == {
        "event": "issues",
        "CloudPubSubDeadLetterSourceSubscription": "push",
        "CloudPubSubDeadLetterSourceSubscriptionProject": pubsub.project,
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceTopicPublishTime": pushes[0].body["message"]["publishTime"],
    }
    pubsub.acknowledge(hold, received)
    replayed = pubsub.publish(dead, b"next")
    assert [each.message.message_id for each in pubsub.pull(hold, 1)] == [replayed]


def test_held_messages_are_read_and_driven_again(pubsub: PubSub) -> None:
    """Held messages that are only read stay; one that is driven again goes to its topic alone."""
    topic, dead = pubsub.topic(), pubsub.topic("events-dead")
    hold, inbox = pubsub.subscribe("hold", dead), pubsub.subscribe("inbox", topic)
    for number in range(3):
        pubsub.publish(dead, b"%d" % number, CloudPubSubDeadLetterSourceSubscription="push")
    with HeldMessages(hold, topic, pull_seconds=1.0) as held:
        assert sorted(message.data for message in held.pull()) == [b"0", b"1", b"2"]
    with HeldMessages(hold, topic, pull_seconds=1.0) as held:
        held.redrive([message for message in held.pull() if message.data == b"1"])
    [driven] = pubsub.pull(inbox, 1)
    assert (driven.message.data, driven.message.attributes["only"]) == (b"1", "push")
    assert sorted(each.message.data for each in pubsub.pull(hold, 2)) == [b"0", b"2"]
    assert pubsub.subscriber.get_subscription(subscription=inbox, timeout=TIMEOUT).topic == topic


def test_seek_delivers_again(pubsub: PubSub) -> None:
    """After a seek, a subscription gets again what its topic retains since then, acknowledged or not."""
    topic = f"projects/{pubsub.project}/topics/retained"
    pubsub.publisher.create_topic(
        request={"name": topic, "message_retention_duration": {"seconds": 600}}, timeout=TIMEOUT
    )
    inbox = pubsub.subscribe("inbox", topic)
    pubsub.publish(topic, b"before")
    [before] = pubsub.pull(inbox, 1)
    pubsub.publish(topic, b"after")
    [after] = pubsub.pull(inbox, 1)
    pubsub.acknowledge(inbox, [before, after])
    moment = after.message.publish_time
    assert moment > before.message.publish_time
    pubsub.subscriber.seek(request={"subscription": inbox, "time": moment}, timeout=TIMEOUT)
    assert [each.message.data for each in pubsub.pull(inbox, 1)] == [b"after"]


def test_a_slow_subscriber_delays_no_other(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """A subscriber that has not answered one push does not delay another subscription."""
    go_on = threading.Event()

    def slow(_: Push) -> int:
        go_on.wait(WAIT_SECONDS)
        return 200

    stuck, fast = receive(slow), receive()
    topic = pubsub.topic()
    pubsub.subscribe("stuck", topic, stuck.url, ack_deadline_seconds=60)
    pubsub.subscribe("fast", topic, fast.url, ack_deadline_seconds=60)
    sent = {str(number).encode() for number in range(3 * WORKERS)}
    try:
        for data in sent:
            pubsub.publish(topic, data)
        assert {push.data for push in fast.take(len(sent))} == sent
        assert stuck.arrived.qsize() < len(sent)
    finally:
        go_on.set()
    assert {push.data for push in stuck.take(len(sent))} == sent


def test_pull_takes_no_more_than_asked(pubsub: PubSub) -> None:
    """A pull returns at most max_messages; the next one returns the rest."""
    topic = pubsub.topic()
    subscription = pubsub.subscribe("pull", topic)
    sent = {b"one", b"two", b"three"}
    for data in sent:
        pubsub.publish(topic, data)
    first = pubsub.pull_once(subscription, 1)
    rest = pubsub.pull(subscription, 2)
    assert len(first) == 1
    assert {each.message.data for each in [*first, *rest]} == sent


@pytest.mark.parametrize("name", ["ab", "1abc", "goog-x", "a b c", "a/b/c", "x" * 256])
def test_malformed_names(pubsub: PubSub, name: str) -> None:
    """An id that is too short, too long, reserved or malformed is refused."""
    topic = pubsub.topic()
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.topic(name)
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscribe(name, topic)


def test_existing_and_missing(pubsub: PubSub) -> None:
    """Creating a topic or subscription twice, or using a missing one, is refused."""
    topic = pubsub.topic()
    subscription = pubsub.subscribe("pull", topic)
    missing = f"{topic}-missing"
    with pytest.raises(exceptions.AlreadyExists):
        pubsub.topic()
    with pytest.raises(exceptions.AlreadyExists):
        pubsub.subscribe("pull", topic)
    with pytest.raises(exceptions.NotFound):
        pubsub.subscribe("other", missing)
    endpoint = "http://127.0.0.1:1/"
    with pytest.raises(exceptions.NotFound):
        pubsub.subscribe("other", topic, endpoint, dead_letter_policy={"dead_letter_topic": missing})
    with pytest.raises(exceptions.NotFound):
        pubsub.publish(missing, b"data")
    with pytest.raises(exceptions.NotFound):
        pubsub.publisher.get_topic(topic=missing, timeout=TIMEOUT, retry=None)
    with pytest.raises(exceptions.NotFound):
        pubsub.pull_once(f"{subscription}-missing", 1)


@pytest.mark.parametrize("endpoint", ["ftp://127.0.0.1/", "127.0.0.1:8080", "not an address"])
def test_endpoint_must_be_http(pubsub: PubSub, endpoint: str) -> None:
    """A push endpoint must be an http or https address."""
    topic = pubsub.topic()
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscribe("push", topic, endpoint)


@pytest.mark.parametrize("attempts", [1, 4, 101])
def test_delivery_attempts_out_of_bounds(pubsub: PubSub, attempts: int) -> None:
    """max_delivery_attempts must be 5 to 100."""
    topic = pubsub.topic()
    policy = {"dead_letter_topic": topic, "max_delivery_attempts": attempts}
    with pytest.raises(exceptions.BadRequest):
        pubsub.subscribe("push", topic, dead_letter_policy=policy)


@pytest.mark.parametrize(
    "settings",
    [
        {"ack_deadline_seconds": 601},
        {"retry_policy": {"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 5}}},
        {"retry_policy": {"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 601}}},
    ],
    ids=str,
)
def test_settings_out_of_bounds(pubsub: PubSub, settings: dict[str, Any]) -> None:
    """Deadlines over 600 s, and backoffs out of order or over 600 s, are refused."""
    topic = pubsub.topic()
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscribe("pull", topic, **settings)


def test_empty_calls(pubsub: PubSub) -> None:
    """A message without data and attributes is refused, and so is an empty request."""
    topic = pubsub.topic()
    subscription = pubsub.subscribe("pull", topic)
    call: dict[str, Any] = {"timeout": TIMEOUT, "retry": None}
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.publish_raw(topic, {})
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.publish_raw(topic)
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.pull_once(subscription, 0)
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscriber.acknowledge(subscription=subscription, ack_ids=[], **call)
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscriber.acknowledge(subscription=subscription, ack_ids=["junk"], **call)
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscriber.modify_ack_deadline(
            subscription=subscription, ack_ids=["junk"], ack_deadline_seconds=0, **call
        )
