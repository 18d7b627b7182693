"""Starts every part of the pipeline on this machine, hands out its clients, and stops it."""

import contextlib
import json
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.cloud import bigquery

from clients.bigquery import connect
from clients.slack.client import API_URL
from local.bigquery.server import bigquery_server
from local.orphans import Record
from local.processes import READY_SECONDS, Child, NotReady, accepts, free_port
from local.pubsub import emulator as pubsub_emulator
from local.pubsub.server import PubSubServer
from local.secret_manager.server import SecretManagerServer
from local.slack.server import SlackServer
from local.stack import accounts, github, topics
from local.stack.folders import make_run_folder, read_team, read_workspace
from local.stack.functions import function_server, read_functions
from local.stack.options import DATASET, SECRET, TEAM, TOKEN, Options
from local.stack.triage import has_rules
from local.stopping import handling_signals
from local.watcher import STOP_SECONDS
from ops import schema

# Called with (part, what it is, seconds until it was ready, or None while the stack waits for it).
ShowPart = Callable[[str, str, float | None], None]


class Stack:
    """Every part that runs. Use `running`, which also stops it after an error."""

    def __init__(self, options: Options, show: ShowPart) -> None:
        channels, users = read_workspace(options.routes)
        own_secret = accounts.read_secret(options.secret_file) if options.secret_file else ""
        if options.slack_token_file:
            accounts.check_slack_token(options.slack_token_file)
        self.options = options
        self._team = read_team(options.environment, TEAM.parent)
        optional = options.scheduled | ({"triage"} if has_rules(options.triage) else set())
        self.functions = read_functions(optional)
        self.folder = make_run_folder(options.state)
        self._record = Record(self.folder)
        self.webhook_secret = own_secret or secrets.token_hex(20)
        token_file = options.slack_token_file or accounts.write_slack_token(self.folder, TOKEN)
        self.slack_token_file = token_file.absolute()  # the functions run in another folder
        self.slack = SlackServer(
            options.ports.get("slack", 0), channels=channels, users=users, token=TOKEN, clock=options.clock
        )
        self.github = github.github_server(options.ports.get("github", 0))
        self.secret_manager = SecretManagerServer(options.ports.get("secret_manager", 0))
        self.pubsub_server: PubSubServer | None = None
        self.pubsub_host = ""
        self.ports = {name: options.ports.get(name) or free_port() for name in (*self.functions, "bigquery")}
        self.children: dict[str, Child] = {}
        self._show = show
        self._began = time.monotonic()

    def start(self) -> None:
        """Start all parts at once, then wait for each in turn. Raises NotReady."""
        taken = [f"{name}={port}" for name, port in self.options.ports.items() if port and accepts(port)]
        if taken:
            raise NotReady(
                f"in use already: {', '.join(taken)}; choose another port, or leave the option out"
            )
        self._start(bigquery_server(self.folder, self.ports["bigquery"], topics.PROJECT))
        pubsub = self._start_pubsub()
        self.slack.start()
        self.github.start()
        self.github.github.set_app_hook(url=self.ingest_url, secret=self.webhook_secret)
        self.secret_manager.start()
        self.secret_manager.add_version(SECRET, self.webhook_secret.encode())
        for name in self.functions:
            self._start_function(name)
        self._wait_for("GitHub", "stand-in", lambda: None)
        self._wait_for("Slack", "your own" if self.slack_is_real else "stand-in", lambda: None)
        self._wait_for("Secret Manager", "stand-in", lambda: None)
        self._wait_for("Pub/Sub", pubsub, self._create_topics)
        for name in self.functions:
            self._wait_for(name, "functions-framework", partial(self.wait_for_port, name))
        self._wait_for("BigQuery", "local-bigquery", self._create_tables)
        self._create_subscriptions()

    def restart(self, name: str) -> None:
        """Start a part again that has ended by itself, on its port. Raises NotReady."""
        child, self._began = self.children[name], time.monotonic()
        port = self.ports.get(name) or int(self.pubsub_host.rpartition(":")[2])
        child.stop(kill=True)  # what it has started, which may still listen
        while accepts(port) and time.monotonic() < self._began + STOP_SECONDS:
            time.sleep(0.02)
        self._start(child)
        match name:
            case "bigquery":
                self._wait_for("BigQuery", "local-bigquery", self._create_tables)
            case "pubsub":
                self._wait_for("Pub/Sub", "Google's emulator", self._create_topics)
                self._create_subscriptions()
            case _:
                self._wait_for(name, "functions-framework", partial(self.wait_for_port, name))

    def stop(self) -> None:
        """Stop all parts, the senders first."""
        if self.pubsub_server is not None:
            self.pubsub_server.stop()
        for name in sorted(self.children, key=lambda name: (name != "pubsub", name == "bigquery")):
            self.children[name].stop()
        self.github.stop()
        self.slack.stop()
        self.secret_manager.stop()
        self._record.close()
        shutil.rmtree(self.folder / "bigquery", ignore_errors=True)

    @property
    def ingest_url(self) -> str:
        """Return the URL for a webhook."""
        return self.url("ingest") + "/"

    @property
    def bigquery_url(self) -> str:
        """Return the value for BIGQUERY_EMULATOR_HOST."""
        return self.url("bigquery")

    @property
    def slack_is_real(self) -> bool:
        """Return whether notify_slack posts to Slack itself; the stand-in then gets no message."""
        return self.options.slack_token_file is not None

    @property
    def slack_api_url(self) -> str:
        """Return the base URL of the Web API that the functions use."""
        return API_URL if self.slack_is_real else self.slack.url

    def url(self, name: str) -> str:
        """Return the address of a function or of bigquery, without a slash at its end."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run SQL with ${DATASET} filled in and return the rows."""
        job = self._bigquery().query(sql.replace("${DATASET}", DATASET), timeout=topics.RPC_SECONDS)
        return [dict(row) for row in job.result(timeout=topics.RPC_SECONDS)]

    def handled(self, function: str) -> list[dict[str, Any]]:
        """Return the function's log lines that say what became of a message."""
        return [line for line in self.log_lines(function) if "outcome" in line]

    def log_lines(self, function: str) -> list[dict[str, Any]]:
        """Return the function's JSON log lines so far."""
        lines = self.children[function].log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_for_port(self, name: str) -> None:
        """Return once a function or bigquery takes connections. Raises NotReady."""
        self.children[name].wait_until(lambda: accepts(self.ports[name]))

    def _start(self, child: Child) -> None:
        self.children[child.name] = child  # first, so that a signal during its start stops it
        child.start()
        self._record.add(child.name, child.pid)

    def _start_function(self, name: str) -> None:
        """Start it with every local endpoint in its environment; it reads those that it needs."""
        own = self.options.environment
        environment = {
            "PUBSUB_TOPIC": topics.topic_path(),
            "PUBSUB_EMULATOR_HOST": self.pubsub_host,
            "WEBHOOK_SECRET": SECRET,
            "SECRET_MANAGER_ENDPOINT": self.secret_manager.host,
            "SLACK_TOKEN_FILE": str(self.slack_token_file),
            "SLACK_API_URL": "" if self.slack_is_real else self.slack.url,
            "ROUTES_FILE": str(self.options.routes),
            "TEAM_FILE": str(TEAM) if TEAM.exists() else "",
            "BIGQUERY_DATASET": f"{topics.PROJECT}.{DATASET}",
            "BIGQUERY_TABLE": f"{topics.PROJECT}.{DATASET}.events",
            "BIGQUERY_EMULATOR_HOST": self.bigquery_url,
            "INGEST_URL": self.ingest_url,
            "TRIAGE_FILE": str(self.options.triage.absolute()),
            "TRIAGE_MODE": "act",  # the only GitHub that it reaches is the stand-in
            **({} if "GITHUB_API_URL" in own else github.environment(self.github, self.folder)),
            **(accounts.network() if self.slack_is_real else {}),
            **own,
        }
        self._start(function_server(name, self.ports[name], self.folder, environment))

    def _start_pubsub(self) -> str:
        """Start the Pub/Sub of the options; return what it is."""
        port = self.options.ports.get("pubsub", 0)
        emulator = pubsub_emulator.choose(self.options.pubsub)
        if emulator is None:
            self.pubsub_server = PubSubServer(port)
            self.pubsub_host = self.pubsub_server.start()
            return "stand-in"
        port = port or free_port()
        self.pubsub_host = f"127.0.0.1:{port}"
        self._start(emulator.server(self.folder, port))
        return "Google's emulator"

    def _wait_for(self, part: str, what: str, wait: Callable[[], None]) -> None:
        self._show(part, what, None)
        try:
            wait()
        except (OSError, RuntimeError, GoogleAPIError) as error:
            raise NotReady(
                f"{part} failed while starting: {error}\n  Its log is in {self.folder}."
            ) from error
        self._show(part, what, time.monotonic() - self._began)

    def _create_topics(self) -> None:
        if "pubsub" in self.children:
            pubsub_emulator.ready(self.pubsub_host, READY_SECONDS, self.children["pubsub"].process)
        topics.create_topics(self.pubsub_host)

    def _create_subscriptions(self) -> None:
        subscribers = {name: subscription for name, subscription in self.functions.items() if subscription}
        ports = {subscription: self.ports[name] for name, subscription in subscribers.items()}
        topics.create_subscriptions(self.pubsub_host, ports)

    def _create_tables(self) -> None:
        self.wait_for_port("bigquery")
        list(schema.apply(self._bigquery(), DATASET, self.options.views, self._team))

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
        with handling_signals(signal.SIG_IGN):
            stack.stop()
