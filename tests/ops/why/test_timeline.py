"""ops why: rows and log lines become one timeline."""

from datetime import timedelta

import pytest

from ops.why.timeline import IssueName, LogLine, timeline
from tests.ops.why.support import explained, line, stored
from tests.support.messages import NOON, an_issue


def test_an_issue_is_named_as_people_write_it() -> None:
    """An issue is OWNER/REPO#123."""
    assert IssueName.parse("acme/app.js#123") == IssueName(repository="acme/app.js", number=123)
    assert str(IssueName.parse("acme/app#7")) == "acme/app#7"


@pytest.mark.parametrize(
    "text",
    [
        *("", "acme/app", "acme/app#", "acme/app#0", "acme/app#x", "app#7", "acme/app#-7", "a/b#1#2"),
        *("acme/..#7", "acme/app#\u0667", "acme/app#7\n", "https://github.com/acme/app#7"),
        "acme/app#" + "9" * 30,
    ],
)
def test_other_texts_name_no_issue(text: str) -> None:
    """A text of another form is refused, also with other digits or a number that is too large."""
    assert IssueName.parse(text) is None


def test_each_delivery_is_one_step_in_the_order_of_receipt() -> None:
    """A delivery that is stored, logged or both is one step; its lines are with it."""
    first, second = stored(delivery_id="d-1"), stored(delivery_id="d-2", at=NOON + timedelta(hours=2))
    between = LogLine.read(
        "ingest", {"delivery_id": "d-3", "event": "issues", "action": "closed"}, at="2026-01-05T13:00:00Z"
    )
    lines = [line("ingest"), between, line("stream_bq"), line("ingest", delivery_id="")]
    found = timeline([explained(second), explained(first)], lines)
    assert [(step.delivery_id, step.name, len(step.lines)) for step in found] == [
        ("d-1", "issues.opened", 2),
        ("d-3", "issues.closed", 1),
        ("d-2", "issues.opened", 0),
        ("?", "issues.opened", 1),
    ]
    assert found[1].stored is None
    assert [len(found[0].of(name)) for name in ("ingest", "notify_slack", "stream_bq")] == [1, 0, 1]


def test_an_event_without_an_action_has_its_own_name() -> None:
    """An event without an action is named alone."""
    event = an_issue().opened()
    del event.payload["action"]
    [step] = timeline([explained(stored(event))], [])
    assert step.name == "issues"


@pytest.mark.parametrize(
    ("service", "function"),
    [
        ("notify-slack", "notify_slack"),
        ("team-notify-slack", "notify_slack"),
        ("stream_bq", "stream_bq"),
        ("ingest", "ingest"),
        ("latest-ingest", "ingest"),
        ("digest", "digest"),
        ("reingest", "reingest"),
    ],
)
def test_a_line_belongs_to_the_function_of_its_service(service: str, function: str) -> None:
    """A service is named as its function, with an optional prefix."""
    assert LogLine.read(service, {}).function == function


def test_a_line_is_read_whatever_its_fields_are() -> None:
    """Fields of other types are left out, and the severity of the entry wins."""
    read = LogLine.read(
        "ingest",
        {"message": 7, "channel": ["C1"], "why": None, "severity": "INFO"},
        at="no time",
        severity="ERROR",
    )
    assert (read.message, read.channel, read.why, read.at, read.severity) == ("", None, None, None, "ERROR")


def test_the_message_of_a_traceback_is_its_error() -> None:
    """Of a traceback the last line is kept, without the module of the error; else the first line."""
    traceback = "Exception on / [POST]\nTraceback (most recent call last):\n  x\n"
    traceback += "clients.slack.errors.SlackRefused: Invite it.\n"
    assert line(message=traceback).message == "SlackRefused: Invite it."
    assert line(message="one\ntwo").message == "one"
