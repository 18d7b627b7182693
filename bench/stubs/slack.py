"""Slack: the local stand-in, which refuses a card that Slack would not show, with the time of each call."""

import time
from collections.abc import Mapping
from typing import Any

from local.slack.faults import Fault
from local.slack.server import SlackServer

TOKEN = "xoxb-bench"


class TimedSlack(SlackServer):
    """The stand-in; `calls` has the method, the arguments and the time of each call."""

    def __init__(self) -> None:
        super().__init__(token=TOKEN)
        self.calls: list[tuple[str, Mapping[str, Any], float]] = []

    def record(self, name: str, arguments: dict[str, Any]) -> Fault | None:
        """Record a call with its time."""
        self.calls.append((name, arguments, time.monotonic()))
        return super().record(name, arguments)
