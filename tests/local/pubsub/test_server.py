"""What the pipeline relies on in Pub/Sub, held against the stand-in and against Google's own emulator."""

import base64
import itertools
import json
import math
import os
import queue
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient as GapicPublisher
from google.pubsub_v1 import types

from local.processes import free_port
from local.pubsub.backlog import Backlog
from local.pubsub.emulator import find_emulator, ready
from local.pubsub.push import WORKERS, Pusher
from local.pubsub.server import PubSubServer
from local.pubsub.subscription import Subscription

# Known differences, all of them:
#
# |                                            | stand-in               | Google's emulator (0.8.20)      |
# |--------------------------------------------|------------------------|---------------------------------|
# | max_delivery_attempts outside 5 to 100     | INVALID_ARGUMENT       | OUT_OF_RANGE                    |
# | ack deadline under 10 s                    | INVALID_ARGUMENT       | accepted                        |
# | over 100 attributes, long keys and values  | INVALID_ARGUMENT       | accepted                        |
# | request of 10,000,001 to 10 MiB            | INVALID_ARGUMENT       | accepted                        |
# | update of labels                           | obeyed                 | INVALID_ARGUMENT                |
# | filter, enable_message_ordering            | UNIMPLEMENTED          | stored (ordering also obeyed)   |
# | pull from a push subscription              | FAILED_PRECONDITION    | answered                        |
# | `attributes` of a message without any      | absent from a push     | {}                              |
# | `deliveryAttempt` with a dead-letter policy| in a push              | absent                          |
# | a push answered 202                        | acknowledged           | retried                         |
# | rest between pushes without a policy       | 0.1 s doubling to 60 s | 1 s                             |
# | rest between pushes with a policy          | as asked               | as asked, but 1 s at least      |
# | pushes at a time in one subscription       | 8                      | 2                               |
#
# The shared tests leave these open; the tests of the stand-in alone are at the end.

TIMEOUT = 10.0
PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One push as it arrived."""

    path: str
    content_type: str
    body: dict[str, Any]

    @property
    def data(self) -> bytes:
        """Return the decoded data."""
        return base64.b64decode(self.body["message"]["data"], validate=True)


class Receiver:
    """A loopback endpoint: notes every push, then answers what `answer` says."""

    def __init__(self, answer: Callable[[Push], int] = lambda _: 200, port: int = 0) -> None:
        arrived = self.arrived = queue.Queue[Push]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                push = Push(path=self.path, content_type=self.headers["Content-Type"], body=json.loads(raw))
                arrived.put(push)
                status = answer(push)
                try:
                    self.send_response(status)
                    if status >= 200:
                        self.send_header("Content-Length", "0")
                    self.end_headers()
                except ConnectionError:
                    pass  # the pusher was stopped in the meantime

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            # The default of 5 overflows when a subscription pushes with all its threads at once.
            request_queue_size = 64

        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def take(self, count: int) -> list[Push]:
        """Return the next pushes, in the order of arrival; fails when they do not come."""
        return [self.arrived.get(timeout=PATIENCE) for _ in range(count)]

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class PubSub:
    """The official clients and one project of its own."""

    def __init__(self) -> None:
        self.publisher = pubsub_v1.PublisherClient()
        self.subscriber = pubsub_v1.SubscriberClient()
        self.project = f"contract-{uuid.uuid4().hex[:12]}"

    def topic(self, name: str = "events") -> str:
        """Make a topic and return its full name."""
        path = f"projects/{self.project}/topics/{name}"
        self.publisher.create_topic(name=path, timeout=TIMEOUT, retry=None)
        return path

    def path(self, name: str) -> str:
        """Return the full name of a subscription."""
        return f"projects/{self.project}/subscriptions/{name}"

    def subscribe(self, name: str, topic: str, endpoint: str = "", **settings: Any) -> str:
        """Make a subscription and return its full name."""
        request = {"name": self.path(name), "topic": topic, **settings}
        if endpoint:
            request["push_config"] = {"push_endpoint": endpoint}
        self.subscriber.create_subscription(request=request, timeout=TIMEOUT, retry=None)
        return self.path(name)

    def publish(self, topic: str, data: bytes, **attributes: str) -> str:
        """Publish, and return the id once it is confirmed."""
        return self.publisher.publish(topic, data, timeout=TIMEOUT, **attributes).result(timeout=TIMEOUT)

    def publish_raw(self, topic: str, *messages: dict[str, Any]) -> None:
        """Publish past the client's own checks."""
        GapicPublisher.publish(
            self.publisher, topic=topic, messages=list(messages), timeout=TIMEOUT, retry=None
        )

    def pull(self, subscription: str, count: int) -> list[types.ReceivedMessage]:
        """Pull until that many have come."""
        received: list[types.ReceivedMessage] = []
        end = time.monotonic() + PATIENCE
        while len(received) < count and time.monotonic() < end:
            received += self.pull_once(subscription, count - len(received))
        assert len(received) == count
        return received

    def pull_once(self, subscription: str, limit: int) -> list[types.ReceivedMessage]:
        """Pull one time; an answer that does not come is none."""
        try:
            answer = self.subscriber.pull(
                subscription=subscription, max_messages=limit, timeout=TIMEOUT, retry=None
            )
        except exceptions.DeadlineExceeded:
            return []
        return list(answer.received_messages)

    def acknowledge(self, subscription: str, received: list[types.ReceivedMessage]) -> None:
        """Acknowledge what was pulled."""
        ids = [each.ack_id for each in received]
        self.subscriber.acknowledge(subscription=subscription, ack_ids=ids, timeout=TIMEOUT, retry=None)

    def close(self) -> None:
        """Delete the subscriptions and close the clients."""
        project = f"projects/{self.project}"
        for each in self.subscriber.list_subscriptions(project=project, timeout=TIMEOUT, retry=None):
            # A push left behind would go on knocking at a port that is somebody else's by then.
            self.subscriber.delete_subscription(subscription=each.name, timeout=TIMEOUT, retry=None)
        self.publisher.stop()
        self.publisher.transport.close()
        self.subscriber.close()


