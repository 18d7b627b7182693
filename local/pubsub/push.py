"""Push delivery: one HTTP POST per attempt, from a few threads of each subscription.

Rules: https://cloud.google.com/pubsub/docs/push#receive_push.
"""

import base64
import contextlib
import http.client
import json
import logging
import math
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from google.pubsub_v1 import types

from local.pubsub.backlog import Backlog, Lease

ACKNOWLEDGING = frozenset({102, 200, 201, 202, 204})
WORKERS = 8
CONNECT_TIMEOUT = 2.0
# In seconds, without a retry policy: https://cloud.google.com/pubsub/docs/push#push_backoff.
DEFAULT_BACKOFF = (0.1, 60.0)

_SOURCE = "CloudPubSubDeadLetterSource"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What became of one attempt to push a message; `subscription` is the name without the project.

    `problem` says why the endpoint has not acknowledged it, empty if it has; `status` is that of its answer,
    None without one. `seconds` are those until the next attempt, None if there is none. A message that has
    used up its attempts is `dead`: it went to the dead-letter topic.
    """

    subscription: str
    message: types.PubsubMessage
    attempt: int
    status: int | None = None
    problem: str = ""
    seconds: float | None = None
    dead: bool = False


type Report = Callable[[PushReport], object]


def no_report(_report: PushReport) -> None:
    """Tell no one."""


def push_body(spec: types.Subscription, lease: Lease) -> bytes:
    """Return the wrapped JSON; `attributes` if there are any, `deliveryAttempt` with dead letters."""
    message = lease.message
    time = types.PubsubMessage.pb(message).publish_time.ToJsonString()
    wrapped: dict[str, object] = {"data": base64.b64encode(message.data).decode()}
    wrapped |= dict.fromkeys(("messageId", "message_id"), message.message_id)
    wrapped |= dict.fromkeys(("publishTime", "publish_time"), time)
    if message.attributes:
        wrapped["attributes"] = dict(message.attributes)
    body: dict[str, object] = {"message": wrapped, "subscription": spec.name}
    if "dead_letter_policy" in spec:
        body["deliveryAttempt"] = lease.attempt
    return json.dumps(body, ensure_ascii=False).encode()


def backoff(spec: types.Subscription, attempt: int) -> float:
    """Return the seconds until the next push after this attempt failed."""
    if "dead_letter_policy" in spec and attempt >= spec.dead_letter_policy.max_delivery_attempts:
        return 0.0
    shortest, longest = DEFAULT_BACKOFF
    if "retry_policy" in spec:
        shortest = spec.retry_policy.minimum_backoff / timedelta(seconds=1)
        longest = spec.retry_policy.maximum_backoff / timedelta(seconds=1)
    # 2 ** 40 times the least backoff is past any limit; a larger power would only overflow.
    return min(longest, shortest * 2.0 ** min(attempt - 1, 40))


class Pusher:
    """Pushes the messages of a backlog until stopped.

    publish_dead_letter(topic, message) delivers a message that has used up its attempts. `report` is called
    after each attempt, by the thread that made it.
    """

    def __init__(
        self,
        backlog: Backlog,
        spec: types.Subscription,
        publish_dead_letter: Callable[[str, types.PubsubMessage], object],
        report: Report = no_report,
    ) -> None:
        self._backlog = backlog
        self._spec = spec
        self._publish_dead_letter = publish_dead_letter
        self._report = report
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        name = spec.name.rpartition("/")[2]
        self._threads = [
            threading.Thread(target=self._work, name=f"push-{name}-{number}", daemon=True)
            for number in range(WORKERS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Cut the pushes in flight and return once no thread is left."""
        with self._lock:
            self._stopped.set()
            for connected in self._open:
                # Closing the socket would leave its reader waiting; a shutdown ends the wait.
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
        self._backlog.wake()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._stopped.is_set():
            # Leased without end: this thread acknowledges or postpones the message itself.
            for lease in self._backlog.lease(1, lease_seconds=math.inf, wait=math.inf, stopped=self._stopped):
                self._deliver(lease)

    def _deliver(self, lease: Lease) -> None:
        spec, policy = self._spec, self._spec.dead_letter_policy
        if "dead_letter_policy" in spec and lease.attempt > policy.max_delivery_attempts:
            self._publish_dead_letter(policy.dead_letter_topic, self._dead_letter(lease))
            self._backlog.acknowledge(lease.ack_id)
            self._tell(lease, lease.attempt - 1, dead=True)
            return
        status, outcome = None, ""
        try:
            status = self._post(push_body(spec, lease))
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            outcome = f"failed: {error!r}"
        else:
            if status in ACKNOWLEDGING:
                self._backlog.acknowledge(lease.ack_id)
                self._tell(lease, lease.attempt, status=status)
                return
            outcome = f"was answered {status}"
        seconds = 0.0 if self._stopped.is_set() else backoff(spec, lease.attempt)
        _LOG.info("push %d to %s %s; next attempt in %.1f s", lease.attempt, spec.name, outcome, seconds)
        self._backlog.postpone(lease.ack_id, seconds)
        self._tell(lease, lease.attempt, status=status, problem=outcome, seconds=seconds)

    def _tell(self, lease: Lease, attempt: int, **fields: Any) -> None:
        name = self._spec.name.rpartition("/")[2]
        self._report(PushReport(subscription=name, message=lease.message, attempt=attempt, **fields))

    def _dead_letter(self, lease: Lease) -> types.PubsubMessage:
        message = lease.message
        _, project, _, name = self._spec.name.split("/")
        source = {
            f"{_SOURCE}Subscription": name,
            f"{_SOURCE}SubscriptionProject": project,
            f"{_SOURCE}DeliveryCount": str(lease.attempt - 1),
            f"{_SOURCE}TopicPublishTime": types.PubsubMessage.pb(message).publish_time.ToJsonString(),
        }
        return types.PubsubMessage(data=message.data, attributes=dict(message.attributes) | source)

    def _post(self, body: bytes) -> int:
        url = urlsplit(self._spec.push_config.push_endpoint)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=CONNECT_TIMEOUT)
        with contextlib.closing(connection):
            connection.connect()
            connected = connection.sock
            with self._lock:
                if self._stopped.is_set():
                    raise ConnectionAbortedError("stopped")
                self._open.add(connected)
            try:
                connected.settimeout(self._spec.ack_deadline_seconds)
                target = (url.path or "/") + (f"?{url.query}" if url.query else "")
                headers = {"Content-Type": "application/json", "Connection": "close"}
                connection.request("POST", target, body, headers)
                with connection.getresponse() as response:
                    return response.status
            finally:
                with self._lock:
                    self._open.discard(connected)
