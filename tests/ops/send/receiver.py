"""An ingest that records its requests, and helpers that run `send` against it."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from click.testing import CliRunner, Result

from ops.__main__ import ops
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent

SECRET = "s3same-\u00fc"


@dataclass(slots=True)
class Receiver:
    """An ingest that records requests and gives the answer that the test sets."""

    status: int = 202
    answer: bytes = b'{"message_id": "1"}\n'
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def sent(self) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body of the only request."""
        [request] = self.requests
        return request


@contextmanager
def listening() -> Iterator[Receiver]:
    """Listen as ingest does."""
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            received.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if received.silent:
                received.released.wait(30)
                return
            self.send_response(received.status)
            for name, value in received.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(received.answer)))
            self.end_headers()
            self.wfile.write(received.answer)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

        do_GET = do_POST = handle_one  # noqa: N815 - http.server's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield received
    finally:
        received.released.set()
        server.shutdown()
        server.server_close()


def invoke(*arguments: str, stdin: bytes | None = None, **environment: str) -> Result:
    """Run the command in the test's process, and check that its output does not contain the secret."""
    runner = CliRunner(env=environment)
    result = runner.invoke(ops, ["send", *arguments], input=stdin, prog_name="issuewire")
    assert SECRET not in result.output
    assert isinstance(result.exception, SystemExit | None)
    return result


def last_line(result: Result, status: int) -> str:
    """Return the last line of a failed command's stderr."""
    assert result.exit_code == status
    return result.stderr.strip().splitlines()[-1]


def signature(body: bytes, secret: bytes = SECRET.encode()) -> str:
    """Return GitHub's signature, computed without the product's code."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def read(headers: dict[str, str], body: bytes) -> IssueEvent:
    """Read the sent delivery as a subscriber does."""
    delivery = Delivery(
        delivery_id=headers["x-github-delivery"],
        event=headers["x-github-event"],
        body=body,
        received_at=datetime.now(UTC),
    )
    return IssueEvent.from_delivery(delivery)
