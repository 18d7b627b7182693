"""What a subscriber did with a delivery, step by step; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from local.feed import wording
from local.feed.happening import Happening
from pipeline.delivery import format_time
from pipeline.subscriber import names

type Texts = Mapping[str, str]

_NOTES = {"route_outdated", "payload_too_large"}  # reasons of lines that no attempt fails by


def _none() -> Texts:
    return MappingProxyType({})


# waiting: not handled yet; ignored: left alone on purpose; dead: held with the dead letters.
type State = Literal["waiting", "done", "ignored", "retrying", "dead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOutcome:
    """What a subscriber did with a delivery; `text` says it in a few words, empty while it is not known.

    `outcomes` are the words of its log by channel or action, "" for one without. `seconds` are those from the
    delivery to the end. `is_busy`: the attempt failed only because other work comes first. `message_id` is
    that of the message which it is about: a redelivery begins again.
    """

    state: State = "waiting"
    text: str = ""
    outcomes: Texts = field(default_factory=_none)
    attempts: int = 0
    reason: str | None = None
    retry_at: datetime | None = None
    seconds: float | None = None
    message_id: str | None = None
    texts: Texts = field(default_factory=_none)  # what the outcomes mean
    problem: str = ""
    is_busy: bool = False
    changed_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Return whether nothing more is to come."""
        return self.state in {"done", "ignored", "dead"}

    def as_json(self) -> dict[str, Any]:
        """Return it for a page or a script."""
        return {
            "state": self.state,
            "text": self.text,
            "outcomes": dict(self.outcomes),
            "attempts": self.attempts,
            "reason": self.reason,
            "retry_at": self.retry_at and format_time(self.retry_at),
            "seconds": self.seconds,
        }

    def of_message(self, message_id: str | None) -> "FunctionOutcome | None":
        """Return the outcome so far of this message, None if a newer one has come."""
        if message_id is None or message_id == self.message_id:
            return self
        if self.message_id is not None and _order(message_id) < _order(self.message_id):
            return None
        return FunctionOutcome(message_id=message_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Applies what happened to an outcome. The fields are those of Deliveries."""

    channels: Mapping[str, str]
    reported: bool

    def apply(
        self, function: str, before: FunctionOutcome, happening: Happening, began: datetime
    ) -> FunctionOutcome:
        """Return the outcome after a line of the function, or after a push to it."""
        fields = happening.fields
        if _is_for_another(function, fields):
            if before.is_final or happening.part == "pubsub":
                return before
            return replace(before, state="ignored", text=f"ignored: meant for {fields['only']}")
        now = before.of_message(fields.get("message_id"))
        if now is None:
            return before
        now = self._by_push(now, happening) if happening.part == "pubsub" else self._by_line(now, happening)
        if now.is_final and now.seconds is None:
            now = replace(now, seconds=round(max((happening.at - began).total_seconds(), 0.0), 3))
        return replace(now, text=_text(now, happening.at), changed_at=happening.at)

    def _by_line(self, before: FunctionOutcome, happening: Happening) -> FunctionOutcome:
        fields = happening.fields
        reason, channel = fields.get("reason"), fields.get("channel")
        found = wording.outcome(happening.part, happening.text, fields, self.channels)
        if found is not None:
            if found.word == "present" and before.outcomes.get(found.place) == "done":
                return before  # by an earlier attempt
            now = replace(
                before,
                outcomes={**before.outcomes, found.place: found.word},
                texts={**before.texts, found.place: found.text},
            )
            if self.reported:
                return replace(now, state=_handled(now)) if now.state in {"done", "ignored"} else now
            attempts = before.attempts if before.is_final else before.attempts + 1
            return replace(now, state=_handled(now), attempts=attempts, reason=None)
        if happening.level == "info" or reason in _NOTES or (self.reported and before.is_final):
            return before
        problem = wording.problem(happening.text, reason if isinstance(reason, str) else None)
        now = replace(
            before,
            problem=problem,
            reason=reason if isinstance(reason, str) else before.reason,
            is_busy=happening.level == "warning",
        )
        if self.reported or channel:  # a line that names a channel comes before the one that ends the attempt
            return now
        attempts = before.attempts if before.is_final else before.attempts + 1  # another channel is done
        return replace(now, state="retrying", attempts=attempts, seconds=None)

    def _by_push(self, before: FunctionOutcome, happening: Happening) -> FunctionOutcome:
        fields, attempts = happening.fields, int(happening.fields["attempt"])
        if happening.kind == "acknowledged":
            return replace(before, state=_handled(before), attempts=attempts, reason=None, retry_at=None)
        if happening.kind == "dead_letter":
            return replace(before, state="dead", attempts=attempts, retry_at=None)
        has_answer = fields.get("status") is not None
        known = before.problem if has_answer else wording.UNREACHABLE
        return replace(
            before,
            state="retrying",
            attempts=attempts,
            retry_at=happening.at + timedelta(seconds=fields["seconds"]),
            reason=before.reason if has_answer else None,
            is_busy=before.is_busy and has_answer,
            problem=known or str(fields.get("problem", "")),
        )


def _is_for_another(function: str, fields: Mapping[str, Any]) -> bool:
    only = fields.get("only")
    return isinstance(only, str) and not names(only, function.replace("_", "-"))


def _handled(outcome: FunctionOutcome) -> State:
    is_ignored = bool(outcome.outcomes) and set(outcome.outcomes.values()) <= wording.IGNORED
    return "ignored" if is_ignored else "done"


def _text(outcome: FunctionOutcome, now: datetime) -> str:
    match outcome.state:
        case "retrying":
            left = None if outcome.retry_at is None else (outcome.retry_at - now).total_seconds()
            return wording.retry(left, outcome.problem)
        case "dead":
            return wording.dead(outcome.attempts, outcome.problem)
        case _:
            return ", ".join(outcome.texts.values())


def _order(message_id: str) -> tuple[int, str]:
    return int(message_id) if message_id.isdecimal() else 0, message_id
