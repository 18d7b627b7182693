"""The whole pipeline on this machine: what is started, with which settings, and how it ends."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from google.api_core.exceptions import GoogleAPIError
from google.cloud import bigquery
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, RetryPolicy, Subscription

from clients.bigquery import connect
from clients.pubsub import publisher
from functions.notify_slack.routing import routes_file
from local.processes import READY_SECONDS, ROOT, Child, NotReady, accepts, free_port
from local.pubsub import emulator as pubsub_emulator
from local.pubsub.server import PubSubServer
from local.secret_manager_server import SecretManagerServer
from local.slack.server import SlackServer
from ops import schema
from pipeline.errors import ConfigurationError

STATE = ROOT / ".local"
PROJECT = "local-dev"
TOPIC = "github-events"
DEAD_TOPIC = "github-events-dead"
DATASET = "github"
TOKEN = "xoxb-local"
SECRET = f"projects/{PROJECT}/secrets/github-webhook-secret"
CHANNELS = {"C0123456789": "issues"}  # that of config/routes.toml; others are named after their routes
FUNCTIONS = ("ingest", "notify_slack", "stream_bq")
SUBSCRIPTIONS = {"notify-slack": "notify_slack", "stream-bq": "stream_bq"}
RPC_SECONDS = 10.0

# Hears (part, what it is, seconds until it was ready, or None while it is waited for).
Say = Callable[[str, str, float | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to start; ports maps a part's name to its port, 0 or absent asks the system."""

    pubsub: str = "auto"
    ports: dict[str, int] = field(default_factory=dict)
    routes: Path = ROOT / "config" / "routes.toml"
    state: Path = STATE
    function_environment: dict[str, str] = field(default_factory=dict)


