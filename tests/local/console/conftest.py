"""A GitHub in this process, whose deliveries are kept instead of being sent."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.github.server import GitHubServer


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
