"""What the stand-ins for HTTP services share: a port, faults, and a stop that ends every connection."""

import threading
from abc import ABC, abstractmethod
from typing import Any, Self

from local.faults import Fault
from local.http_server import HttpServer


class StandIn(ABC):
    """A service on one loopback port, 0 for a free one; a restart keeps the port and the state."""

    fault_type: type[Fault]

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._queue: list[Fault] = []
        self._outage: Fault | None = None
        self._stopping = threading.Event()
        self._server: HttpServer | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Return the base URL that clients are given."""

    @property
    def origin(self) -> str:
        """Return http://host:port."""
        if not self._port:
            raise RuntimeError("the stand-in has no port before it is started")
        return f"http://127.0.0.1:{self._port}"

    @abstractmethod
    def create_app(self) -> Any:
        """Return the WSGI application."""

    def start(self) -> str:
        """Listen and return the base URL; raises OSError if the port is taken."""
        if self._server is not None:
            raise RuntimeError("the stand-in is already running")
        self._stopping.clear()
        self._server = HttpServer(self._port, self.create_app())
        self._port = self._server.port
        return self.url

    def stop(self) -> None:
        """Close the port and every connection, end the hanging requests, and wait for all threads."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def fail_next(self, n: int = 1, **fault: Any) -> None:
        """Fail the next n matching requests; takes the fields of the service's Fault. Calls queue up."""
        with self._lock:
            self._queue += [self.fault_type(**fault)] * n

    def fail_until_cleared(self, **fault: Any) -> None:
        """Fail every matching request from now on, after the queue of fail_next is used up."""
        with self._lock:
            self._outage = self.fault_type(**fault)

    def clear_faults(self) -> None:
        """End the outage and empty the queue."""
        with self._lock:
            self._queue.clear()
            self._outage = None

    def _take_fault(self, request: Any) -> Any:
        """Return the fault of this request, or None; a queued one leaves the queue. Needs the lock."""
        for fault in self._queue:
            if fault.applies_to(request):
                self._queue.remove(fault)
                return fault
        return self._outage if self._outage and self._outage.applies_to(request) else None

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until the stop."""
        self._stopping.wait(seconds)
