"""One issue's deliveries in order: what is stored of each, what each function logged, what the routes say."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from ops.why.routing import RouteOutcome
from pipeline.delivery import parse_time
from pipeline.events import IssueEvent
from pipeline.repository_name import is_repository_name

FUNCTIONS = ("ingest", "notify_slack", "stream_bq")
_REFERENCE = re.compile(r"([^#]+)#([1-9][0-9]{0,17})", re.ASCII)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueName:
    """An issue as people write it: OWNER/REPO#123."""

    repository: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the issue that the text names, or None if it is not of that form."""
        match = _REFERENCE.fullmatch(text)
        if match is None or not is_repository_name(match[1]):
            return None
        return cls(repository=match[1], number=int(match[2]))

    def __str__(self) -> str:
        return f"{self.repository}#{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """A delivery as its row in BigQuery has it; `with_payload`: the row has the payload too."""

    event: IssueEvent
    inserted_at: datetime | None
    with_payload: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A log line of a function; `message` is its first line, or the error at the end of a traceback."""

    function: str
    at: datetime | None
    severity: str
    message: str
    delivery_id: str | None
    event: str | None
    outcome: str | None
    reason: str | None
    why: str | None
    channel: str | None

    @classmethod
    def read(
        cls, service: str, fields: Mapping[str, Any], *, at: object = None, severity: object = None
    ) -> Self:
        """Return the line of a service, whose name may have a prefix: team-notify-slack."""
        name = service.replace("-", "_")
        event, action = _text(fields, "event"), _text(fields, "action")
        return cls(
            function=next((known for known in FUNCTIONS if f"_{name}".endswith(f"_{known}")), service),
            at=parse_time(at),
            severity=str(severity or fields.get("severity") or "DEFAULT"),
            message=_first_line(_text(fields, "message") or ""),
            delivery_id=_text(fields, "delivery_id"),
            event=f"{event}.{action}" if event and action else event,
            outcome=_text(fields, "outcome"),
            reason=_text(fields, "reason"),
            why=_text(fields, "why"),
            channel=_text(fields, "channel"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """The lines of the functions, oldest first; `left_out` says why there are none to read.

    `since` is where reading began, None for all there is. `cut`: there were more lines than were read.
    """

    lines: Sequence[LogLine] = ()
    since: datetime | None = None
    cut: bool = False
    left_out: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One delivery. `stored` and `routes` are None for one that only the logs know."""

    delivery_id: str
    stored: StoredDelivery | None
    routes: RouteOutcome | None
    lines: tuple[LogLine, ...]

    @property
    def at(self) -> datetime | None:
        """Return when ingest received it, or else the time of its first line."""
        if self.stored is not None:
            return self.stored.event.received_at
        return next((line.at for line in self.lines if line.at is not None), None)

    @property
    def name(self) -> str:
        """Return the event and its action: issues.opened."""
        if self.stored is not None:
            event = self.stored.event
            return f"{event.event}.{event.action}" if event.action else event.event
        return next((line.event for line in self.lines if line.event), "an event")

    def of(self, function: str) -> tuple[LogLine, ...]:
        """Return the lines of one function."""
        return tuple(line for line in self.lines if line.function == function)


def timeline(
    stored: Iterable[tuple[StoredDelivery, RouteOutcome]], lines: Iterable[LogLine]
) -> tuple[Step, ...]:
    """Return a step for each delivery that is stored or logged, in the order of their receipt."""
    by_id: dict[str, list[LogLine]] = {}
    for line in lines:
        by_id.setdefault(line.delivery_id or "?", []).append(line)
    steps = [
        Step(
            delivery_id=delivery.event.delivery_id,
            stored=delivery,
            routes=routes,
            lines=tuple(by_id.pop(delivery.event.delivery_id, ())),
        )
        for delivery, routes in stored
    ]
    steps += [
        Step(delivery_id=delivery_id, stored=None, routes=None, lines=tuple(found))
        for delivery_id, found in by_id.items()
    ]
    return tuple(sorted(steps, key=lambda step: step.at or _LAST))


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None


def _first_line(message: str) -> str:
    """Return the line that says most: the last one of a traceback has the error."""
    lines = [line for line in message.splitlines() if line.strip()]
    if not lines:
        return ""
    is_traceback = any(line.startswith("Traceback ") for line in lines)
    return re.sub(r"^[\w.]+\.([A-Z]\w+: )", r"\1", lines[-1]) if is_traceback else lines[0]
