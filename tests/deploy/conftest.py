"""The deployment that several test files inspect; it starts first and runs while other tests do."""

import os
import shutil
import signal

import pytest

from tests.deploy.sandbox import Sandbox
from tests.deploy.scenario import Scenario

TOOLS = ("gcloud", "bq", "curl", "openssl")


def pytest_collection_modifyitems(items):
    """Run the tests that wait for the scenario after all others of this folder."""
    mine = [item for item in items if item.nodeid.startswith("tests/deploy/")]
    waiting = [item for item in mine if {"deployed", "operated"} & set(item.fixturenames)]
    order = iter([item for item in mine if item not in waiting] + waiting)
    chosen = set(mine)
    items[:] = [next(order) if item in chosen else item for item in items]


@pytest.fixture(scope="session")
def scenario(request, tmp_path_factory):
    """Start the scenario if a test of this session needs it and the tools are installed; None otherwise.

    The fixtures of these tests request it, and those of the stand-in (cloud/) do not: they may run in
    another process, which would make all these calls of gcloud a second time.
    """
    needed = any({"deployed", "operated"} & set(item.fixturenames) for item in request.session.items)
    if not needed or not all(map(shutil.which, TOOLS)):
        yield None
        return
    started = Scenario(tmp_path_factory.mktemp("scenario"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def deployed(scenario):
    """Return the rig in which everything was deployed."""
    _require_tools()
    return scenario.deployed()


@pytest.fixture(scope="session")
def operated(scenario):
    """Return the rig in which every other command was run."""
    _require_tools()
    return scenario.operated()


@pytest.fixture
def sandbox(tmp_path, scenario) -> Sandbox:  # noqa: ARG001 - starts it
    """Return a checkout with fake tools and an empty project, while the scenario runs."""
    return Sandbox(tmp_path)


@pytest.fixture
def default_signals():
    """Let child processes react to Ctrl-C, also if pytest itself was started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _require_tools():
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{', '.join(missing)} missing, and CI must run these tests")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
