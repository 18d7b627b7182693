"""GitHub with acme/app, Pub/Sub, and a state folder of the test's own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.github import client
from local.github.repository import HostedRepository
from local.github.server import GitHubServer
from ops.backfill import run
from tests.ops.backfill.rig import STARTED, PubSub


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow pulls that return at once: one that waits costs a second, and the service only advises it."""
    for item in items:
        if item.nodeid.startswith("tests/ops/backfill/"):
            item.add_marker(pytest.mark.filterwarnings("ignore:The return_immediately flag is deprecated"))


@pytest.fixture
def pubsub() -> Iterator[PubSub]:
    """Start Pub/Sub."""
    pubsub = PubSub()
    yield pubsub
    pubsub.stop()


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    """Start GitHub."""
    with GitHubServer("/api/v3") as server:
        yield server


@pytest.fixture
def hosted(server: GitHubServer) -> HostedRepository:
    """Create acme/app."""
    return server.github.host("acme/app")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return the folder of the stores."""
    return tmp_path / "state"


@pytest.fixture(autouse=True)
def isolated(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run without pauses and without the settings of the machine; leave no process behind."""
    monkeypatch.setattr(run, "STATE", state)
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.01)
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "PUBSUB_"))]:
        monkeypatch.delenv(name)
    yield
    while STARTED:
        with STARTED.pop() as process:
            process.kill()
