"""Workspaces of the strict stand-in for Slack, one for each module of tests."""

from collections.abc import Iterator

import pytest

from tests.support.workspace import Channel, Workspace, running_workspace


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    """Return a workspace that the tests of a module share."""
    with running_workspace() as running:
        yield running


@pytest.fixture(scope="module")
def lagging() -> Iterator[Workspace]:
    """Return a workspace whose history shows a message after two seconds."""
    with running_workspace(history_lag=2.0) as running:
        yield running


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    """Return an empty channel."""
    return workspace.channel()
