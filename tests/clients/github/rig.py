"""A GitHub client under test: its stand-in server, and a clock that only waiting moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.github.client import TIMEOUT_SECONDS, GitHubClient
from clients.github.settings import GitHubSettings
from local.github.server import TOKEN, GitHubServer
from pipeline.errors import Unavailable

ALL = {"state": "all", "sort": "created", "direction": "asc"}
REPOSITORY = "/repos/acme/app"
ISSUES = f"{REPOSITORY}/issues"


class Clock:
    """A clock that only waiting moves, and the waits with their reasons."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.waits: list[float] = []
        self.reasons: list[str] = []
        self.after_wait: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)
        self.after_wait()

    def on_wait(self, reason: str, until: datetime) -> None:
        """Remember the reason."""
        assert until > self.now
        self.reasons.append(reason)


def make_client(
    server: GitHubServer,
    clock: Clock,
    timeout: tuple[float, float] = TIMEOUT_SECONDS,
    **environment: str,
) -> GitHubClient:
    """Return a client of the server; `environment` overrides its settings."""
    settings = {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": TOKEN, **environment}
    return GitHubClient(
        GitHubSettings.from_environment(settings),
        clock.on_wait,
        timeout=timeout,
        sleep=clock.sleep,
        clock=lambda: clock.now,
    )


def name_of(client: GitHubClient) -> Any:
    """Return the name of acme/app, read from the server."""
    return client.get(REPOSITORY)[0]["name"]


def error_of(client: GitHubClient, path: str = REPOSITORY) -> Unavailable:
    """Return the error of a request; it never contains the token."""
    with pytest.raises(Unavailable) as caught:
        client.get(path)
    assert TOKEN not in str(caught.value)
    return caught.value
