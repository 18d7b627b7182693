"""The HTTP server of the stand-ins, under an application that reads no body."""

import socket
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
