"""A threaded WSGI server on loopback that keeps connections alive and can be stopped completely.

An answer is sent as a whole, except for text/event-stream: each of its parts is sent as it comes. An empty
part sends nothing and only checks that the reader is still there; a stream yields one at least every second.
"""

import logging
import selectors
import threading
from collections.abc import Iterable
from contextlib import suppress
from socket import MSG_PEEK, SHUT_RDWR, create_server
from typing import Any

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app
from werkzeug.wsgi import LimitedStream

EVENT_STREAM = "text/event-stream"

_log = logging.getLogger(__name__)


class _Handler(WSGIRequestHandler):
    """One connection. Werkzeug's own handler closes it after each answer; Slack and GitHub do not."""

    timeout = 60  # seconds to wait for the next request
    # Head and body are two writes: the second would wait for an acknowledgement.
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request; a ConnectionError from the application closes it without an answer."""
        environ = self.make_environ()
        length = environ.get("CONTENT_LENGTH", "0")
        body = None
        if length.isdecimal() and "HTTP_TRANSFER_ENCODING" not in environ:
            body = environ["wsgi.input"] = LimitedStream(self.rfile, int(length))
        answer, status, headers = run_wsgi_app(self.server.app, environ)
        try:
            is_stream = headers.get("Content-Type", "").startswith(EVENT_STREAM)
            parts = answer if is_stream else list(answer)  # an error in the application comes before the head
            self.send_response_only(int(status.split()[0]))
            headers.setdefault("Date", self.date_time_string())
            if is_stream or body is None:  # the end of the stream or of the body is unknown
                headers["Connection"] = "close"
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self._send(parts)
        finally:
            getattr(answer, "close", lambda: None)()
        try:  # the next request begins after what the application has left of the body
            while body is not None and body.read(65_536):
                pass
        except ClientDisconnected:
            self.close_connection = True

    def _send(self, parts: Iterable[bytes]) -> None:
        """Send each part as it comes; raises ConnectionError once the client has left."""
        for part in parts:
            if part:
                self.wfile.write(part)
            elif not self._is_read():
                raise ConnectionAbortedError

    def _is_read(self) -> bool:
        """Return whether the client has not closed the connection."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            return not selector.select(timeout=0) or bool(self.connection.recv(1, MSG_PEEK))

    def log(self, _type: str, message: str, *args: Any) -> None:
        """Log requests to this module's logger; werkzeug would write them to standard error."""
        _log.debug(message, *args)


class HttpServer(ThreadedWSGIServer):
    """Serves an application in a thread per connection; raises OSError if the port is taken."""

    def __init__(self, port: int, app: Any) -> None:
        self._connections: dict[threading.Thread, Any] = {}
        # Werkzeug exits the program if it cannot bind, so it is given a bound socket.
        with create_server(("127.0.0.1", port), backlog=self.request_queue_size) as bound:
            super().__init__("127.0.0.1", port, app, _Handler, fd=bound.fileno())
        self._acceptor = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._acceptor.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that close() can end."""
        worker = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        alive = {thread: open_ for thread, open_ in self._connections.items() if thread.is_alive()}
        self._connections = alive | {worker: request}
        worker.start()

    def close(self) -> None:
        """Stop listening, end every connection (an idle one would wait for its next request), and join."""
        self.shutdown()
        self._acceptor.join()
        for worker, connection in self._connections.items():
            with suppress(OSError):  # the client or the worker closed it first
                connection.shutdown(SHUT_RDWR)
            worker.join()
