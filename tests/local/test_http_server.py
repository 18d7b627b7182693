"""The HTTP server of the stand-ins, under an application that reads no body."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from werkzeug.wrappers import Request, Response

from local.http_server import HttpServer

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def paths() -> list[str]:
    """Return the paths of the requests that reach the application."""
    return []


@pytest.fixture
def server(paths: list[str]) -> Iterator[HttpServer]:
    """Serve an application that refuses every request by its head."""

    @Request.application
    def app(request: Request) -> Response:
        paths.append(request.path)
        return Response("refused", 401)

    server = HttpServer(0, app)
    yield server
    server.close()


def answers(server: HttpServer, *parts: bytes) -> bytes:
    """Send the parts over one connection, and return everything that the server sends until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        with suppress(OSError):  # the server may have closed the connection already
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
        received = b""
        with suppress(ConnectionResetError):
            while part := connection.recv(65_536):
                received += part
    return received


def test_an_unread_body_is_not_the_next_request(server: HttpServer, paths: list[str]) -> None:
    """The connection stays open, and the body of a refused request is skipped, whatever is in it."""
    head = f"POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n".encode()
    answered = answers(server, head, SMUGGLED, b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n")
    assert paths == ["/first", "/second"]
    assert answered.count(b"HTTP/1.1 401 ") == 2


@pytest.mark.parametrize(
    "header", [b"Transfer-Encoding: chunked", b"Content-Length: -1", b"Content-Length: x"]
)
def test_a_body_of_unknown_length_ends_the_connection(
    server: HttpServer, paths: list[str], header: bytes
) -> None:
    """Without a length it is unknown where the next request begins; the answer says so."""
    answered = answers(server, b"POST /first HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n", SMUGGLED)
    assert paths == ["/first"]
    assert b"\r\nConnection: close\r\n" in answered


def test_a_refused_client_that_leaves_ends_the_connection(server: HttpServer, paths: list[str]) -> None:
    """A body that ends early is not waited for."""
    answered = answers(server, b"POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{}")
    assert paths == ["/first"]
    assert answered.startswith(b"HTTP/1.1 401 ")


class Stream:
    """An application whose stream yields what is put in `parts`, and nothing every few milliseconds."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.ended = threading.Semaphore(0)

    def __call__(self, _environ, start_response):
        """Answer any request."""
        start_response("200 OK", [("Content-Type", "text/event-stream; charset=utf-8")])
        return self._parts()

    def _parts(self) -> Iterator[bytes]:
        try:
            while True:
                yield self.parts.pop(0) if self.parts else b""
                threading.Event().wait(0.005)
        finally:
            self.ended.release()


@pytest.fixture
def stream() -> Stream:
    """Return an application that answers every request with a stream."""
    return Stream()


@pytest.fixture
def streaming(stream: Stream) -> Iterator[HttpServer]:
    """Serve the stream."""
    server = HttpServer(0, stream)
    yield server
    server.close()


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Return what comes up to and with `end`."""
    received = b""
    while not received.endswith(end):
        part = connection.recv(1)
        assert part, received
        received += part
    return received


def open_stream(server: HttpServer) -> socket.socket:
    """Ask for a stream, and read the head of the answer."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    head = read_until(connection, b"\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in head
    assert b"Content-Length" not in head
    return connection


def test_a_stream_is_sent_as_it_comes(stream: Stream, streaming: HttpServer) -> None:
    """A part of an event stream is sent before the next one is known."""
    with open_stream(streaming) as connection:
        for part in (b"data: 1\n\n", b"data: 2\n\n"):
            stream.parts.append(part)
            assert read_until(connection, b"\n\n") == part


def test_a_closed_browser_ends_its_stream(stream: Stream, streaming: HttpServer) -> None:
    """A stream whose reader has left ends, also if it has nothing to send."""
    open_stream(streaming).close()
    assert stream.ended.acquire(timeout=20)


def test_the_stop_ends_every_stream(stream: Stream) -> None:
    """Many open streams end when the server stops, and no thread is left."""
    server = HttpServer(0, stream)
    before = threading.active_count()
    connections = [open_stream(server) for _ in range(12)]
    assert threading.active_count() == before + 12
    server.close()
    assert all(stream.ended.acquire(timeout=20) for _ in connections)
    assert threading.active_count() == before - 1  # without the one that accepts
    for connection in connections:
        connection.close()
