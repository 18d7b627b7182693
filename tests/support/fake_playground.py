"""A playground that gives the answers of a test, to whom the real one would."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.wrappers import Request, Response

from local.console import access
from local.http_server import HttpServer

type Answer = tuple[int, Any]


class FakePlayground:
    """`answers` has a status and a body, or a function that returns them, by method and path."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[], Answer]] = {}
        self.posted: list[Any] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}/"

    def answer(self, request: Request) -> Response:
        """Return the answer, after the checks of the real one."""
        access.check(request.method, request.path, request.headers, self.port)
        if request.method == "POST":
            self.posted.append(request.get_json())
        found = self.answers.get(f"{request.method} {request.path}", (404, {"error": "not known"}))
        status, body = found() if callable(found) else found
        return Response(json.dumps(body), status, content_type="application/json")


@contextmanager
def fake_playground() -> Iterator[FakePlayground]:
    """Serve one."""
    fake = FakePlayground()
    server = HttpServer(0, Request.application(fake.answer))
    fake.port = server.port
    try:
        yield fake
    finally:
        server.close()
