"""The local BigQuery engine, started once per test process, and a proxy that records requests to it."""

import http.client
import signal
import threading
import uuid
from collections.abc import Collection, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from clients.bigquery import connect
from local.bigquery.server import bigquery_server
from local.processes import accepts, free_port
from ops import schema
from pipeline.team import Team

PROJECT = "local-dev"
SECONDS = 30.0
ISSUES = (
    "issue_events",
    "issue_history",
    "issue_timelines",
    "issues",
)  # the view `issues`, and what it reads

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
    "hook_id": "INT64",
    "issue_type": "STRING",
    "issue_status": "STRING",
    "issue_status_category": "STRING",
    "via_app": "STRING",
}


class Warehouse:
    """The running engine; `client` is the official client."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = connect(PROJECT, emulator=url)
        self._names: list[str] = []

    def close(self) -> None:
        """Drop the datasets."""
        for name in self._names:
            self.drop(name)
        self.client.close()

    def drop(self, name: str) -> None:
        """Drop a dataset: every view that exists makes the engine slower."""
        self.client.delete_dataset(name, delete_contents=True, not_found_ok=True, timeout=SECONDS)

    def unused_name(self) -> str:
        """Return the name of a dataset that does not exist."""
        self._names.append(f"t_{uuid.uuid4().hex}")
        return self._names[-1]

    def dataset(self, views: Collection[str] | None = None, team: Team | None = None) -> str:
        """Create a dataset with the tables and views of sql/ and return its name."""
        name = self.unused_name()
        self.create(name, views, team)
        return name

    def snapshot(self, dataset: str, names: Collection[str]) -> str:
        """Return a dataset with what these views show as tables: a view is computed again by every query."""
        copy = self.unused_name()
        self.query(f"CREATE SCHEMA `{copy}`", copy)
        for name in names:
            self.query(f"CREATE TABLE `{copy}.{name}` AS SELECT * FROM `{dataset}.{name}`", copy)
        return copy

    def create(self, name: str, views: Collection[str] | None = None, team: Team | None = None) -> None:
        """Create a dataset of this name with the tables and views of sql/; to leave views out saves time."""
        for path in schema.files(views):
            for statement in schema.statements(path, name, team):
                self.client.query_and_wait(statement, api_timeout=SECONDS, wait_timeout=SECONDS)

    def query(self, sql: str, dataset: str) -> list[dict[str, Any]]:
        """Run SQL with ${DATASET} filled in and return the rows."""
        rows = self.client.query_and_wait(
            sql.replace("${DATASET}", dataset), api_timeout=SECONDS, wait_timeout=SECONDS
        )
        return [dict(row) for row in rows]

    def insert(self, dataset: str, rows: list[dict[str, Any]]) -> None:
        """Stream rows into the table `events`, each with its own row id."""
        refused = self.client.insert_rows_json(
            f"{PROJECT}.{dataset}.events", rows, row_ids=[uuid.uuid4().hex for _ in rows], timeout=SECONDS
        )
        assert refused == []

    def load(self, dataset: str, rows: list[dict[str, Any]]) -> None:
        """Load many rows without payloads into the table `events`; faster than streaming."""
        rows = [{**row, "payload": None} for row in rows]
        job = self.client.load_table_from_json(rows, f"{PROJECT}.{dataset}.events", timeout=SECONDS)
        job.result(timeout=60)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Start the engine for the whole run; stop it in any case, also if the run is terminated."""
    port = free_port()
    child = bigquery_server(tmp_path_factory.mktemp("a team's warehouse"), port, PROJECT)
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))
    child.start()
    try:
        child.wait_until(lambda: accepts(port))
        started = Warehouse(f"http://127.0.0.1:{port}")
        yield started
        started.client.close()
    finally:
        child.stop()
        signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def warehouse(engine: Warehouse) -> Iterator[Warehouse]:
    """Return the engine for the tests of one module, and drop their datasets."""
    warehouse = Warehouse(engine.url)
    yield warehouse
    warehouse.close()


class Proxy:
    """Forwards HTTP to the engine and records it.

    `answer` gets method and path, and returns None to forward the request, or (status, body) to answer it.
    Once `hold` is set, requests get no answer until `stop`.
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
        """Return the URL; it stays the same after stop and start."""
        return f"http://127.0.0.1:{self._port}"

    def paths(self, method: str = "POST") -> list[str]:
        """Return the paths requested by `method`, without their queries."""
        return [path.split("?")[0] for asked, path in self.requests if asked == method]

    def start(self) -> None:
        """Listen, always on the same port."""
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
                """Log nothing."""

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
