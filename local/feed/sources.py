"""What a log line, a push and a change in Slack say, as the feed keeps it; pure."""

import re
from collections.abc import Mapping
from typing import Any

from local.feed.happening import level_of
from local.pubsub.push import PushReport
from local.slack.message import Message
from ops.why.timeline import LogLine

_SAYS_LITTLE = re.compile(r"Exception (?:on|in) |Not stored$")

type Told = dict[str, Any]  # the arguments of Feed.tell

# Fields of a log line that a happening has under its own name, or that only Cloud Logging reads.
_LEFT_OUT = {"part", "kind", "text", "level", "delivery_id", "event", "repository", "issue", "message"}
_LEFT_OUT |= {"trace", "logging.googleapis.com/trace"}


def of_line(function: str, fields: Mapping[str, Any]) -> Told:
    """Return what a function's log line says."""
    line, issue = LogLine.read(function, fields), fields.get("issue")
    return {
        "part": function,
        "kind": "line",
        "text": headline(str(fields.get("message", "")), line.message),
        "level": level_of(line.severity),
        "delivery_id": line.delivery_id,
        "event": line.event,
        "repository": _text(fields, "repository"),
        "issue": issue if isinstance(issue, int) else None,
        **{name: value for name, value in fields.items() if name not in _LEFT_OUT},
    }


def headline(message: str, error: str) -> str:
    """Return the line of a log message that says most; `error` is the last one of its traceback."""
    first, _, rest = message.partition("\n")
    return error if rest and _SAYS_LITTLE.match(first) else first


def of_push(report: PushReport, functions: Mapping[str, str]) -> Told:
    """Return what became of a push; `functions` are the functions by their subscriptions."""
    attributes = dict(report.message.attributes)
    function = functions.get(report.subscription, report.subscription)
    action = attributes.get("action")
    if report.dead:
        kind, level = "dead_letter", "error"
        text = f"{function}: dead-lettered after {report.attempt} attempts"
    elif report.seconds is None:
        kind, level = "acknowledged", "info"
        text = f"{function}: acknowledged"
    else:
        kind, level = "retry", "warning"
        text = (
            f"{function}: attempt {report.attempt} {report.problem}; the next one in {report.seconds:.0f} s"
        )
    event = attributes.get("event")
    return {
        "part": "pubsub",
        "kind": kind,
        "text": text,
        "level": level,
        "delivery_id": attributes.get("delivery_id"),
        "event": f"{event}.{action}" if event and action else event,
        "repository": attributes.get("repository"),
        "function": function,
        "message_id": report.message.message_id,
        "attempt": report.attempt,
        "status": report.status,
        "seconds": report.seconds,
        "problem": report.problem or None,
        "only": attributes.get("only"),
    }


def of_message(what: str, message: Message, channels: Mapping[str, str]) -> Told:
    """Return what was done to a message of Slack; `channels` are their names by their ids."""
    payload = (message.metadata or {}).get("event_payload") or {}
    kind = {"issuewire_card": "card", "issuewire_reply": "reply", "issuewire_fold": "burst message"}.get(
        str((message.metadata or {}).get("event_type")), "reply" if message.thread_ts else "message"
    )
    ids = payload.get("deliveries") or [None]
    return {
        "part": "slack",
        "kind": what,
        "text": f"{kind} {what} in #{channels.get(message.channel, message.channel)}",
        "delivery_id": payload.get("delivery_id") or ids[-1],
        "channel": message.channel,
        "ts": message.ts,
        "thread_ts": message.thread_ts,
    }


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None
