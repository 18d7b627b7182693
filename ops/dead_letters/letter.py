"""A held message as people read it (pure)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from clients.pubsub.held_messages import HeldMessage
from metrics.wording import count, seconds
from pipeline.delivery import format_time
from pipeline.errors import Malformed
from pipeline.events import issue_number, parse_payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A held message with the number of its issue. `body` is None if it is no JSON object."""

    message: HeldMessage
    number: int | None
    body: dict[str, Any] | None

    @classmethod
    def of(cls, message: HeldMessage) -> Self:
        """Read the message's body, as far as it can be read."""
        try:
            body = parse_payload(message.body())
        except Malformed:
            return cls(message=message, number=None, body=None)
        return cls(message=message, number=issue_number(body), body=body)

    @property
    def id(self) -> str:
        """Return the delivery id, or Pub/Sub's id of a message that has none."""
        return printable(self.message.delivery_id or self.message.message_id)

    @property
    def title(self) -> str:
        """Return the event with its action, such as issues.opened."""
        attributes = self.message.attributes
        event, action = attributes.get("event"), attributes.get("action")
        return printable(f"{event}.{action}" if event and action else event or "an unknown event")

    @property
    def issue(self) -> str | None:
        """Return acme/app#7, or the repository alone, or None."""
        repository = printable(self.message.attributes.get("repository", "")) or None
        return f"{repository}#{self.number}" if repository and self.number is not None else repository

    @property
    def text(self) -> str:
        """Return the decoded body, on several lines if it is JSON."""
        if self.body is not None:
            return printable(json.dumps(self.body, indent=2, ensure_ascii=False))
        try:
            return printable(self.message.body().decode(errors="replace"))
        except Malformed as error:
            return f"({error})"

    def lines(self, now: datetime, reason: str | None) -> Iterable[str]:
        """Yield what `list` prints."""
        message = self.message
        yield "  ".join(filter(None, (self.id, self.title, self.issue)))
        attempts = "" if message.attempts is None else f" after {count(message.attempts, 'attempt')}"
        again = f"; driven again {count(message.redriven, 'time')}" if message.redriven else ""
        age = seconds((now - message.received_at).total_seconds())
        yield f"  {printable(message.gave_up or 'someone')} gave up{attempts}; received {age} ago{again}"
        if reason:
            yield f"  {reason}"

    def as_json(self, now: datetime, reason: str | None) -> dict[str, Any]:
        """Return what `list --json` prints."""
        message = self.message
        return {
            "delivery_id": message.delivery_id,
            "message_id": message.message_id,
            "event": message.attributes.get("event"),
            "action": message.attributes.get("action"),
            "repository": message.attributes.get("repository"),
            "issue": self.number,
            "gave_up": message.gave_up,
            "attempts": message.attempts,
            "redriven": message.redriven,
            "received_at": format_time(message.received_at),
            "held_at": format_time(message.held_at),
            "age_seconds": round((now - message.received_at).total_seconds()),
            "bytes": len(message.data),
            "reason": reason,
        }


def printable(text: str) -> str:
    """Return the text without what a terminal would obey."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)


def choose(letters: Sequence[Letter], ids: Sequence[str]) -> tuple[list[Letter], list[str]]:
    """Return the letters with these ids, of the delivery or of the message, and the ids that none has."""
    known = {name for letter in letters for name in (letter.message.delivery_id, letter.message.message_id)}
    chosen = [
        letter for letter in letters if letter.message.delivery_id in ids or letter.message.message_id in ids
    ]
    return chosen, [name for name in ids if name not in known]


def summary(letters: Sequence[Letter]) -> str:
    """Return how many messages each subscription gave up on: 3 messages (notify-slack 2, stream-bq 1)."""
    names = [printable(letter.message.gave_up or "unknown") for letter in letters]
    kinds = ", ".join(f"{name} {names.count(name):,}" for name in sorted(set(names)))
    return count(len(letters), "message") + (f" ({kinds})" if kinds else "")
