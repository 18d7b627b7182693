"""The local BigQuery engine, started once per run, and a proxy that shows what a client asks of it."""

import http.client
import signal
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from clients.bigquery import connect
from local.processes import Child, accepts, free_port
from ops import schema

ROOT = Path(__file__).parent.parent.parent
PROJECT = "local-dev"
SECONDS = 30.0

# The contract: every column of the table `events` with its type, and its mode unless it is NULLABLE.
COLUMNS = {
    "delivery_id": "STRING REQUIRED",
    "event": "STRING REQUIRED",
    "action": "STRING",
    "event_at": "TIMESTAMP REQUIRED",
    "received_at": "TIMESTAMP REQUIRED",
    "inserted_at": "TIMESTAMP",
    "source": "STRING",
    "repository_id": "INT64",
    "repository": "STRING",
    "organization": "STRING",
    "sender": "STRING",
    "sender_type": "STRING",
    "issue_id": "INT64",
    "issue_number": "INT64",
    "issue_title": "STRING",
    "issue_url": "STRING",
    "issue_state": "STRING",
    "issue_state_reason": "STRING",
    "issue_author": "STRING",
    "issue_author_type": "STRING",
    "issue_author_association": "STRING",
    "issue_milestone": "STRING",
    "issue_labels": "STRING REPEATED",
    "issue_assignees": "STRING REPEATED",
    "issue_comments": "INT64",
    "issue_created_at": "TIMESTAMP",
    "issue_updated_at": "TIMESTAMP",
    "issue_closed_at": "TIMESTAMP",
    "is_pull_request": "BOOL",
    "label": "STRING",
    "assignee": "STRING",
    "comment_id": "INT64",
    "comment_author": "STRING",
    "comment_author_type": "STRING",
    "comment_author_association": "STRING",
    "comment_created_at": "TIMESTAMP",
    "comment_url": "STRING",
    "transferred_to_repository": "STRING",
    "transferred_to_number": "INT64",
    "transferred_from_repository": "STRING",
    "transferred_from_number": "INT64",
    "payload": "JSON",
    "payload_bytes": "INT64",
    "schema_version": "INT64",
}


class Warehouse:
    """The engine, up; `client` is the official one."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.client = connect(PROJECT, emulator=self.url)

    def empty(self) -> str:
        """Return a dataset's name that is not taken; the dataset does not exist."""
        return f"t_{uuid.uuid4().hex}"

    def dataset(self) -> str:
        """Make a dataset with the tables and views of sql/ and return its name."""
        name = self.empty()
        self.make(name)
        return name

    def make(self, name: str) -> None:
        """Make the tables and views of sql/ in a dataset of this name."""
        list(schema.apply(self.client, name))

    def query(self, sql: str, dataset: str) -> list[dict[str, Any]]:
        """Run SQL with ${DATASET} filled in and return the rows."""
        job = self.client.query(sql.replace("${DATASET}", dataset), timeout=SECONDS)
        return [dict(row) for row in job.result(timeout=SECONDS)]

    def insert(self, dataset: str, rows: list[dict[str, Any]]) -> None:
        """Stream rows into the table `events`, each with a row id of its own."""
        refused = self.client.insert_rows_json(
            f"{PROJECT}.{dataset}.events", rows, row_ids=[uuid.uuid4().hex for _ in rows], timeout=SECONDS
        )
        assert refused == []


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Start the engine for the whole run, and stop it in any case, also when the run is terminated."""
    venv = ROOT / ".venv-bigquery"
    folder = tmp_path_factory.mktemp("warehouse")
    port = free_port()
    ports = [f"--port={port}", f"--grpc-port={free_port()}"]
    options = ["--host=127.0.0.1", f"--project={PROJECT}", f"--data-dir={folder / 'data'}"]
    child = Child(
        name="bigquery",
        command=[str(venv / "bin" / "local-bigquery"), "serve", *ports, *options],
        log=folder / "bigquery.log",
        environment={"HOME": str(venv / "home")},
    )
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))
    child.start()
    try:
        child.wait_until(lambda: accepts(port))
        house = Warehouse(port)
        yield house
        house.client.close()
    finally:
        child.stop()
        signal.signal(signal.SIGTERM, before)


class Proxy:
    """Passes HTTP on to the engine and notes it; `answer` may take a request's place.

    `answer` gets method and path, and returns None to pass the request on, or (status, body) to answer it.
    Once `hold` is set, requests are left without an answer until `stop`.
    """

    def __init__(self, target: str) -> None:
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        self.answer: Any = lambda _method, _path: None
        self.hold = threading.Event()
        self.release = threading.Event()
        self._target = target.removeprefix("http://")
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Return the URL, which stays the same over stop and start."""
        return f"http://127.0.0.1:{self._port}"

    def paths(self, method: str = "POST") -> list[str]:
        """Return the paths that were asked for by `method`, without their queries."""
        return [path.split("?")[0] for asked, path in self.requests if asked == method]

    def start(self) -> None:
        """Listen, on the port of the first time."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.requests.append((self.command, self.path))
                proxy.bodies.append(body)
                if proxy.hold.is_set():
                    proxy.release.wait(SECONDS)
                    self.close_connection = True
                    return
                status, content = proxy.answer(self.command, self.path) or self.forward(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content)

            def forward(self, body: bytes) -> tuple[int, bytes]:
                upstream = http.client.HTTPConnection(proxy._target, timeout=SECONDS)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                headers = {**headers, "Accept-Encoding": "identity", "Host": proxy._target}
                try:
                    upstream.request(self.command, self.path, body=body, headers=headers)
                    answer = upstream.getresponse()
                    return answer.status, answer.read()
                finally:
                    upstream.close()

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815 - http.server's names

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        self.release.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
