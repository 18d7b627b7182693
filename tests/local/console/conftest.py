"""A stack in this process, and its page: GitHub's deliveries are kept instead of being sent."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from google.pubsub_v1 import types

from local.bigquery.front import BigQueryFront
from local.console.server import Console
from local.feed.feed import Feed
from local.github.server import GitHubServer
from local.pubsub.server import PubSubServer
from local.slack.server import SlackServer
from local.stack.options import Options
from local.stack.topics import PROJECT, topic_path


@dataclass
class Inbox:
    """What GitHub has delivered: (event.action, issue's number); `status` is how ingest answers."""

    status: int = 202
    sent: list[tuple[str, int]] = field(default_factory=list)
    payloads: list[dict[str, Any]] = field(default_factory=list)

    def take(self, _hook: dict[str, Any], event: str, _guid: str, payload: dict[str, Any]) -> int:
        """Take a delivery."""
        self.sent.append((f"{event}.{payload['action']}", payload["issue"]["number"]))
        self.payloads.append(payload)
        return self.status


@pytest.fixture
def inbox() -> Inbox:
    """Return what is delivered to."""
    return Inbox()


@pytest.fixture
def github(inbox: Inbox) -> Iterator[GitHubServer]:
    """Return a GitHub whose App is on the accounts acme and other, and has a hook."""
    server = GitHubServer(send=inbox.take)
    for account in ("acme", "other"):
        server.github.app.install(account)
    server.github.set_app_hook(url="http://127.0.0.1:1/", secret="local")
    yield server
    server.github.hooks.stop()


@dataclass
class FakeChild:
    """A function's process."""

    ended: str = ""
    was_killed: bool = False

    def kill(self) -> None:
        """End it."""
        self.ended, self.was_killed = "killed by SIGKILL", True

    def why_ended(self) -> str:
        """Return how it ended."""
        return self.ended


class FakeStack:
    """A stack without processes: the stand-ins are true, and no function reads what they send."""

    def __init__(self, folder: Path, github: GitHubServer) -> None:
        self.folder = folder
        self.github = github
        self.functions = {
            "ingest": None,
            "notify_slack": "notify-slack",
            "reconcile": None,
            "stream_bq": "stream-bq",
        }
        self.children = {name: FakeChild() for name in (*self.functions, "bigquery")}
        self.slack = SlackServer()
        self.pubsub_server: PubSubServer | None = PubSubServer()
        self.pubsub_host = "127.0.0.1:1"
        self.bigquery_url = "http://127.0.0.1:1"
        self.options = Options(ports={"console": 0})
        self.slack_is_real = False

    def url(self, _name: str) -> str:
        """Return an address at which nothing listens."""
        return "http://127.0.0.1:1"


@pytest.fixture
def stack(tmp_path: Path, github: GitHubServer) -> Iterator[FakeStack]:
    """Return a stack with two subscriptions that push nowhere."""
    found = FakeStack(tmp_path, github)
    service = found.pubsub_server._service
    for topic in ("github-events", "github-events-dead"):
        service.create_topic(types.Topic(name=topic_path(topic)))
    for name in ("notify-slack", "stream-bq"):
        service.create_subscription(
            types.Subscription(
                name=f"projects/{PROJECT}/subscriptions/{name}",
                topic=topic_path(),
                push_config={"push_endpoint": "http://127.0.0.1:1/"},
                dead_letter_policy={
                    "dead_letter_topic": topic_path("github-events-dead"),
                    "max_delivery_attempts": 100,
                },
            )
        )
    yield found
    found.pubsub_server.stop()


@pytest.fixture
def feed(stack: FakeStack) -> Iterator[Feed]:
    """Return the feed of the stack."""
    with Feed(stack) as running:
        yield running


@pytest.fixture
def console(stack: FakeStack, feed: Feed) -> Iterator[Console]:
    """Serve the playground of the stack."""
    with Console(stack, feed, BigQueryFront(1)) as serving:
        yield serving
