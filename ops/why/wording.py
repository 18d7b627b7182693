"""The timeline in words, and as JSON; pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ops.why.answer import Answer
from ops.why.timeline import FUNCTIONS, IssueName, LogLine, Logs, Step
from pipeline.delivery import format_time


def text(issue: IssueName, steps: Sequence[Step], logs: Logs, found: Answer) -> list[str]:
    """Return the lines for a terminal, without control characters: the logs quote what others wrote."""
    count = f"{len(steps) or 'no'} {'delivery' if len(steps) == 1 else 'deliveries'}"
    lines = [f"{issue}: {count}", ""]
    before: tuple[str, ...] = ()
    for step in steps:
        lines += _step(step, logs, before)
        before = step.routes.lines if step.routes else before
    if logs.left_out:
        lines += [f"The logs were left out: {logs.left_out.rstrip('.')}.", ""]
    if logs.cut:
        lines += [f"Only the newest {len(logs.lines)} log lines were read.", ""]
    return [printable(line) for line in (*lines, found.sentence)]


def as_json(issue: IssueName, steps: Sequence[Step], logs: Logs, found: Answer) -> dict[str, Any]:
    """Return the same for scripts."""
    return {
        "repository": issue.repository,
        "issue": issue.number,
        "deliveries": [_step_json(step) for step in steps],
        "logs": {"left_out": logs.left_out, "since": _time(logs.since), "cut": logs.cut},
        "has_card": found.has_card,
        "answer": found.sentence,
    }


def printable(line: str) -> str:
    """Return the line with a question mark for every character that a terminal may obey."""
    return "".join(character if character.isprintable() else "?" for character in line)


def _step(step: Step, logs: Logs, before: tuple[str, ...]) -> Iterator[str]:
    event = step.stored.event if step.stored else None
    by = f" by {event.sender}" if event and event.sender else ""
    at = step.at.strftime("%Y-%m-%d %H:%M:%S UTC") if step.at else "at an unknown time"
    yield f"{at}  {step.name}{by}  {step.delivery_id}"
    others = dict.fromkeys(line.function for line in step.lines if line.function not in FUNCTIONS)
    for function in (*FUNCTIONS, *others):
        for number, sentence in enumerate(_handled(step, function, logs)):
            yield f"  {'' if number else function:<13} {sentence}"
    if step.routes is not None:
        same = step.routes.lines == before
        for number, sentence in enumerate(("as above",) if same else step.routes.lines):
            yield f"  {'' if number else 'routes':<13} {sentence}"
    yield ""


def _handled(step: Step, function: str, logs: Logs) -> list[str]:
    """Return what the function did: by its lines, or else by what is stored."""
    lines = step.of(function)
    if lines:
        counts: dict[str, int] = {}
        for line in lines:
            counts[_did(line)] = counts.get(_did(line), 0) + 1
        return [f"{did} ({count} times)" if count > 1 else did for did, count in counts.items()]
    stored = step.stored
    if function == "ingest" and stored is not None:
        return [f"not in the logs; {stored.event.source} delivery"]
    if function == "stream_bq" and stored is not None:
        seconds = (
            (stored.inserted_at - stored.event.received_at).total_seconds() if stored.inserted_at else None
        )
        return ["stored" if seconds is None else f"stored after {max(seconds, 0):.1f} s"]
    return ["unknown without the logs" if logs.left_out else "nothing in the logs"]


def _did(line: LogLine) -> str:
    severity = f"{line.severity}: " if line.severity not in {"INFO", "DEFAULT"} else ""
    channel = f" in {line.channel}" if line.channel else ""
    reason = f" ({line.reason})" if line.reason else ""
    why = f": {line.why}" if line.why else ""
    return f"{severity}{line.outcome or line.message}{channel}{reason}{why}"


def _step_json(step: Step) -> dict[str, Any]:
    event = step.stored.event if step.stored else None
    return {
        "delivery_id": step.delivery_id,
        "event": step.name,
        "sender": event.sender if event else None,
        "source": event.source if event else None,
        "received_at": _time(event.received_at) if event else None,
        "event_at": _time(event.event_at) if event else None,
        "inserted_at": _time(step.stored.inserted_at) if step.stored else None,
        "stored": step.stored is not None,
        "payload_stored": step.stored.with_payload if step.stored else None,
        "log": [
            {
                "function": line.function,
                "at": _time(line.at),
                "severity": line.severity,
                "message": line.message,
                "outcome": line.outcome,
                "reason": line.reason,
                "why": line.why,
                "channel": line.channel,
            }
            for line in step.lines
        ],
        "routes": dict(step.routes.details) if step.routes else None,
        "makes_card_in": list(step.routes.channels) if step.routes else None,
        "why_no_card": step.routes.why_not if step.routes else None,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
