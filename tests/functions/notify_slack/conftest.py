"""One running function for the tests of this folder."""

from collections.abc import Iterator

import pytest

from local.slack.server import SlackServer
from tests.functions.notify_slack.support import CHANNELS, MARKER, ROUTES, TOKEN, Notifier, opened
from tests.support.framework import function


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notifier]:
    """Run the function with a token in a file."""
    folder = tmp_path_factory.mktemp("notify_slack")
    (folder / "routes.toml").write_text(ROUTES)
    (folder / "token").write_text(TOKEN)
    channels = {"C1": "issues", "C2": "both", **{channel: name for name, channel in CHANNELS.items()}}
    with SlackServer(channels=channels, token=TOKEN) as slack:
        environment = {
            "SLACK_TOKEN_FILE": str(folder / "token"),
            "SLACK_API_URL": slack.url,
            "ROUTES_FILE": str(folder / "routes.toml"),
        }
        with function("notify_slack", folder, environment) as up:
            yield Notifier(function=up, slack=slack, token_file=folder / "token")


@pytest.fixture
def notifier(started: Notifier) -> Iterator[Notifier]:
    """Return the function without faults; after the test it still works, and its log has no secret."""
    yield started
    started.slack.clear_faults()
    started.token_file.write_text(TOKEN)
    assert started.post(opened("alive")) == 200
    output = started.function.output()
    assert TOKEN not in output
    assert MARKER not in output
    assert "localwebhooksecret" not in output
