"""The real deployment that several test files look at: started first, so that it runs while others do."""

import os
import shutil

import pytest

from tests.deploy.story import Story

TOOLS = ("gcloud", "bq", "curl", "openssl")


def pytest_collection_modifyitems(items):
    """Run the tests that wait for the story after all others of this folder."""
    mine = [item for item in items if "/tests/deploy/" in item.path.as_posix()]
    waiting = [item for item in mine if {"deployed", "operated"} & set(item.fixturenames)]
    order = iter([item for item in mine if item not in waiting] + waiting)
    chosen = set(mine)
    items[:] = [next(order) if item in chosen else item for item in items]


@pytest.fixture(scope="session", autouse=True)
def story(request, tmp_path_factory):
    """Start the story when a test of this session wants it and the tools are there; None otherwise."""
    wanted = any({"deployed", "operated"} & set(item.fixturenames) for item in request.session.items)
    if not wanted or not all(map(shutil.which, TOOLS)):
        yield None
        return
    started = Story(tmp_path_factory.mktemp("story"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def deployed(story):
    """Return the world in which everything was deployed."""
    _require()
    return story.deployed()


@pytest.fixture(scope="session")
def operated(story):
    """Return the world in which every other command was run."""
    _require()
    return story.operated()


def _require():
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{', '.join(missing)} missing, and CI must run these tests")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
