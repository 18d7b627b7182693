"""A stack without processes, as far as the feed reads it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.slack.server import SlackServer


class FakePubSub:
    """Keeps to whom the pushes are reported."""

    def report_to(self, report: Any) -> None:
        """Keep it."""
        self.report = report


@dataclass
class FakeStack:
    """The parts of a stack that the feed reads."""

    folder: Path
    slack: SlackServer = field(default_factory=SlackServer)
    pubsub_server: FakePubSub | None = field(default_factory=FakePubSub)
    functions: dict[str, str | None] = field(
        default_factory=lambda: {"ingest": None, "notify_slack": "notify-slack", "stream_bq": "stream-bq"}
    )
