"""Makes happenings as the feed does, at moments that a test names."""

from datetime import UTC, datetime, timedelta
from typing import Any

from google.pubsub_v1 import types

from local.feed import sources
from local.feed.happening import Happening, bounded
from local.pubsub.push import PushReport

START = datetime(2026, 11, 28, 12, tzinfo=UTC)
ID = "0b989ba4-242f-11e5-81e1-c7b6966d2516"
SUBSCRIBERS = ("notify_slack", "stream_bq")
CHANNELS = {"C1": "issues", "C2": "bugs"}
NAMES = {"delivery_id": ID, "event": "issues", "action": "opened", "repository": "acme/app", "issue": 7}


def report(function: str, attempt: int = 1, *, message_id: str = "1", **fields: Any) -> PushReport:
    """Return Pub/Sub's report of a push, by default of one that was acknowledged."""
    attributes = {name: str(NAMES[name]) for name in ("delivery_id", "event", "action", "repository")}
    attributes |= {"only": fields.pop("only")} if "only" in fields else {}
    return PushReport(
        subscription=function.replace("_", "-"),
        message=types.PubsubMessage(message_id=message_id, attributes=attributes),
        attempt=attempt,
        **({"status": 204} | fields),
    )


class Story:
    """Numbers what happens; `now` is in seconds from the start."""

    def __init__(self) -> None:
        self.now = 0.0
        self.happenings: list[Happening] = []

    def tell(self, **told: Any) -> Happening:
        """Add a happening."""
        named = {name: told.pop(name, None) for name in ("delivery_id", "event", "repository", "issue")}
        happening = Happening(
            number=len(self.happenings) + 1,
            at=START + timedelta(seconds=self.now),
            part=told.pop("part"),
            kind=told.pop("kind"),
            text=told.pop("text"),
            level=told.pop("level", "info"),
            **named,
            fields=bounded(told),
        )
        self.happenings.append(happening)
        return happening

    def line(self, function: str, message: str, severity: str = "INFO", **fields: Any) -> Happening:
        """Add a log line of a function about the delivery; `message_id` is 1 unless given."""
        line = {"severity": severity, "message": message, **NAMES, "message_id": "1", **fields}
        return self.tell(**sources.of_line(function, {name: value for name, value in line.items() if value}))

    def push(self, function: str, attempt: int = 1, **fields: Any) -> Happening:
        """Add the report of a push, by default of one that was acknowledged."""
        functions = {name.replace("_", "-"): name for name in (*SUBSCRIBERS, "triage")}
        return self.tell(**sources.of_push(report(function, attempt, **fields), functions))

    def refused_by_slack(self, attempt: int, seconds: float) -> list[Happening]:
        """Add an attempt of notify_slack that Slack has failed, as it is reported and logged."""
        problem = "Slack answered 500."
        return [
            self.push("notify_slack", attempt, status=500, problem="was answered 500", seconds=seconds),
            self.line(
                "notify_slack",
                f"The channel was not updated: {problem}",
                "WARNING",
                channel="C1",
                reason="slack_unavailable",
            ),
            self.line(
                "notify_slack",
                "Exception on / [POST]\nTraceback (most recent call last):\n"
                f"pipeline.errors.Unavailable: {problem}",
                "ERROR",
                reason="slack_unavailable",
            ),
        ]