class Stack:
    """Everything that runs. Use `running`, which stops it whatever happens."""

    def __init__(self, options: Options, say: Say) -> None:
        channels, users = _people_and_places(options.routes)
        self.options = options
        self.say = say
        self.folder = _folder(options.state)
        self.webhook_secret = secrets.token_hex(20)
        self.slack = SlackServer(options.ports.get("slack", 0), channels=channels, users=users, token=TOKEN)
        self.secret_manager = SecretManagerServer(options.ports.get("secret_manager", 0))
        self.pubsub_server: PubSubServer | None = None
        self.pubsub_host = ""
        self.secret_manager_host = ""
        self.ports = {name: options.ports.get(name) or free_port() for name in (*FUNCTIONS, "bigquery")}
        self.children: dict[str, Child] = {}

    def start(self) -> None:
        """Start all parts at once, then wait for each in turn. Raises NotReady."""
        taken = [f"{name}={port}" for name, port in self.options.ports.items() if port and accepts(port)]
        if taken:
            raise NotReady(
                f"in use already: {', '.join(taken)}; choose another port, or leave it to the system"
            )
        began = time.monotonic()
        self._start_bigquery()
        emulator = self._start_pubsub()
        self.slack.start()
        self.secret_manager_host = self.secret_manager.start()
        self.secret_manager.add_version(SECRET, self.webhook_secret.encode())
        for name in FUNCTIONS:
            self._start_function(name)
        waits: list[tuple[str, str, Callable[[], None]]] = [
            ("Slack", "stand-in", lambda: None),
            ("Secret Manager", "stand-in", lambda: None),
            ("Pub/Sub", "Google's emulator" if emulator else "stand-in", self._wait_for_pubsub),
            *((name, "functions-framework", partial(self._wait_for_port, name)) for name in FUNCTIONS),
            ("BigQuery", "local-bigquery", self._wait_for_bigquery),
        ]
        for part, what, wait in waits:
            self.say(part, what, None)
            try:
                wait()
            except (OSError, RuntimeError, GoogleAPIError) as error:
                raise NotReady(
                    f"{part} failed while starting: {error}\n  Its log is in {self.folder}."
                ) from error
            self.say(part, what, time.monotonic() - began)
        self._create_subscriptions()

    def stop(self) -> None:
        """Stop all parts, the ones that send first."""
        if self.pubsub_server is not None:
            self.pubsub_server.stop()
        for name in ("pubsub", *FUNCTIONS, "bigquery"):
            if name in self.children:
                self.children[name].stop()
        self.slack.stop()
        self.secret_manager.stop()
        shutil.rmtree(self.folder / "bigquery", ignore_errors=True)

    @property
    def ingest_url(self) -> str:
        """Return the URL that a webhook would be set to."""
        return f"http://127.0.0.1:{self.ports['ingest']}/"

    def endpoints(self) -> dict[str, Any]:
        """Return what .local/endpoints.json holds."""
        return {
            "ingest_url": self.ingest_url,
            "notify_slack_url": f"http://127.0.0.1:{self.ports['notify_slack']}/",
            "stream_bq_url": f"http://127.0.0.1:{self.ports['stream_bq']}/",
            "pubsub_host": self.pubsub_host,
            "bigquery_url": self.bigquery_url,
            "slack_url": self.slack.url,
            "secret_manager_host": self.secret_manager_host,
            "console_url": self.slack.console_url,
            "webhook_secret": self.webhook_secret,
            "project": PROJECT,
            "topic": TOPIC,
            "dataset": DATASET,
            "logs": str(self.folder),
            "pids": {"local": os.getpid()} | {name: child.pid for name, child in self.children.items()},
        }

    @property
    def bigquery_url(self) -> str:
        """Return what BIGQUERY_EMULATOR_HOST takes."""
        return f"http://127.0.0.1:{self.ports['bigquery']}"

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Run SQL with ${DATASET} filled in and return the rows."""
        job = self._bigquery().query(sql.replace("${DATASET}", DATASET), timeout=RPC_SECONDS)
        return [dict(row) for row in job.result(timeout=RPC_SECONDS)]

    def publisher(self) -> PublisherClient:
        """Return the official publisher of this stack's Pub/Sub."""
        return publisher.connect(emulator=self.pubsub_host)

    def subscriber(self) -> SubscriberClient:
        """Return the official subscriber of this stack's Pub/Sub."""
        channel = grpc.insecure_channel(self.pubsub_host)
        return SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))

    def handled(self, function: str) -> list[dict[str, Any]]:
        """Return the function's log lines with an outcome: what became of each message."""
        return [line for line in self.log_lines(function) if "outcome" in line]

    def log_lines(self, function: str) -> list[dict[str, Any]]:
        """Return the function's JSON log lines so far."""
        lines = self.children[function].log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def restart_bigquery(self) -> None:
        """Start the stopped BigQuery again on the same port with the data it had."""
        self.children["bigquery"].start()
        self._wait_for_port("bigquery")

    def _start(self, name: str, command: list[str], **environment: str) -> None:
        log = self.folder / f"{name}.log"
        self.children[name] = Child(name=name, command=command, log=log, environment=environment)
        self.children[name].start()

    def _wait_for_port(self, name: str) -> None:
        self.children[name].wait_until(lambda: accepts(self.ports[name]))

    def _start_bigquery(self) -> None:
        venv = ROOT / ".venv-bigquery"
        program = venv / "bin" / "local-bigquery"
        if not program.exists():
            raise NotReady("BigQuery's engine is not installed; run local/setup.sh bigquery")
        ports = [f"--port={self.ports['bigquery']}", f"--grpc-port={free_port()}"]
        options = [f"--project={PROJECT}", f"--data-dir={self.folder / 'bigquery'}"]
        command = [str(program), "serve", "--host=127.0.0.1", *ports, *options]
        self._start("bigquery", command, HOME=str(venv / "home"))

    def _wait_for_bigquery(self) -> None:
        self._wait_for_port("bigquery")
        list(schema.apply(self._bigquery(), DATASET))

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
            # Under LANG=C java cannot name a folder of other letters, such as the one it is started in.
            self._start("pubsub", emulator.command(self.ports["pubsub"]), LC_ALL="C.UTF-8")
        return emulator

    def _wait_for_pubsub(self) -> None:
        if "pubsub" in self.children:
            pubsub_emulator.ready(self.pubsub_host, READY_SECONDS, self.children["pubsub"].process)
        self._create_topics()

    def _start_function(self, name: str) -> None:
        settings = {
            "ingest": {
                "PUBSUB_TOPIC": f"projects/{PROJECT}/topics/{TOPIC}",
                "PUBSUB_EMULATOR_HOST": self.pubsub_host,
                "WEBHOOK_SECRET": SECRET,
                "SECRET_MANAGER_ENDPOINT": self.secret_manager_host,
            },
            "notify_slack": {
                "SLACK_TOKEN": TOKEN,
                "SLACK_API_URL": self.slack.url,
                "ROUTES_FILE": str(self.options.routes),
            },
            "stream_bq": {
                "BIGQUERY_TABLE": f"{PROJECT}.{DATASET}.events",
                "BIGQUERY_EMULATOR_HOST": self.bigquery_url,
            },
        }
        command = [sys.executable, "-m", "functions_framework", "--source", f"functions/{name}/main.py"]
        options = ["--target", name, "--host", "127.0.0.1", "--port", str(self.ports[name])]
        self._start(name, command + options, **settings[name] | self.options.function_environment)

    def _create_topics(self) -> None:
        publisher = self.publisher()
        for topic in (TOPIC, DEAD_TOPIC):
            publisher.create_topic(name=_topic(topic), timeout=RPC_SECONDS)
        hold = Subscription(name=_subscription("github-events-dead-hold"), topic=_topic(DEAD_TOPIC))
        self.subscriber().create_subscription(hold, timeout=RPC_SECONDS)

    def _create_subscriptions(self) -> None:
        """As in the cloud, but for the shorter backoff: nobody waits ten minutes at a laptop."""
        subscriber = self.subscriber()
        for name, function in SUBSCRIPTIONS.items():
            endpoint = f"http://127.0.0.1:{self.ports[function]}/{_topic(TOPIC)}"
            subscriber.create_subscription(
                Subscription(
                    name=_subscription(name),
                    topic=_topic(TOPIC),
                    push_config=PushConfig(push_endpoint=endpoint),
                    ack_deadline_seconds=60,
                    retry_policy=RetryPolicy(
                        minimum_backoff=Duration(seconds=1), maximum_backoff=Duration(seconds=10)
                    ),
                    dead_letter_policy=DeadLetterPolicy(
                        dead_letter_topic=_topic(DEAD_TOPIC), max_delivery_attempts=100
                    ),
                ),
                timeout=RPC_SECONDS,
            )

    def _bigquery(self) -> bigquery.Client:
        return connect(PROJECT, emulator=self.bigquery_url)


