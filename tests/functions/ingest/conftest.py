"""The tests of ingest share one Secret Manager, and one Pub/Sub of each kind."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from local.pubsub.server import PubSubServer
from local.secret_manager.server import SecretManagerServer
from tests.functions.ingest.rig import IngestRig, ingest
from tests.support.pubsub import PubSub, pubsub_process


@pytest.fixture(scope="session")
def secret_manager() -> Iterator[tuple[SecretManagerServer, str]]:
    """Return the Secret Manager stand-in and its host."""
    server = SecretManagerServer()
    yield server, server.start()
    server.stop()


@pytest.fixture(scope="session")
def stand_in() -> Iterator[PubSub]:
    """Return the Pub/Sub stand-in."""
    server = PubSubServer()
    yield PubSub(host=server.start())
    server.stop()


@pytest.fixture(scope="session")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSub]:
    """Return Google's emulator."""
    with pubsub_process("google", tmp_path_factory.mktemp("google")) as pubsub:
        yield pubsub


@pytest.fixture(scope="module")
def start(
    tmp_path_factory: pytest.TempPathFactory,
    stand_in: PubSub,
    secret_manager: tuple[SecretManagerServer, str],
) -> Callable[..., AbstractContextManager[IngestRig]]:
    """Return a function that starts an ingest with the stand-ins."""
    return partial(ingest, tmp_path_factory.mktemp("ingest"), stand_in, *secret_manager)


@pytest.fixture(scope="module")
def rig(start: Callable[..., AbstractContextManager[IngestRig]]) -> Iterator[IngestRig]:
    """Return an ingest that the tests of a module share."""
    with start() as running:
        yield running


@pytest.fixture(scope="module", params=["stand_in", "google"])
def either(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    secret_manager: tuple[SecretManagerServer, str],
) -> Iterator[IngestRig]:
    """Return an ingest that publishes to the stand-in, then one that publishes to Google's emulator."""
    folder: Path = tmp_path_factory.mktemp("either")
    with ingest(folder, request.getfixturevalue(request.param), *secret_manager) as running:
        yield running
