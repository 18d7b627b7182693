"""Starts every part of the pipeline on this machine, hands out its clients, and stops it."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.cloud import bigquery
from google.pubsub_v1 import PublisherClient

from clients.bigquery import connect
from clients.pubsub import publisher
from local.bigquery.server import bigquery_server
from local.processes import READY_SECONDS, ROOT, Child, NotReady, accepts, free_port
from local.pubsub import emulator as pubsub_emulator
from local.pubsub.server import PubSubServer
from local.secret_manager.server import SecretManagerServer
from local.slack.server import SlackServer
from local.stack import topics
from local.stack.folders import make_run_folder, read_workspace
from local.stack.functions import read_functions
from ops import schema

STATE = ROOT / ".local"
DATASET = "github"
TOKEN = "xoxb-local"
SECRET = f"projects/{topics.PROJECT}/secrets/github-webhook-secret"

# Called with (part, what it is, seconds until it was ready, or None while the stack waits for it).
ShowPart = Callable[[str, str, float | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to start; `ports` maps a part's name to its port, and 0 or no entry asks the system for one."""

    pubsub: str = "auto"
    ports: dict[str, int] = field(default_factory=dict)
    routes: Path = ROOT / "config" / "routes.toml"
    state: Path = STATE
    function_environment: dict[str, str] = field(default_factory=dict)


