"""An HTTPS proxy that answers by itself: CONNECT, then TLS with its own certificate, for a list of hosts."""

import fnmatch
import ssl
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.deploy.cloud.certificates import Certificates
from tests.deploy.cloud.messages import Answer, Request

__all__ = ["Proxy"]

_IDLE = 60.0  # seconds until an idle connection is closed
_MAX_BODY = 64_000_000  # bytes


class Proxy:
    """Listens on a loopback port until closed; `answer` is called by several threads at once.

    hosts: exact names, or `*.name` for one more label; any other host gets 403 and is passed to `refuse`.
    """

    def __init__(
        self,
        certificates: Certificates,
        hosts: Sequence[str],
        answer: Callable[[Request], Answer],
        refuse: Callable[[str], None],
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        self._server = _Server(("127.0.0.1", 0), _ProxyHandler)
        self._server.context = context
        self._server.hosts = tuple(hosts)
        self._server.answer = answer
        self._server.refuse = refuse
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening, close all connections and wait for their threads."""
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for them
    block_on_close = True
    context: ssl.SSLContext
    hosts: tuple[str, ...]
    answer: Callable[[Request], Answer]
    refuse: Callable[[str], None]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._lock = threading.Lock()
        self._connections: set[socket] = set()

    def is_allowed(self, host: str) -> bool:
        return any(fnmatch.fnmatchcase(host, pattern) for pattern in self.hosts)

    def keep(self, connection: socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def drop(self, connection: socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(SHUT_RDWR)
                except OSError:
                    continue  # already gone

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of a client that disconnects; `answer` itself never raises."""


class _ProxyHandler(BaseHTTPRequestHandler):
    """Requests without TLS, of which only CONNECT is served."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.keep(self.connection)

    def finish(self) -> None:
        self.server.drop(self.connection)
        super().finish()

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        self.close_connection = True
        if port != "443" or not self.server.is_allowed(host):
            self._refuse(f"CONNECT {self.path}")
            return
        self.send_response_only(200, "Connection established")
        self.end_headers()
        self.server.drop(self.connection)
        with self.server.context.wrap_socket(self.connection, server_side=True) as tunnel:
            self.server.keep(tunnel)
            try:
                _TunnelHandler(tunnel, (host, 443), self.server)
            finally:
                self.server.drop(tunnel)

    def _refuse(self, what: str) -> None:
        self.server.refuse(what)
        content = b"the stand-in does not serve this host\n"
        self.send_response_only(403)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def _refuse_plain(self) -> None:
        self.close_connection = True
        self._refuse(f"{self.command} {self.path}")

    def __getattr__(self, name: str) -> Any:
        """Refuse every other method (http.server calls do_NAME)."""
        if name.startswith("do_"):
            return self._refuse_plain
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


class _TunnelHandler(BaseHTTPRequestHandler):
    """Requests inside the tunnel; client_address is the host that the client has named."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    server: _Server

    def _serve(self) -> None:
        content = self._read()
        url = urlsplit(self.path)
        lists = parse_qs(url.query, keep_blank_values=True)
        answer = self.server.answer(
            Request(
                method=self.command,
                host=str(self.client_address[0]),
                path=unquote(url.path),
                query={name: values[-1] for name, values in lists.items()},
                lists=lists,
                headers={name.lower(): value for name, value in self.headers.items()},
                content=content,
            )
        )
        self.send_response_only(answer.status)
        headers = {"Content-Type": "application/json; charset=utf-8"} | answer.headers
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        if answer.status != 204 and self.command != "HEAD":
            self.wfile.write(answer.content)

    def __getattr__(self, name: str) -> Any:
        """Serve every method alike (http.server calls do_NAME)."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._read_chunks()
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MAX_BODY))

    def _read_chunks(self) -> bytes:
        content = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return bytes(content)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
