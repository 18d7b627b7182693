"""What became of a delivery in one function, in a few words; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

type _Fields = Mapping[str, Any]

# Outcomes of notify_slack that show the event; the others leave it alone on purpose.
_CARD = {
    "posted": "card posted",
    "updated": "card updated",
    "recorded": "card shows a later state already",
    "already_handled": "handled before",
    "folded": "folded",
    "already_folded": "folded before",
}
_OTHERS = {
    "stored": "row stored",
    "no_card": "not shown: there is no card to update, and the event makes none",
    "not_shown": "not shown",
}
_ACTIONS = {"add_label": "label {} added", "assign": "{} assigned", "comment": "comment posted"}
_ACTIONS |= {"close": "closed as {}"}
_SUBJECTS = {"add_label": "label {}", "assign": "assignee {}", "comment": "comment", "close": "close as {}"}
IGNORED = {"no_card", "not_shown", "ignored", "present", "removed", "changed"}
NOTHING_TO_DO = "ignored: no rule matches"  # what triage says of most deliveries

UNREACHABLE = "the function cannot be reached, or ended without an answer"
_PREFIXES = re.compile(
    r"^(?:The channel was not updated|Exception on \S+ \[\w+\]|Not stored|Not accepted|Refused"
    r"|(?:\w+\.)*(?:Unavailable|Busy|Malformed|Rejected|ConfigurationError|SlackRefused|NotFound"
    r"|Forbidden)): "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a log line says was done: where (a channel, an action, or ""), the log's word, and our text."""

    place: str
    word: str
    text: str


def outcome(part: str, message: str, fields: _Fields, channels: Mapping[str, str]) -> Outcome | None:
    """Return what a log line says was done, None if it says nothing of it.

    `channels` are Slack's names by their ids.
    """
    if "outcome" in fields:
        place = fields.get("channel")
        text = _shown(fields, channels)
        return Outcome(place=place if isinstance(place, str) else "", word=str(fields["outcome"]), text=text)
    if "result" in fields:
        return _action(message, fields)
    if part == "triage" and message.startswith(("Ignored: ", "Nothing to do")):
        return Outcome(place="", word="ignored", text=message[0].lower() + message[1:].rstrip("."))
    return None


def _action(message: str, fields: _Fields) -> Outcome:
    """Return what became of an action of triage."""
    what, value, result = (str(fields.get(name)) for name in ("what", "value", "result"))
    if result == "done":
        text = _ACTIONS.get(what, what).format(value)
    else:
        subject = _SUBJECTS.get(what, what).format(value)
        text = f"{subject}: {message[:1].lower()}{message[1:].rstrip('.')}"
    return Outcome(place=f"{what} {value}", word=result, text=text)


def _shown(fields: _Fields, channels: Mapping[str, str]) -> str:
    name = str(fields.get("outcome"))
    text = _CARD.get(name) or _OTHERS.get(name) or name.replace("_", " ")
    replied = fields.get("replied") in (True, "True", 1)
    if replied:
        text = "reply posted" if name in {"recorded", "already_handled"} else f"{text}, reply posted"
    channel = fields.get("channel")
    if isinstance(channel, str) and channel != "webhook" and name not in IGNORED:
        text += f" in #{channels.get(channel, channel)}"
    why = fields.get("why")
    return f"{text}: {why}" if isinstance(why, str) and why else text


def problem(message: str, reason: str | None) -> str:
    """Return what a failure's log line says, without what the functions put before it."""
    text = message
    while (shorter := _PREFIXES.sub("", text)) != text:
        text = shorter
    text = text.rstrip(".")
    is_said = reason is None or reason.removeprefix("slack_") in text
    return text if is_said else f"{text} ({reason})"


def dead(attempts: int, why: str) -> str:
    """Return that the message is held with the dead letters."""
    text = f"dead-lettered after {attempts} attempts"
    return f"{text}: {why}" if why else text


def retry(seconds: float | None, why: str) -> str:
    """Return that the function failed; `seconds` are those until the next attempt, None if not known."""
    when = "will be retried" if seconds is None else f"retry in {max(round(seconds), 1)} s"
    return f"{when}: {why}" if why else when
