"""One stand-in for Slack that all tests of the client share, and a clock on which no test waits."""

from collections.abc import Iterator

import pytest

from clients.slack.client import Slack
from clients.slack.webhook import IncomingWebhook
from local.slack.server import SlackServer
from tests.clients.slack.support import CHANNEL, OTHER, TOKEN, Recorder
from tests.support.clock import FakeClock


@pytest.fixture(scope="session")
def clock() -> FakeClock:
    """Return the clock of the clients; a sleep advances it at once."""
    return FakeClock()


@pytest.fixture(scope="session")
def slack_server() -> Iterator[SlackServer]:
    """Run the stand-in."""
    channels = {CHANNEL: "issues", "C2": "closed", "C3": "not a member", "C4": "restricted", OTHER: "other"}
    refusing = {"archived": ["C2"], "not_member": ["C3"], "restricted": ["C4"]}
    with SlackServer(channels=channels, token=TOKEN, **refusing) as server:
        yield server


@pytest.fixture
def server(slack_server: SlackServer, clock: FakeClock) -> Iterator[Recorder]:
    """Return the stand-in without faults, and what it receives from now on, an hour after the last test."""
    slack_server.clear_faults()
    clock.sleep(3600)
    clock.sleeps.clear()
    yield Recorder(slack_server)
    slack_server.clear_faults()


@pytest.fixture
def waits(clock: FakeClock) -> list[float]:
    """Return the seconds that the clients asked to sleep."""
    return clock.sleeps


@pytest.fixture(scope="session")
def client(slack_server: SlackServer, clock: FakeClock) -> Slack:
    """Return a client with a bot token."""
    return Slack(lambda: TOKEN, slack_server.url, clock, clock.sleep)


@pytest.fixture(scope="session")
def webhook(slack_server: SlackServer, clock: FakeClock) -> IncomingWebhook:
    """Return an incoming webhook."""
    return IncomingWebhook(lambda: slack_server.webhook_url, clock, clock.sleep)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
