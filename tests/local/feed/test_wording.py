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
    assert wording.outcome(fields, {"C1": "issues"}) == text


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