@pytest.fixture(scope="session")
def google_host() -> Iterator[str]:
    """One emulator of Google's for the whole run."""
    emulator = find_emulator()
    if emulator is None:
        missing = "Google's Pub/Sub emulator needs java on PATH and its jar (see find_emulator)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing}; CI must hold the contract against it")
        pytest.skip(missing)
    port = free_port()
    process = subprocess.Popen(emulator.command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ready(f"127.0.0.1:{port}", 30, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture(scope="session")
def builtin_server() -> Iterator[PubSubServer]:
    """One stand-in for the whole run."""
    server = PubSubServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["builtin", "google"])
def pubsub(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSub]:
    """Give the clients, first on the stand-in, then on Google's emulator."""
    if request.param == "google":
        host = request.getfixturevalue("google_host")
    else:
        host = request.getfixturevalue("builtin_server").host
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", host)
    clients = PubSub()
    yield clients
    clients.close()


@pytest.fixture
def builtin(builtin_server: PubSubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSub]:
    """Give the clients on the stand-in."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", builtin_server.host)
    clients = PubSub()
    yield clients
    clients.close()


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Start receivers, and stop them after the test."""
    receivers: list[Receiver] = []

    def start(*arguments: Any, **keywords: Any) -> Receiver:
        receivers.append(Receiver(*arguments, **keywords))
        return receivers[-1]

    yield start
    for receiver in receivers:
        receiver.stop()


def in_turn(*statuses: int) -> Callable[[Push], int]:
    """Answer these statuses one after the other, then the last one for ever."""
    script = itertools.chain(statuses, itertools.repeat(statuses[-1]))
    lock = threading.Lock()

    def answer(_: Push) -> int:
        with lock:
            return next(script)

    return answer


QUICK = {"minimum_backoff": {"nanos": 100_000_000}, "maximum_backoff": {"nanos": 200_000_000}}


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
    """A push answered 500 comes again, with the same message id, until it is answered 200."""
    receiver = receive(in_turn(500, 200))
    topic = pubsub.topic()
    pubsub.subscribe("push", topic, receiver.url)
    message_id = pubsub.publish(topic, b"once more")
    assert [push.body["message"]["messageId"] for push in receiver.take(2)] == [message_id] * 2


def test_retry_policy_repeats_each_message_on_its_own(
    pubsub: PubSub, receive: Callable[..., Receiver]
) -> None:
    """Under a retry policy a failing message is tried again and again, and one behind it is not held up."""
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
    """A message whose endpoint broke off and went away arrives once the endpoint is back."""
    topic = pubsub.topic()
    with socket.create_server(("127.0.0.1", 0)) as broken:
        broken.settimeout(PATIENCE)
        port = broken.getsockname()[1]
        pubsub.subscribe("push", topic, f"http://127.0.0.1:{port}/", retry_policy=QUICK)
        pubsub.publish(topic, b"patient")
        broken.accept()[0].close()
    receiver = receive(port=port)
    assert receiver.take(1)[0].data == b"patient"


def test_dead_letter(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """After exactly 5 failed pushes a message moves to the dead-letter topic, with where it came from."""
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


def test_slow_subscriber_delays_nobody(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """A subscriber that has not answered one push yet does not hold up another subscription."""
    go_on = threading.Event()

    def slow(_: Push) -> int:
        go_on.wait(PATIENCE)
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


def test_pull_becomes_push(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """What a pull subscription holds is pushed as soon as it is given an endpoint."""
    topic = pubsub.topic()
    subscription = pubsub.subscribe("later", topic)
    sent = {b"one", b"two", b"three"}
    for data in sent:
        pubsub.publish(topic, data)
    receiver = receive()
    pubsub.subscriber.modify_push_config(
        subscription=subscription,
        push_config={"push_endpoint": receiver.url},
        timeout=TIMEOUT,
        retry=None,
    )
    assert {push.data for push in receiver.take(3)} == sent


def test_push_becomes_pull(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """What could not be pushed can be pulled once the endpoint is taken away."""
    receiver = receive(in_turn(500))
    topic = pubsub.topic()
    subscription = pubsub.subscribe("later", topic, receiver.url, retry_policy=QUICK)
    pubsub.publish(topic, b"held")
    receiver.take(1)
    pubsub.subscriber.modify_push_config(
        subscription=subscription, push_config={}, timeout=TIMEOUT, retry=None
    )
    assert pubsub.pull(subscription, 1)[0].message.data == b"held"


def test_pull_takes_no_more_than_asked(pubsub: PubSub) -> None:
    """A pull answers at most max_messages, and the rest stays for the next one."""
    topic = pubsub.topic()
    subscription = pubsub.subscribe("pull", topic)
    sent = {b"one", b"two", b"three"}
    for data in sent:
        pubsub.publish(topic, data)
    first = pubsub.pull_once(subscription, 1)
    rest = pubsub.pull(subscription, 2)
    assert len(first) == 1
    assert {each.message.data for each in [*first, *rest]} == sent


def test_given_back_message_comes_again(pubsub: PubSub) -> None:
    """A pulled message whose deadline is set to 0 comes again; a dead-letter policy counts the attempts."""
    topic, dead = pubsub.topic(), pubsub.topic("events-dead")
    subscription = pubsub.subscribe("pull", topic, dead_letter_policy={"dead_letter_topic": dead})
    pubsub.publish(topic, b"again")
    first = pubsub.pull(subscription, 1)[0]
    pubsub.subscriber.modify_ack_deadline(
        subscription=subscription,
        ack_ids=[first.ack_id],
        ack_deadline_seconds=0,
        timeout=TIMEOUT,
        retry=None,
    )
    second = pubsub.pull(subscription, 1)[0]
    assert second.message.message_id == first.message.message_id
    assert [first.delivery_attempt, second.delivery_attempt] == [1, 2]


def test_deleted_topic_leaves_its_subscription(pubsub: PubSub) -> None:
    """A subscription outlives its topic, with what it holds."""
    topic = pubsub.topic()
    subscription = pubsub.subscribe("pull", topic)
    pubsub.publish(topic, b"kept")
    pubsub.publisher.delete_topic(topic=topic, timeout=TIMEOUT, retry=None)
    found = pubsub.subscriber.get_subscription(subscription=subscription, timeout=TIMEOUT, retry=None)
    assert found.topic == "_deleted-topic_"
    assert pubsub.pull(subscription, 1)[0].message.data == b"kept"


def test_settings_are_kept(pubsub: PubSub) -> None:
    """What a subscription was made with, or updated to, can be read back; the rest has the defaults."""
    topic, dead = pubsub.topic(), pubsub.topic("events-dead")
    subscription = pubsub.subscribe("pull", topic, retry_policy=QUICK)
    made = pubsub.subscriber.get_subscription(subscription=subscription, timeout=TIMEOUT, retry=None)
    assert made.retry_policy.maximum_backoff.microseconds == 200_000
    update = {
        "name": subscription,
        "ack_deadline_seconds": 30,
        "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": 7},
    }
    mask = {"paths": ["ack_deadline_seconds", "dead_letter_policy", "retry_policy"]}
    pubsub.subscriber.update_subscription(subscription=update, update_mask=mask, timeout=TIMEOUT, retry=None)
    found = pubsub.subscriber.get_subscription(subscription=subscription, timeout=TIMEOUT, retry=None)
    assert found.topic == topic
    assert found.ack_deadline_seconds == 30
    assert found.dead_letter_policy.max_delivery_attempts == 7
    assert found.message_retention_duration.days == 7
    assert "retry_policy" not in found


def test_lists(pubsub: PubSub) -> None:
    """Topics, subscriptions and a topic's subscriptions are listed whole, whatever the page size."""
    topics = {pubsub.topic(f"topic-{number}") for number in range(3)}
    topic = min(topics)
    subscriptions = {pubsub.subscribe(f"pull-{number}", topic) for number in range(3)}
    project = f"projects/{pubsub.project}"
    few: dict[str, Any] = {"page_size": 2}
    call: dict[str, Any] = {"timeout": TIMEOUT, "retry": None}
    listed = pubsub.publisher.list_topics(request={"project": project, **few}, **call)
    pages = [[each.name for each in page.topics] for page in listed.pages]
    assert [len(page) for page in pages] == [2, 1]
    assert {name for page in pages for name in page} == topics
    found = pubsub.subscriber.list_subscriptions(request={"project": project, **few}, **call)
    assert {each.name for each in found} == subscriptions
    names = pubsub.publisher.list_topic_subscriptions(request={"topic": topic, **few}, **call)
    assert set(names) == subscriptions


def test_deleted_subscription_gets_nothing(pubsub: PubSub, receive: Callable[..., Receiver]) -> None:
    """A deleted subscription is unknown, and its endpoint is left alone; others still get the message."""
    gone, other = receive(), receive()
    topic = pubsub.topic()
    subscription = pubsub.subscribe("gone", topic, gone.url)
    pubsub.subscribe("other", topic, other.url)
    pubsub.subscriber.delete_subscription(subscription=subscription, timeout=TIMEOUT, retry=None)
    pubsub.publish(topic, b"late")
    other.take(1)
    assert gone.arrived.empty()
    with pytest.raises(exceptions.NotFound):
        pubsub.subscriber.get_subscription(subscription=subscription, timeout=TIMEOUT, retry=None)


@pytest.mark.parametrize("name", ["ab", "1abc", "goog-x", "a b c", "a/b/c", "x" * 256])
def test_malformed_names(pubsub: PubSub, name: str) -> None:
    """An id that is too short, too long, reserved or malformed is refused."""
    topic = pubsub.topic()
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.topic(name)
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscribe(name, topic)


def test_existing_and_missing(pubsub: PubSub) -> None:
    """Making a thing twice, or using one that is not there, is refused as such."""
    topic = pubsub.topic()
    subscription = pubsub.subscribe("pull", topic)
    missing = f"{topic}-missing"
    with pytest.raises(exceptions.AlreadyExists):
        pubsub.topic()
    with pytest.raises(exceptions.AlreadyExists):
        pubsub.subscribe("pull", topic)
    with pytest.raises(exceptions.NotFound):
        pubsub.subscribe("other", missing)
    with pytest.raises(exceptions.NotFound):
        pubsub.subscribe("other", topic, dead_letter_policy={"dead_letter_topic": missing})
    with pytest.raises(exceptions.NotFound):
        pubsub.publish(missing, b"data")
    with pytest.raises(exceptions.NotFound):
        pubsub.publisher.delete_topic(topic=missing, timeout=TIMEOUT, retry=None)
    with pytest.raises(exceptions.NotFound):
        pubsub.pull_once(f"{subscription}-missing", 1)


@pytest.mark.parametrize("endpoint", ["ftp://127.0.0.1/", "127.0.0.1:8080", "not an address"])
def test_endpoint_must_be_http(pubsub: PubSub, endpoint: str) -> None:
    """A push endpoint that is no http or https address is refused, at creation and later."""
    topic = pubsub.topic()
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscribe("push", topic, endpoint)
    subscription = pubsub.subscribe("pull", topic)
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscriber.modify_push_config(
            subscription=subscription,
            push_config={"push_endpoint": endpoint},
            timeout=TIMEOUT,
            retry=None,
        )


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
    """A message without data and attributes is refused, and so is asking for nothing at all."""
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
    for paths in ([], ["topic"], ["nope"]):
        with pytest.raises(exceptions.InvalidArgument):
            pubsub.subscriber.update_subscription(
                subscription={"name": subscription}, update_mask={"paths": paths}, **call
            )


# The stand-in alone.


def held(server: PubSubServer, subscription: str) -> int:
    """Return how many messages a subscription holds."""
    return len(server._service._subscriptions[subscription].backlog._held)


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once it holds; fails when it never does."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_push_body_has_nothing_else(builtin: PubSub, receive: Callable[..., Receiver]) -> None:
    """A push has the service's fields alone: attributes if there are any, the attempt with dead letters."""
    receiver = receive(in_turn(500, 200))
    topic, dead = builtin.topic(), builtin.topic("events-dead")
    plain = builtin.subscribe("plain", topic, receive().url)
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    builtin.subscribe("counted", topic, receiver.url, dead_letter_policy=policy)
    fields = {"data", "messageId", "message_id", "publishTime", "publish_time"}
    builtin.publish(topic, b"data")
    counted = receiver.take(2)
    assert [push.body["deliveryAttempt"] for push in counted] == [1, 2]
    assert set(counted[0].body) == {"message", "subscription", "deliveryAttempt"}
    assert set(counted[0].body["message"]) == fields
    other = receive()
    builtin.subscriber.modify_push_config(
        subscription=plain, push_config={"push_endpoint": other.url}, timeout=TIMEOUT, retry=None
    )
    builtin.publish(topic, b"data", event="issues")
    push = other.take(1)[0]
    assert set(push.body) == {"message", "subscription"}
    assert set(push.body["message"]) == fields | {"attributes"}


@pytest.mark.parametrize("status", [102, 200, 201, 202, 204])
def test_acknowledging_answers(
    builtin: PubSub, builtin_server: PubSubServer, receive: Callable[..., Receiver], status: int
) -> None:
    """102, 200, 201, 202 and 204 acknowledge a push for good."""
    receiver = receive(in_turn(status))
    topic = builtin.topic()
    subscription = builtin.subscribe("push", topic, receiver.url)
    builtin.publish(topic, b"data")
    receiver.take(1)
    wait_until(lambda: held(builtin_server, subscription) == 0)
    assert receiver.arrived.empty()


@pytest.mark.parametrize("status", [203, 206, 301, 302, 400, 404, 429, 503])
def test_other_answers_are_failures(builtin: PubSub, receive: Callable[..., Receiver], status: int) -> None:
    """Any other answer, a redirect too, leaves the message to be pushed again."""
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
    """A message past a limit of the service is refused, counting bytes and not letters."""
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
    """A setting that the stand-in would not obey is refused and never ignored."""
    topic = builtin.topic()
    with pytest.raises(exceptions.MethodNotImplemented, match="does not imitate"):
        builtin.subscribe("push", topic, **settings)


def test_unimitated_message_is_refused(builtin: PubSub) -> None:
    """An ordering key is refused: the stand-in keeps no order."""
    topic = builtin.topic()
    with pytest.raises(exceptions.MethodNotImplemented, match="ordering_key"):
        builtin.publish_raw(topic, {"data": b"x", "ordering_key": "k"})


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


def test_dead_letter_topic_gone(builtin: PubSub, receive: Callable[..., Receiver]) -> None:
    """Without its dead-letter topic a message is pushed past its last attempt rather than lost."""
    receiver = receive(in_turn(500))
    topic, dead = builtin.topic(), builtin.topic("events-dead")
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    builtin.subscribe("push", topic, receiver.url, retry_policy=QUICK, dead_letter_policy=policy)
    builtin.publisher.delete_topic(topic=dead, timeout=TIMEOUT, retry=None)
    builtin.publish(topic, b"kept")
    assert [push.body["deliveryAttempt"] for push in receiver.take(7)] == [1, 2, 3, 4, 5, 6, 7]


def test_spent_pull_is_a_dead_letter(builtin: PubSub) -> None:
    """A pulled message given back 5 times moves to the dead-letter topic."""
    topic, dead = builtin.topic(), builtin.topic("events-dead")
    hold = builtin.subscribe("hold", dead)
    subscription = builtin.subscribe("pull", topic, dead_letter_policy={"dead_letter_topic": dead})
    builtin.publish(topic, b"spent")
    for _ in range(5):
        received = builtin.pull(subscription, 1)
        builtin.subscriber.modify_ack_deadline(
            subscription=subscription,
            ack_ids=[received[0].ack_id],
            ack_deadline_seconds=0,
            timeout=TIMEOUT,
            retry=None,
        )
    assert builtin.pull_once(subscription, 1) == []
    attributes = builtin.pull(hold, 1)[0].message.attributes
    assert attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"


@pytest.mark.parametrize(
    ("settings", "delays"),
    [
        (
            {"retry_policy": {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 5}}},
            [1, 2, 4, 5, 5],
        ),
        ({"retry_policy": {"minimum_backoff": {}, "maximum_backoff": {"seconds": 5}}}, [0] * 5),
        ({"push_config": {"push_endpoint": "http://127.0.0.1:1/"}}, [0.1, 0.2, 0.4, 0.8, 1.6]),
        ({}, [0] * 5),
    ],
    ids=["policy", "policy without rest", "push", "pull"],
)
def test_rest_between_attempts(settings: dict[str, Any], delays: list[float]) -> None:
    """The rest doubles from least to longest; without a policy 0.1 to 60 s for push, none for pull."""
    spec = types.Subscription(name="projects/p/subscriptions/sub", ack_deadline_seconds=10, **settings)
    subscription = Subscription(spec, publish=lambda *_: False)
    try:
        assert [subscription._delay(attempt) for attempt in range(1, 6)] == pytest.approx(delays)
        assert subscription._delay(10_000) == max(delays[-1], 60 if "push_config" in settings else 0)
    finally:
        subscription.stop()


def test_unacknowledged_lease_comes_back() -> None:
    """A leased message is away until its lease ends; then only the new lease can acknowledge it."""
    backlog = Backlog("sub")
    backlog.add(types.PubsubMessage(data=b"x"))

    def lease(hold: float, wait: float) -> list[Any]:
        return backlog.lease(9, hold=lambda _: hold, wait=wait, stopped=threading.Event())

    first = lease(60, 0)[0]
    assert lease(60, 0) == []
    backlog.postpone(first.ack_id, 0.01)
    backlog.postpone(first.ack_id, 60)
    assert lease(60, 0.1) == []
    backlog.postpone(first.ack_id, 0.01)
    second = lease(60, PATIENCE)[0]
    assert [first.attempt, second.attempt] == [1, 2]
    backlog.acknowledge(first.ack_id)
    assert len(backlog._held) == 1
    backlog.acknowledge(second.ack_id)
    assert len(backlog._held) == 0


def test_waiting_is_handed_on() -> None:
    """When the one who waits for the next due message leaves, another one gets it when it is due."""
    backlog, never = Backlog("sub"), threading.Event()
    backlog.add(types.PubsubMessage(data=b"x"))
    held = backlog.lease(1, hold=lambda _: math.inf, wait=0, stopped=never)[0]
    got = queue.Queue[Any]()

    def wait(seconds: float) -> threading.Thread:
        def lease() -> None:
            got.put(backlog.lease(1, hold=lambda _: 60, wait=seconds, stopped=never))

        waiting = len(backlog._changed._waiters)
        thread = threading.Thread(target=lease, daemon=True)
        thread.start()
        wait_until(lambda: len(backlog._changed._waiters) > waiting)
        return thread

    brief, patient = wait(0.5), wait(PATIENCE)
    backlog.postpone(held.ack_id, 1)
    assert got.get(timeout=PATIENCE / 2) == []
    assert got.get(timeout=PATIENCE / 2)[0].attempt == 2
    brief.join()
    patient.join()


def test_stop_ends_a_waiting_pull() -> None:
    """Stopping a subscription lets a pull that waits return without messages."""
    spec = types.Subscription(name="projects/p/subscriptions/sub", ack_deadline_seconds=10)
    subscription = Subscription(spec, publish=lambda *_: False)
    got = queue.Queue[Any]()
    pulling = threading.Thread(target=lambda: got.put(subscription.pull(1, PATIENCE)), daemon=True)
    pulling.start()
    wait_until(lambda: len(subscription.backlog._changed._waiters) > 0)
    subscription.stop()
    assert got.get(timeout=PATIENCE / 2) == []
    pulling.join()


def test_cut_push_is_due_at_once(builtin: PubSub, receive: Callable[..., Receiver]) -> None:
    """A push in flight when its endpoint is taken away can be pulled at once, whatever the retry policy."""
    go_on = threading.Event()

    def hang(_: Push) -> int:
        go_on.wait(PATIENCE)
        return 500

    receiver = receive(hang)
    topic = builtin.topic()
    rest = {"minimum_backoff": {"seconds": 600}, "maximum_backoff": {"seconds": 600}}
    subscription = builtin.subscribe("push", topic, receiver.url, retry_policy=rest)
    builtin.publish(topic, b"cut")
    receiver.take(1)
    try:
        builtin.subscriber.modify_push_config(
            subscription=subscription, push_config={}, timeout=TIMEOUT, retry=None
        )
        assert builtin.pull(subscription, 1)[0].message.data == b"cut"
    finally:
        go_on.set()


def test_unanswered_push_is_a_failure(receive: Callable[..., Receiver]) -> None:
    """A push that is not answered within the ack deadline is pushed again while the first one still hangs."""
    go_on = threading.Event()
    first = threading.Lock()

    def answer(_: Push) -> int:
        if first.acquire(blocking=False):
            go_on.wait(PATIENCE)
        return 200

    receiver = receive(answer)
    spec = types.Subscription(
        name="projects/p/subscriptions/sub",
        ack_deadline_seconds=1,
        push_config={"push_endpoint": receiver.url},
    )
    backlog = Backlog("sub")
    pusher = Pusher(backlog, spec=lambda: spec, retire=lambda _: False, delay=lambda _: 0.0)
    try:
        backlog.add(types.PubsubMessage(data=b"x"))
        assert len(receiver.take(2)) == 2
        assert not go_on.is_set()
    finally:
        go_on.set()
        pusher.stop()


def test_stop_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping ends pushes in flight, pushes at rest and waiting pulls, and leaves no thread behind."""
    go_on = threading.Event()

    def hang(_: Push) -> int:
        go_on.wait(PATIENCE)
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
    stopping.join(PATIENCE / 2)
    stopped = not stopping.is_alive()
    go_on.set()
    clients.publisher.transport.close()
    clients.subscriber.close()
    hanging.stop()
    failing.stop()
    assert stopped
    ours = ("push-", "pubsub")
    left = [each for each in set(threading.enumerate()) - before if each.name.startswith(ours)]
    assert left == []


def test_taken_port(builtin_server: PubSubServer) -> None:
    """A port that somebody listens on is refused with its number."""
    port = builtin_server.host.rpartition(":")[2]
    server = PubSubServer(int(port))
    with pytest.raises(OSError, match=port):
        server.start()
    server.stop()
