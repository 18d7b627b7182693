"""One thing that happened in the running stack; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from pipeline.delivery import format_time

type Level = Literal["info", "warning", "error"]

MAX_TEXT = 500
_MAX_VALUE = 1000
_LEVELS = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """`number` counts from 1. `event` is like issues.opened; `text` is one line without control characters.

    `part` is a function, or one of github, pubsub, slack, bigquery, stack. `fields` depend on part and kind:

    A function, `line`: the fields of its log line, without the message.
    pubsub, `acknowledged`, `retry`, `dead_letter`: function, message_id, attempt, status, seconds (until the
    next attempt), problem.
    pubsub, stack, `note`: none; the feed says something of itself.
    github, `delivered`: status.
    any part, `switch`: how; it was made to fail, or healed.
    slack, `posted`, `updated`, `deleted`: channel, ts, thread_ts.
    stack, `ended`, `restarted`: name.
    """

    number: int
    at: datetime
    part: str
    kind: str
    delivery_id: str | None
    event: str | None
    repository: str | None
    issue: int | None
    text: str
    level: Level
    fields: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it for a page or a script."""
        return {
            "number": self.number,
            "at": format_time(self.at),
            "part": self.part,
            "kind": self.kind,
            "delivery_id": self.delivery_id,
            "event": self.event,
            "repository": self.repository,
            "issue": self.issue,
            "text": self.text,
            "level": self.level,
            "fields": dict(self.fields),
        }


def level_of(severity: str) -> Level:
    """Return the level of a log line."""
    return cast("Level", _LEVELS.get(severity, "info"))


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Return the text as a terminal may show it: one line, not too long, and a ? for what it would obey."""
    shown = "".join(character if character.isprintable() else "?" for character in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def bounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields without the rest of long texts."""
    return {
        name: value[:_MAX_VALUE] if isinstance(value, str) else value
        for name, value in fields.items()
        if value is not None
    }
