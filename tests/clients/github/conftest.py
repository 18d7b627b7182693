"""A GitHub with acme/app, and a client of it."""

from collections.abc import Iterator

import pytest

from clients.github.client import GitHubClient
from local.github.server import GitHubServer
from tests.clients.github.rig import Clock, make_client
from tests.support.messages import an_issue


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    """Host acme/app with 250 issues."""
    with GitHubServer() as server:
        hosted = server.github.host("acme/app")
        for number in range(1, 251):
            hosted.record(an_issue(number=number).opened())
        yield server


@pytest.fixture
def clock() -> Clock:
    """Return a clock that only waiting moves."""
    return Clock()


@pytest.fixture
def client(server: GitHubServer, clock: Clock) -> Iterator[GitHubClient]:
    """Connect a client."""
    client = make_client(server, clock)
    yield client
    client.close()
