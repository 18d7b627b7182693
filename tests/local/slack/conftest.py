"""A workspace with an open channel, and others that are closed in Slack's ways."""

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from local.slack.server import SlackServer
from tests.support.clock import FakeClock
from tests.support.slack_clients import CHANNELS, FOREIGN, HIDDEN, OLD, QUIET, SECRET, client


@pytest.fixture
def clock() -> FakeClock:
    """Return the clock of the workspace."""
    return FakeClock(1764000000.0)


@pytest.fixture
def slack(clock: FakeClock) -> Iterator[SlackServer]:
    """Run the workspace."""
    with SlackServer(
        channels=CHANNELS,
        archived=[OLD],
        not_member=[FOREIGN, HIDDEN],
        restricted=[QUIET],
        private=[SECRET, HIDDEN],
        clock=clock,
    ) as server:
        yield server


@pytest.fixture
def web(slack: SlackServer) -> WebClient:
    """Return the client of the Web API."""
    return client(slack)
