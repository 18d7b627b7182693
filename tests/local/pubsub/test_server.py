"""The stand-in has the service's own limits and fields, and its stop leaves nothing running."""

import queue
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import types

from local.pubsub.backlog import Backlog
from local.pubsub.push import Pusher, PushReport
from local.pubsub.server import PubSubServer
from tests.local.pubsub.clients import (
    QUICK,
    TIMEOUT,
    WAIT_SECONDS,
    PubSub,
    Push,
    Receiver,
    in_turn,
    wait_until,
)


def backlog_size(server: PubSubServer, subscription: str) -> int:
    """Return how many messages a subscription has."""
    return len(server._service._subscriptions[subscription].backlog._messages)


def test_push_body_has_nothing_else(builtin: PubSub, receive: Callable[..., Receiver]) -> None:
    """A push has only the service's fields, with attributes and the attempt only where they apply."""
    plain, counted = receive(), receive(in_turn(500, 200))
    topic, dead = builtin.topic(), builtin.topic("events-dead")
    builtin.subscribe("plain", topic, plain.url)
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    builtin.subscribe("counted", topic, counted.url, dead_letter_policy=policy)
    fields = {"data", "messageId", "message_id", "publishTime", "publish_time"}
    builtin.publish(topic, b"data")
    attempts = counted.take(2)
    assert [push.body["deliveryAttempt"] for push in attempts] == [1, 2]
    assert set(attempts[0].body) == {"message", "subscription", "deliveryAttempt"}
    assert set(attempts[0].body["message"]) == fields
    plain.take(1)
    builtin.publish(topic, b"data", event="issues")
    push = plain.take(1)[0]
    assert set(push.body) == {"message", "subscription"}
    assert set(push.body["message"]) == fields | {"attributes"}


@pytest.mark.parametrize("status", [102, 200, 201, 202, 204])
def test_acknowledging_answers(
    builtin: PubSub, builtin_server: PubSubServer, receive: Callable[..., Receiver], status: int
) -> None:
    """The statuses 102, 200, 201, 202 and 204 acknowledge a push."""
    receiver = receive(in_turn(status))
    topic = builtin.topic()
    subscription = builtin.subscribe("push", topic, receiver.url)
    builtin.publish(topic, b"data")
    receiver.take(1)
    wait_until(lambda: backlog_size(builtin_server, subscription) == 0)
    assert receiver.arrived.empty()


@pytest.mark.parametrize("status", [203, 206, 301, 302, 400, 404, 429, 503])
def test_other_answers_are_failures(builtin: PubSub, receive: Callable[..., Receiver], status: int) -> None:
    """After any other answer, a redirect included, the message is pushed again."""
    receiver = receive(in_turn(status, 200))
    topic = builtin.topic()
    builtin.subscribe("push", topic, receiver.url)
    builtin.publish(topic, b"data")
    assert len(receiver.take(2)) == 2


@pytest.mark.parametrize(
    "message",
    [
        {"data": b"x", "attributes": {str(number): "" for number in range(101)}},
        {"data": b"x", "attributes": {"é" * 129: "v"}},
        {"data": b"x", "attributes": {"k": "é" * 513}},
        {"data": b"x" * 10_000_000},
        {"data": b"x" * 11_000_000},
    ],
    ids=["101 attributes", "key of 258 bytes", "value of 1026 bytes", "10 MB and its frame", "11 MB"],
)
def test_message_over_a_limit(builtin: PubSub, message: dict[str, Any]) -> None:
    """A message over a limit of the service is refused; the limits count bytes and not letters."""
    topic = builtin.topic()
    with pytest.raises(exceptions.InvalidArgument):
        builtin.publish_raw(topic, message)


def test_message_at_every_limit(builtin: PubSub, receive: Callable[..., Receiver]) -> None:
    """100 attributes, a key of 256, a value of 1024 and a request of 10,000,000 bytes are accepted."""
    topic = builtin.topic()
    receiver = receive()
    builtin.subscribe("push", topic, receiver.url)
    attributes = {str(number): "" for number in range(99)} | {"é" * 128: "é" * 512}
    message: dict[str, Any] = {"data": b"x" * 9_990_000, "attributes": attributes}
    request = types.PublishRequest(topic=topic, messages=[message])
    message["data"] += b"x" * (10_000_000 - types.PublishRequest.pb(request).ByteSize())
    builtin.publish_raw(topic, message)
    push = receiver.take(1)[0]
    assert push.data == message["data"]
    assert push.body["message"]["attributes"] == attributes


