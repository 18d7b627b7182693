"""What the functions log is said in a few words."""

from typing import Any

import pytest

from local.feed import wording
from local.feed.sources import headline

TRACEBACK = "Traceback (most recent call last):\n  File x\nValueError: no"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"outcome": "posted", "channel": "C1"}, "card posted in #issues"),
        ({"outcome": "updated", "channel": "C1", "replied": True}, "card updated, reply posted in #issues"),
        ({"outcome": "already_handled", "channel": "C9", "replied": False}, "handled before in #C9"),
        ({"outcome": "recorded", "channel": "C1", "replied": True}, "reply posted in #issues"),
        ({"outcome": "posted", "channel": "webhook"}, "card posted"),
        ({"outcome": "not_shown", "why": "it is muted"}, "not shown: it is muted"),
        ({"outcome": "stored"}, "row stored"),
        ({"outcome": "dry_run", "why": "no rule matches"}, "dry run: no rule matches"),
    ],
)
def test_outcome(fields: dict[str, Any], text: str) -> None:
    """Each outcome has its words; one that is not known here is said as the function says it."""
    found = wording.outcome("notify_slack", "", fields, {"C1": "issues"})
    assert found is not None
    assert (found.place, found.word, found.text) == (fields.get("channel", ""), fields["outcome"], text)


@pytest.mark.parametrize(
    ("what", "value", "result", "message", "text"),
    [
        ("add_label", "bug", "done", "Done", "label bug added"),
        ("assign", "kim", "done", "Done", "kim assigned"),
        ("comment", "Thanks!", "done", "Done", "comment posted"),
        ("close", "duplicate", "done", "Done", "closed as duplicate"),
        ("add_label", "bug", "removed", "Not done: taken off", "label bug: not done: taken off"),
        ("comment", "Thanks!", "would", "Would be done.", "comment: would be done"),
    ],
)  # fmt: skip
def test_actions_of_triage(what: str, value: str, result: str, message: str, text: str) -> None:
    """Each action says what it did, or why it did nothing; each has a place of its own."""
    fields = {"what": what, "value": value, "result": result, "rule": "r"}
    found = wording.outcome("triage", message, fields, {})
    assert found == wording.Outcome(place=f"{what} {value}", word=result, text=text)


def test_what_triage_ignores() -> None:
    """An event without an action says why; other lines say nothing of an outcome."""
    found = wording.outcome("triage", "Ignored: no rule matches", {"reason": "no_rule_matches"}, {})
    assert found == wording.Outcome(place="", word="ignored", text=wording.NOTHING_TO_DO)
    assert wording.outcome("stream_bq", "Ignored: x", {}, {}) is None


@pytest.mark.parametrize(
    ("message", "reason", "text"),
    [
        ("The channel was not updated: Slack is away.", "lost", "Slack is away (lost)"),
        ("SlackRefused: Slack answered fatal_error: x", "slack_fatal_error", "Slack answered fatal_error: x"),
        ("Exception on / [POST]: Other work comes first.", None, "Other work comes first"),
        ("Not accepted: Unavailable: no", None, "no"),
        ("KeyError: 'x'", None, "KeyError: 'x'"),
    ],
)  # fmt: skip
def test_problem(message: str, reason: str | None, text: str) -> None:
    """What the functions and the framework put before a problem is left out, and a reason that it names."""
    assert wording.problem(message, reason) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Not accepted: no.\n" + TRACEBACK, "Not accepted: no."),
        ("Exception on / [POST]\n" + TRACEBACK, "ValueError: no"),
        ("Not stored\n" + TRACEBACK, "ValueError: no"),
        ("Stored", "Stored"),
    ],
)
def test_headline(message: str, text: str) -> None:
    """Of a message with a traceback, the first line is said, or the error if that line says little."""
    assert headline(message, "ValueError: no") == text
