"""The reason is the last error that the function logged about the delivery."""

from typing import Any

import pytest

from ops.dead_letters import reasons
from ops.dead_letters.letter import Letter
from ops.gcloud import NotRead
from tests.ops.dead_letters.test_letter import letter

GAVE_UP = "CloudPubSubDeadLetterSourceSubscription"
TRACEBACK = (
    "Not stored\nTraceback (most recent call last):\n  x\npipeline.errors.Unavailable: T took no row.\n"
)


def letters(count: int = 2) -> list[Letter]:
    """Return letters of deliveries d-0, d-1, ... that notify-slack gave up on."""
    return [letter(delivery_id=f"d-{number}", **{GAVE_UP: "notify-slack"}) for number in range(count)]


def entry(delivery_id: str, service: str = "notify-slack", **fields: Any) -> dict[str, Any]:
    """Return an entry as gcloud prints it."""
    payload = {"delivery_id": delivery_id, **fields}
    return {"resource": {"labels": {"service_name": service}}, "jsonPayload": payload}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"message": TRACEBACK, "reason": "bigquery_failed"}, "bigquery_failed: T took no row."),
        (
            {"message": "Wrong configuration: A is not set", "reason": "x"},
            "x: Wrong configuration: A is not set",
        ),
        ({"message": "Traceback:\nKeyError"}, "KeyError"),
        ({}, ""),
    ],
)
def test_the_sentence_of_a_line(fields: dict[str, Any], expected: str) -> None:
    """It is the line's reason and its message, or the error at the end of its traceback."""
    assert reasons.sentence(fields) == expected


def test_each_letter_has_its_newest_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest error counts, of the subscription that gave up alone; other entries do no harm."""
    entries: list[dict[str, Any]] = [
        {},
        {"jsonPayload": "text", "resource": None},
        entry("d-0", "stream-bq", message="of another", reason="other"),
        entry("d-0", message="new", reason="slack_failed"),
        entry("d-0", message="old", reason="slack_failed"),
    ]
    monkeypatch.setattr(reasons, "read_logs", lambda *_: entries)
    first, second = letters()
    found = reasons.from_cloud("p", [first, second])
    assert (found.of(first), found.of(second), found.left_out) == ("slack_failed: new", None, None)
    assert found.of(letter()) is None


def test_the_filter_asks_for_errors_of_these_deliveries() -> None:
    """Only errors of the functions that gave up, about these deliveries, are asked for."""
    assert reasons.log_filter(letters()) == (
        'resource.type="cloud_run_revision" AND severity>=ERROR'
        ' AND timestamp>="2026-01-05T12:00:00.000000Z"'
        ' AND resource.labels.service_name=("notify-slack") AND jsonPayload.delivery_id=("d-0" OR "d-1")'
    )


def test_what_cannot_be_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """If gcloud cannot read, and if there are too many messages, the reason for that is given."""

    def fail(*_: object) -> list[dict[str, Any]]:
        raise NotRead("gcloud is not installed")

    monkeypatch.setattr(reasons, "read_logs", fail)
    assert reasons.from_cloud("p", letters()).left_out == "gcloud is not installed"
    assert reasons.from_cloud("p", [letter()]).left_out is None  # a message that no log can name
    monkeypatch.setattr(reasons, "read_logs", lambda *_: [])
    assert reasons.from_cloud("p", letters(101)).left_out == "only those of the first 100 are read"