@pytest.mark.parametrize(
    "settings",
    [
        {"filter": 'attributes.event = "issues"'},
        {"enable_message_ordering": True},
        {"enable_exactly_once_delivery": True},
        {"retain_acked_messages": True},
        {"bigquery_config": {"table": "p.d.t"}},
        {"push_config": {"push_endpoint": "http://127.0.0.1:1/", "no_wrapper": {"write_metadata": True}}},
        {
            "push_config": {
                "push_endpoint": "http://127.0.0.1:1/",
                "oidc_token": {"service_account_email": "a@b.c"},
            }
        },
    ],
    ids=str,
)
def test_unimitated_settings_are_refused(builtin: PubSub, settings: dict[str, Any]) -> None:
    """A setting that the stand-in does not imitate is refused, not ignored."""
    topic = builtin.topic()
    with pytest.raises(exceptions.MethodNotImplemented, match="does not imitate"):
        builtin.subscribe("push", topic, **settings)


def test_unimitated_message_is_refused(builtin: PubSub) -> None:
    """An ordering key is refused: the stand-in keeps no order."""
    topic = builtin.topic()
    with pytest.raises(exceptions.MethodNotImplemented, match="ordering_key"):
        builtin.publish_raw(topic, {"data": b"x", "ordering_key": "k"})


def test_a_topic_without_retention_cannot_be_sought(builtin: PubSub) -> None:
    """A seek is refused if the topic retains nothing, or if it is not to a time."""
    subscription = builtin.subscribe("pull", builtin.topic())
    for target in ({"time": datetime(2026, 1, 5, tzinfo=UTC)}, {"snapshot": "projects/p/snapshots/s"}):
        with pytest.raises(exceptions.InvalidArgument):
            builtin.subscriber.seek(request={"subscription": subscription, **target}, timeout=TIMEOUT)


def test_a_pull_subscription_has_no_dead_letters(builtin: PubSub) -> None:
    """A dead-letter policy without an endpoint is refused, because only pushes are counted."""
    topic = builtin.topic()
    with pytest.raises(exceptions.MethodNotImplemented, match="dead_letter_policy"):
        builtin.subscribe("pull", topic, dead_letter_policy={"dead_letter_topic": topic})


def test_other_calls_are_unimplemented(builtin: PubSub) -> None:
    """A call that the stand-in does not imitate is refused as UNIMPLEMENTED."""
    topic = builtin.topic()
    with pytest.raises(exceptions.MethodNotImplemented):
        builtin.publisher.delete_topic(topic=topic, timeout=TIMEOUT, retry=None)


@pytest.mark.parametrize("attempts", [1, 4, 101])
def test_delivery_attempts_are_an_invalid_argument(builtin: PubSub, attempts: int) -> None:
    """max_delivery_attempts outside 5 to 100 is INVALID_ARGUMENT."""
    topic = builtin.topic()
    policy = {"dead_letter_topic": topic, "max_delivery_attempts": attempts}
    with pytest.raises(exceptions.InvalidArgument):
        builtin.subscribe("push", topic, dead_letter_policy=policy)


def test_short_deadline_and_pull_from_push(builtin: PubSub) -> None:
    """An ack deadline under 10 s is refused, and so is pulling from a push subscription."""
    topic = builtin.topic()
    with pytest.raises(exceptions.InvalidArgument):
        builtin.subscribe("pull", topic, ack_deadline_seconds=9)
    subscription = builtin.subscribe("push", topic, "http://127.0.0.1:1/")
    with pytest.raises(exceptions.FailedPrecondition):
        builtin.pull_once(subscription, 1)


def test_unanswered_push_is_a_failure(receive: Callable[..., Receiver]) -> None:
    """A push that is not answered within the ack deadline is repeated, even while the first is pending."""
    go_on = threading.Event()
    first = threading.Lock()

    def answer(_: Push) -> int:
        if first.acquire(blocking=False):
            go_on.wait(WAIT_SECONDS)
        return 200

    receiver = receive(answer)
    spec = types.Subscription(
        name="projects/p/subscriptions/sub",
        ack_deadline_seconds=1,
        push_config={"push_endpoint": receiver.url},
    )
    backlog = Backlog("sub")
    pusher = Pusher(backlog, spec, lambda *_: None)
    try:
        backlog.add(types.PubsubMessage(data=b"x"))
        assert len(receiver.take(2)) == 2
        assert not go_on.is_set()
    finally:
        go_on.set()
        pusher.stop()


