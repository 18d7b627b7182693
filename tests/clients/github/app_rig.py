"""A client that is a GitHub App, of a GitHub in this process; a clock that only waiting moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clients.github.client import GitHubClient
from clients.github.settings import GitHubSettings
from local.github.github_app import APP_ID, private_key
from local.github.server import GitHubServer
from pipeline.errors import Unavailable
from tests.functions.reconcile.rig import API, InProcess

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


class AppRig:
    """GitHub with acme/app, where the App is installed on acme; `skew` is how far our clock is ahead."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.skew = timedelta()
        self.moved: Callable[[datetime], None] = lambda _: None
        self.server = GitHubServer()
        self.github = self.server.github
        self.github.reset_at = 10.0**10
        self.github.host("acme/app")
        self.github.organizations.add("acme")
        self.installation = self.github.app.install("acme")
        self.key_file = folder / "key.pem"
        self.key_file.write_text(private_key())
        self.adapter = InProcess(self.server.create_app(), self, 0.0)
        self.advance(0)

    def advance(self, seconds: float) -> None:
        """Move the clock, and GitHub's with it."""
        self.now += timedelta(seconds=seconds)
        self.github.now = self.now

    def client(self, app_id: object = APP_ID) -> GitHubClient:
        """Return a new client, which is the App with this id."""
        environment = {"GITHUB_APP_ID": str(app_id), "GITHUB_APP_KEY_FILE": str(self.key_file)}
        client = GitHubClient(
            GitHubSettings.from_environment(environment),
            lambda *_: None,
            sleep=self.advance,
            clock=lambda: self.now + self.skew,
        )
        client._session.mount(API, self.adapter)
        return client

    def tokens_created(self) -> int:
        """Return how many tokens GitHub was asked for."""
        return len(self.server.targets("access_tokens"))

    def error(self, path: str = "/repos/acme/app", **more: Any) -> Unavailable:
        """Return the error of a request."""
        with pytest.raises(Unavailable) as caught:
            self.client(**more).get(path)
        return caught.value
