"""The official clients in a separate project, and an endpoint that receives pushes."""

import base64
import itertools
import json
import queue
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient as GapicPublisher
from google.pubsub_v1 import types

TIMEOUT = 10.0
WAIT_SECONDS = 30.0
QUICK = {"minimum_backoff": {"nanos": 100_000_000}, "maximum_backoff": {"nanos": 200_000_000}}


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
    """A loopback endpoint: records every push, then answers with the status that `answer` returns."""

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
        """Return the next pushes, in the order of arrival; fails if they do not arrive."""
        return [self.arrived.get(timeout=WAIT_SECONDS) for _ in range(count)]

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class PubSub:
    """The official clients in a project that nothing else uses."""

    def __init__(self) -> None:
        self.publisher = pubsub_v1.PublisherClient()
        self.subscriber = pubsub_v1.SubscriberClient()
        self.project = f"contract-{uuid.uuid4().hex[:12]}"

    def topic(self, name: str = "events") -> str:
        """Create a topic and return its full name."""
        path = f"projects/{self.project}/topics/{name}"
        self.publisher.create_topic(name=path, timeout=TIMEOUT, retry=None)
        return path

    def path(self, name: str) -> str:
        """Return the full name of a subscription."""
        return f"projects/{self.project}/subscriptions/{name}"

    def subscribe(self, name: str, topic: str, endpoint: str = "", **settings: Any) -> str:
        """Create a subscription and return its full name."""
        request = {"name": self.path(name), "topic": topic, **settings}
        if endpoint:
            request["push_config"] = {"push_endpoint": endpoint}
        self.subscriber.create_subscription(request=request, timeout=TIMEOUT, retry=None)
        return self.path(name)

    def publish(self, topic: str, data: bytes, **attributes: str) -> str:
        """Publish, and return the id once it is confirmed."""
        return self.publisher.publish(topic, data, timeout=TIMEOUT, **attributes).result(timeout=TIMEOUT)

    def publish_raw(self, topic: str, *messages: dict[str, Any]) -> None:
        """Publish without the client's own checks."""
        GapicPublisher.publish(
            self.publisher, topic=topic, messages=list(messages), timeout=TIMEOUT, retry=None
        )

    def pull(self, subscription: str, count: int) -> list[types.ReceivedMessage]:
        """Pull until that many messages have arrived."""
        received: list[types.ReceivedMessage] = []
        end = time.monotonic() + WAIT_SECONDS
        while len(received) < count and time.monotonic() < end:
            received += self.pull_once(subscription, count - len(received))
        assert len(received) == count
        return received

    def pull_once(self, subscription: str, limit: int) -> list[types.ReceivedMessage]:
        """Pull once; a missing answer counts as an empty one."""
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

    def delete_subscriptions(self) -> None:
        """Delete every subscription, so that none pushes to a port that a later test listens on."""
        project = f"projects/{self.project}"
        for each in self.subscriber.list_subscriptions(project=project, timeout=TIMEOUT, retry=None):
            self.subscriber.delete_subscription(subscription=each.name, timeout=TIMEOUT, retry=None)

    def close(self) -> None:
        """Close the clients."""
        self.publisher.stop()
        self.publisher.transport.close()
        self.subscriber.close()


def in_turn(*statuses: int) -> Callable[[Push], int]:
    """Answer these statuses one after the other, then always the last one."""
    script = itertools.chain(statuses, itertools.repeat(statuses[-1]))
    lock = threading.Lock()

    def answer(_: Push) -> int:
        with lock:
            return next(script)

    return answer


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once the condition is true; fails if it does not become true."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
