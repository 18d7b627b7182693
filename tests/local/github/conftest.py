"""A running GitHub with one repository, and a way to ask it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from local.github.server import TOKEN, GitHubServer

type Ask = Callable[..., requests.Response]


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    """Host acme/app and the organization acme."""
    with GitHubServer("/api/v3") as server:
        server.github.host("acme/app")
        server.github.organizations.add("acme")
        yield server


@pytest.fixture
def ask(server: GitHubServer) -> Ask:
    """Return a function that sends one request with the right token."""

    def send(method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        return requests.request(
            method,
            server.url + path,
            json=body,
            headers={"Authorization": f"Bearer {TOKEN}", **headers},
            timeout=30,
        )

    return send
