"""The strict stand-in for Slack on loopback: it stores a message only if Slack would show it as meant.

Why a message was refused is in the answer and in the log.
"""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from local.slack.access import Access
from local.slack.app import WEBHOOK_SECRET, create_app
from local.slack.faults import Fault
from local.slack.message import TEAM, Message
from local.slack.rate_limit import RateLimit
from local.slack.rendering.mrkdwn import Names
from local.slack.rendering.page import render_page
from local.slack.rules.problems import Arguments
from local.slack.workspace import Workspace
from local.stand_in import StandIn

CHANNELS: Final = {"C0123456789": "issues"}  # that of config/routes.toml
REFRESH: Final = 3  # seconds between two loads of the page


class SlackServer(StandIn):
    """Slack for one workspace on one port; a restart keeps the port and the messages.

    channels: id -> name. history_lag: seconds, by clock, until conversations.history shows a new message.
    file_delay: likewise, until a block may show a new file. bare_updates: whether an update may take off the
    attachments and give nothing else, which Slack does not document.
    burst: posts into one channel that pass at once before a 429 limits them to one a second, None for no
    limit. users: id -> name, for the page only. restrictions: the other fields of Access.
    """

    fault_type = Fault

    def __init__(  # noqa: PLR0913 -- each is one property of a workspace, and a test names only what it needs
        self,
        port: int = 0,
        channels: Mapping[str, str] = CHANNELS,
        token: str = "xoxb-local",
        *,
        history_lag: float = 0.0,
        file_delay: float = 0.0,
        bare_updates: bool = False,
        burst: int | None = None,
        users: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        **restrictions: Collection[str],
    ) -> None:
        super().__init__(port)
        self.token = token
        self.workspace = Workspace(
            Access(channels=channels, **restrictions),
            history_lag=history_lag,
            file_delay=file_delay,
            bare_updates=bare_updates,
            clock=clock,
        )
        zone = datetime.now(UTC).astimezone().tzinfo or UTC
        self.names = Names(channels=channels, users=users or {}, zone=zone)
        self._requests: list[tuple[str, Arguments]] = []
        self._rate_limit = RateLimit(burst, clock)
        self._drawn: tuple[list[Message], str] | None = None

    def create_app(self) -> Any:
        """Return the WSGI application."""
        return create_app(self)

    @property
    def url(self) -> str:
        """Base URL of the Web API, as slack_sdk's WebClient(base_url=...) takes it."""
        return f"{self.console_url}api/"

    @property
    def webhook_url(self) -> str:
        """Incoming webhook of the first channel."""
        return self.webhook_for(next(iter(self.names.channels)))

    @property
    def console_url(self) -> str:
        """The page that shows the messages."""
        return f"{self.origin}/"

    @property
    def messages(self) -> list[Message]:
        """The stored messages in their current state, oldest first, without the deleted ones; a copy."""
        return self.workspace.messages

    @property
    def requests(self) -> list[tuple[str, Arguments]]:
        """Every call, also a refused or failed one: method or "webhook", and arguments ({} if unreadable)."""
        with self._lock:
            return list(self._requests)

    @property
    def over_limit(self) -> list[tuple[str, str]]:
        """Calls before the Retry-After of a 429 had passed, by clock: method, and the channel of a post."""
        with self._lock:
            return list(self._rate_limit.over_limit)

    def webhook_for(self, channel: str) -> str:
        """Incoming webhook of a channel; that of an unknown one answers channel_not_found."""
        return f"{self.console_url}services/{TEAM}/{channel}/{WEBHOOK_SECRET}"

    def record(self, name: str, arguments: Arguments) -> Fault | None:
        """Record a call, and return the fault that it meets; a rate limit is one too."""
        with self._lock:
            self._requests.append((name, arguments))
            seconds = self._rate_limit.seconds_to_wait(name, arguments)
            fault = self._take_fault(name)
            if fault is None and seconds:
                fault = Fault(status=429, headers={"Retry-After": str(seconds)})
            if fault is not None and fault.status == 429:
                self._rate_limit.pause(name, arguments, fault.headers)
            return fault

    def page(self) -> str:
        """Return the console page. A browser loads it every few seconds; it is drawn only after a change."""
        messages = self.messages
        if self._drawn is None or self._drawn[0] != messages:
            self._drawn = messages, render_page(messages, self.names, refresh=REFRESH)
        return self._drawn[1]
