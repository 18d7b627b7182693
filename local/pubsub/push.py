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
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from google.pubsub_v1 import types

from local.pubsub.backlog import Backlog, Lease

ACKNOWLEDGING = frozenset({102, 200, 201, 202, 204})
WORKERS = 8
CONNECT_TIMEOUT = 2.0

_LOG = logging.getLogger(__name__)


def push_body(spec: types.Subscription, lease: Lease) -> bytes:
    """Return the wrapped JSON; `attributes` if there are any, `deliveryAttempt` with dead letters."""
    message = lease.message
    time = types.PubsubMessage.pb(message).publish_time.ToJsonString()
    wrapped: dict[str, object] = {
        "data": base64.b64encode(message.data).decode(),
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": time,
        "publish_time": time,
    }
    if message.attributes:
        wrapped["attributes"] = dict(message.attributes)
    body: dict[str, object] = {"message": wrapped, "subscription": spec.name}
    if "dead_letter_policy" in spec:
        body["deliveryAttempt"] = lease.attempt
    return json.dumps(body, ensure_ascii=False).encode()


class Pusher:
    """Pushes the messages of a backlog until stopped.

    retire(lease): moves a message whose attempts are used up to the dead letters; returns whether it did.
    backoff(attempt): seconds until the next attempt after a failed one.
    """

    def __init__(
        self,
        backlog: Backlog,
        spec: types.Subscription,
        *,
        retire: Callable[[Lease], bool],
        backoff: Callable[[int], float],
    ) -> None:
        self._backlog = backlog
        self._spec = spec
        self._retire = retire
        self._backoff = backoff
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
        if self._retire(lease):
            return
        spec = self._spec
        try:
            status = self._post(
                spec.push_config.push_endpoint, push_body(spec, lease), spec.ack_deadline_seconds
            )
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            outcome = f"failed: {error!r}"
        else:
            if status in ACKNOWLEDGING:
                self._backlog.acknowledge(lease.ack_id)
                return
            outcome = f"was answered {status}"
        seconds = 0.0 if self._stopped.is_set() else self._backoff(lease.attempt)
        _LOG.info("push %d to %s %s; next attempt in %.1f s", lease.attempt, spec.name, outcome, seconds)
        self._backlog.postpone(lease.ack_id, seconds)

    def _post(self, endpoint: str, body: bytes, timeout: float) -> int:
        url = urlsplit(endpoint)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=CONNECT_TIMEOUT)
        try:
            connection.connect()
            with self._cut_on_stop(connection.sock):
                connection.sock.settimeout(timeout)
                target = (url.path or "/") + (f"?{url.query}" if url.query else "")
                headers = {"Content-Type": "application/json", "Connection": "close"}
                connection.request("POST", target, body, headers)
                with connection.getresponse() as response:
                    return response.status
        finally:
            connection.close()

    @contextlib.contextmanager
    def _cut_on_stop(self, connected: socket.socket) -> Iterator[None]:
        with self._lock:
            if self._stopped.is_set():
                raise ConnectionAbortedError("stopped")
            self._open.add(connected)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connected)