def test_reports(receive: Callable[..., Receiver]) -> None:
    """Each push is reported: the answer, why it failed, the time of the next one, the dead letter."""
    reports = queue.Queue[PushReport]()
    receiver = receive(in_turn(204, 500, 503))
    spec = types.Subscription(
        name="projects/p/subscriptions/sub",
        ack_deadline_seconds=10,
        push_config={"push_endpoint": receiver.url},
        retry_policy={"minimum_backoff": {}, "maximum_backoff": {}},
        dead_letter_policy={"dead_letter_topic": "projects/p/topics/dead", "max_delivery_attempts": 2},
    )
    backlog = Backlog("sub")
    pusher = Pusher(backlog, spec, lambda *_: None, reports.put)
    try:
        backlog.add(types.PubsubMessage(message_id="1"))
        found = [reports.get(timeout=WAIT_SECONDS)]
        backlog.add(types.PubsubMessage(message_id="2"))
        found += [reports.get(timeout=WAIT_SECONDS) for _ in range(3)]
    finally:
        pusher.stop()
    told = [
        (each.message.message_id, each.attempt, each.status, each.problem, each.seconds) for each in found
    ]
    assert told == [
        ("1", 1, 204, "", None),
        ("2", 1, 500, "was answered 500", 0.0),
        ("2", 2, 503, "was answered 503", 0.0),
        ("2", 2, None, "", None),
    ]
    assert [each.dead for each in found] == [False, False, False, True]
    assert {each.subscription for each in found} == {"sub"}


def test_stop_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop ends pushes in flight and waiting pushes, and leaves no thread."""
    go_on = threading.Event()

    def hang(_: Push) -> int:
        go_on.wait(WAIT_SECONDS)
        return 200

    before = set(threading.enumerate())
    hanging, failing = Receiver(hang), Receiver(in_turn(500))
    server = PubSubServer()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.start())
    clients = PubSub()
    topic = clients.topic()
    rest = {"minimum_backoff": {"seconds": 600}, "maximum_backoff": {"seconds": 600}}
    clients.subscribe("hangs", topic, hanging.url, ack_deadline_seconds=600)
    clients.subscribe("rests", topic, failing.url, retry_policy=rest)
    clients.publish(topic, b"x")
    hanging.take(1)
    failing.take(1)
    stopping = threading.Thread(target=server.stop, daemon=True)
    stopping.start()
    stopping.join(WAIT_SECONDS / 2)
    stopped = not stopping.is_alive()
    go_on.set()
    clients.publisher.transport.close()
    clients.subscriber.close()
    hanging.stop()
    failing.stop()
    assert stopped
    ours = ("push-", "pubsub")
    remaining = [each for each in set(threading.enumerate()) - before if each.name.startswith(ours)]
    assert remaining == []


def test_taken_port(builtin_server: PubSubServer) -> None:
    """A port in use is refused, and the error has its number."""
    port = builtin_server.host.rpartition(":")[2]
    server = PubSubServer(int(port))
    with pytest.raises(OSError, match=port):
        server.start()
    server.stop()


def test_an_outage_loses_nothing(
    builtin: PubSub, builtin_server: PubSubServer, receive: Callable[..., Receiver]
) -> None:
    """A paused stand-in refuses every call and pushes nothing; after that it pushes what it has."""
    receiver, topic = receive(in_turn(500, 200)), builtin.topic()
    builtin.subscribe("sub", topic, receiver.url, retry_policy=QUICK)
    builtin.subscribe("pulled", topic)
    builtin.publish(topic, b"before")
    receiver.take(1)
    builtin_server.pause(paused=True)
    with pytest.raises(exceptions.ServiceUnavailable):
        builtin.publish_raw(topic, {"data": b"refused"})
    with pytest.raises(queue.Empty):
        receiver.arrived.get(timeout=0.5)
    assert builtin_server.unacknowledged == 1
    builtin_server.pause(paused=False)
    assert receiver.take(1)[0].data == b"before"
    wait_until(lambda: builtin_server.unacknowledged == 0)