@contextlib.contextmanager
def running(options: Options, say: Say) -> Iterator[Stack]:
    """Start the stack, hand it out, and stop it on every way out, even if you press Ctrl-C twice."""
    stack = Stack(options, say)
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


def _people_and_places(routes: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the workspace's channels and users, by id, as the routes file knows them. Raises NotReady."""
    try:
        found = routes_file.parse(routes.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise NotReady(
            f"{routes} cannot be read ({type(error).__name__}); name another with --routes"
        ) from error
    except ConfigurationError as error:
        raise NotReady("\n".join(error.problems)) from error
    named = {channel: route.name for route in reversed(found.routes) for channel in route.channels}
    channels = {channel: CHANNELS.get(channel, name) for channel, name in named.items()}
    return channels, {user: login for login, user in found.people.items()}


def _folder(state: Path) -> Path:
    """Return a fresh folder for logs and data; older ones are removed."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        runs = sorted(state.glob("run-*"), key=lambda path: path.stat().st_mtime)
        for old in runs[:-2]:
            shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"run-{time.strftime('%Y%m%d-%H%M%S')}-", dir=state))
    except OSError as error:
        raise NotReady(
            f"{state} cannot be written ({error.strerror}); name another folder with --state"
        ) from error


def _topic(name: str) -> str:
    return f"projects/{PROJECT}/topics/{name}"


def _subscription(name: str) -> str:
    return f"projects/{PROJECT}/subscriptions/{name}"
