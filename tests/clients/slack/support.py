"""A message to send, what the stand-in for Slack receives, and the error that a call raises."""

from collections.abc import Callable
from typing import Any

import pytest

from clients.slack.blocks import Message, section
from clients.slack.client import TimeRange
from local.slack.message import Message as StoredMessage
from local.slack.server import SlackServer
from pipeline.errors import Unavailable

TOKEN = "xoxb-local"
CHANNEL = "C0123456789"
OTHER = "C5"
ALWAYS = TimeRange(oldest="0", latest="9999999999")


class Recorder:
    """The stand-in, with only the messages and requests that it receives from now on."""

    def __init__(self, server: SlackServer) -> None:
        self.url, self.console_url, self.webhook_url = server.url, server.console_url, server.webhook_url
        self.fail_next, self.fail_until_cleared = server.fail_next, server.fail_until_cleared
        self._server = server
        self._before = len(server.messages), len(server.requests)

    @property
    def messages(self) -> list[StoredMessage]:
        """Return the stored messages."""
        return self._server.messages[self._before[0] :]

    @property
    def requests(self) -> list[tuple[str, dict[str, Any]]]:
        """Return every call as its method and arguments."""
        return self._server.requests[self._before[1] :]


def a_message(text: str = "Export fails") -> Message:
    """Return a message of one section, with metadata."""
    metadata = {"event_type": "issuewire_test", "event_payload": {"issue": "1#7"}}
    return Message(text=text, blocks=(section(text),), metadata=metadata)


def error_of(call: Callable[[], object]) -> Unavailable:
    """Return the error that the call raises; no secret is in any text of its chain."""
    with pytest.raises(Unavailable) as caught:
        call()
    error: BaseException | None = caught.value
    while error is not None:
        for secret in (TOKEN, "xoxb-o", "services/T"):
            assert secret not in f"{error}{error!r}"
        error = error.__cause__ or error.__context__
    return caught.value