class Stack:
    """Every part that runs. Use `running`, which also stops it after an error."""

    def __init__(self, options: Options, show: ShowPart) -> None:
        workspace = read_workspace(options.routes)
        self.options = options
        self.functions = read_functions()
        self.folder = make_run_folder(options.state)
        self.webhook_secret = secrets.token_hex(20)
        self.slack = SlackServer(
            options.ports.get("slack", 0), channels=workspace.channels, users=workspace.users, token=TOKEN
        )
        self.secret_manager = SecretManagerServer(options.ports.get("secret_manager", 0))
        self.pubsub_server: PubSubServer | None = None
        self.pubsub_host = ""
        self.secret_manager_host = ""
        names = (*(function.name for function in self.functions), "bigquery")
        self.ports = {name: options.ports.get(name) or free_port() for name in names}
        self.children: dict[str, Child] = {}
        self._show = show

    def start(self) -> None:
        """Start all parts at once, then wait for each in turn. Raises NotReady."""
        taken = [f"{name}={port}" for name, port in self.options.ports.items() if port and accepts(port)]
        if taken:
            raise NotReady(
                f"in use already: {', '.join(taken)}; choose another port, or leave the option out"
            )
        began = time.monotonic()
        self._start_bigquery()
        emulator = self._start_pubsub()
        self.slack.start()
        self.secret_manager_host = self.secret_manager.start()
        self.secret_manager.add_version(SECRET, self.webhook_secret.encode())
        for function in self.functions:
            self._start_function(function.name)
        waits: list[tuple[str, str, Callable[[], None]]] = [
            ("Slack", "stand-in", lambda: None),
            ("Secret Manager", "stand-in", lambda: None),
            ("Pub/Sub", "Google's emulator" if emulator else "stand-in", self._wait_for_pubsub),
            *(
                (function.name, "functions-framework", partial(self._wait_for_port, function.name))
                for function in self.functions
            ),
            ("BigQuery", "local-bigquery", self._wait_for_bigquery),
        ]
        for part, what, wait in waits:
            self._show(part, what, None)
            try:
                wait()
            except (OSError, RuntimeError, GoogleAPIError) as error:
                raise NotReady(
                    f"{part} failed while starting: {error}\n  Its log is in {self.folder}."
                ) from error
            self._show(part, what, time.monotonic() - began)
        ports = {each.subscription: self.ports[each.name] for each in self.functions if each.subscription}
        topics.create_subscriptions(self.pubsub_host, ports)

    def stop(self) -> None:
        """Stop all parts, the senders first."""
        if self.pubsub_server is not None:
            self.pubsub_server.stop()
        for name in sorted(self.children, key=lambda name: (name != "pubsub", name == "bigquery")):
            self.children[name].stop()
        self.slack.stop()
        self.secret_manager.stop()
        shutil.rmtree(self.folder / "bigquery", ignore_errors=True)

    @property
    def ingest_url(self) -> str:
        """Return the URL for a webhook."""
        return self._url("ingest") + "/"

    @property
    def bigquery_url(self) -> str:
        """Return the value for BIGQUERY_EMULATOR_HOST."""
        return self._url("bigquery")

    def endpoints(self) -> dict[str, Any]:
        """Return the content of .local/endpoints.json."""
        return {
            **{f"{function.name}_url": self._url(function.name) + "/" for function in self.functions},
            "pubsub_host": self.pubsub_host,
            "bigquery_url": self.bigquery_url,
            "slack_url": self.slack.url,
            "secret_manager_host": self.secret_manager_host,
            "console_url": self.slack.console_url,
            "webhook_secret": self.webhook_secret,
            "project": topics.PROJECT,
            "topic": topics.TOPIC,
            "dataset": DATASET,
            "logs": str(self.folder),
            "pids": {"local": os.getpid()} | {name: child.pid for name, child in self.children.items()},
        }

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run SQL with ${DATASET} filled in and return the rows."""
        job = self._bigquery().query(sql.replace("${DATASET}", DATASET), timeout=topics.RPC_SECONDS)
        return [dict(row) for row in job.result(timeout=topics.RPC_SECONDS)]

    def publisher(self) -> PublisherClient:
        """Return the official publisher of this stack's Pub/Sub."""
        return publisher.connect(emulator=self.pubsub_host)

    def handled(self, function: str) -> list[dict[str, Any]]:
        """Return the function's log lines that say what became of a message."""
        return [line for line in self.log_lines(function) if "outcome" in line]

    def log_lines(self, function: str) -> list[dict[str, Any]]:
        """Return the function's JSON log lines so far."""
        lines = self.children[function].log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def restart_bigquery(self) -> None:
        """Start the stopped BigQuery again on the same port with the data it had."""
        self.children["bigquery"].start()
        self._wait_for_port("bigquery")

    def _url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def _start(self, name: str, command: list[str], **environment: str) -> None:
        log = self.folder / f"{name}.log"
        self.children[name] = Child(name=name, command=command, log=log, environment=environment)
        self.children[name].start()

    def _start_function(self, name: str) -> None:
        """Start it with every local endpoint in its environment; it reads those that it needs."""
        environment = {
            "PUBSUB_TOPIC": topics.topic_path(),
            "PUBSUB_EMULATOR_HOST": self.pubsub_host,
            "WEBHOOK_SECRET": SECRET,
            "SECRET_MANAGER_ENDPOINT": self.secret_manager_host,
            "SLACK_TOKEN": TOKEN,
            "SLACK_API_URL": self.slack.url,
            "ROUTES_FILE": str(self.options.routes),
            "BIGQUERY_DATASET": f"{topics.PROJECT}.{DATASET}",
            "BIGQUERY_TABLE": f"{topics.PROJECT}.{DATASET}.events",
            "BIGQUERY_EMULATOR_HOST": self.bigquery_url,
        }
        command = [sys.executable, "-m", "functions_framework", "--source", f"functions/{name}/main.py"]
        options = ["--target", name, "--host", "127.0.0.1", "--port", str(self.ports[name])]
        self._start(name, command + options, **environment | self.options.function_environment)

    def _start_bigquery(self) -> None:
        self.children["bigquery"] = bigquery_server(self.folder, self.ports["bigquery"], topics.PROJECT)
        self.children["bigquery"].start()

    def _start_pubsub(self) -> pubsub_emulator.Emulator | None:
        choice, port = self.options.pubsub, self.options.ports.get("pubsub", 0)
        try:
            emulator = pubsub_emulator.find_emulator() if choice in {"auto", "google"} else None
        except FileNotFoundError as error:
            raise NotReady(str(error)) from error
        if choice == "google" and emulator is None:
            raise NotReady(
                "Google's Pub/Sub emulator was not found: it needs java and gcloud's pubsub-emulator"
            )
        if emulator is None:
            self.pubsub_server = PubSubServer(port)
            self.pubsub_host = self.pubsub_server.start()
        else:
            self.ports["pubsub"] = port or free_port()
            self.pubsub_host = f"127.0.0.1:{self.ports['pubsub']}"
            # With LANG=C, java cannot open a folder whose name has letters outside ASCII.
            self._start("pubsub", emulator.command(self.ports["pubsub"]), LC_ALL="C.UTF-8")
        return emulator

    def _wait_for_port(self, name: str) -> None:
        self.children[name].wait_until(lambda: accepts(self.ports[name]))

    def _wait_for_bigquery(self) -> None:
        self._wait_for_port("bigquery")
        list(schema.apply(self._bigquery(), DATASET))

    def _wait_for_pubsub(self) -> None:
        if "pubsub" in self.children:
            pubsub_emulator.ready(self.pubsub_host, READY_SECONDS, self.children["pubsub"].process)
        topics.create_topics(self.pubsub_host)

    def _bigquery(self) -> bigquery.Client:
        return connect(topics.PROJECT, emulator=self.bigquery_url)


@contextlib.contextmanager
def running(options: Options, show: ShowPart) -> Iterator[Stack]:
    """Start the stack and stop it when the block ends, also after a second Ctrl-C."""
    stack = Stack(options, show)
    try:
        stack.start()
        yield stack
    finally:
        with _signals_ignored():
            stack.stop()


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
