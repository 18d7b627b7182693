"""The week's numbers of a channel, and their picture."""

import logging
from datetime import date

import pytest

from clients.slack.errors import SlackRefused
from functions.digest.weekly import Upload, Weekly
from metrics.week_review import NamedWeek

WEEK = date(2026, 3, 9)
ROWS = [
    NamedWeek(repository_id=number, repository=name, week=week, opened=number, backlog=number)
    for week in (date(2026, 3, 2), WEEK)
    for number, name in ((1, "Acme/App"), (2, "other/app"))
]


def weekly(upload: Upload, rows: list[NamedWeek] | None = None) -> Weekly:
    """Return the numbers of two repositories."""
    return Weekly(rows=ROWS if rows is None else rows, durations=[], week=WEEK, upload=upload)


def no_upload(*_: object) -> str:
    """Fail: nothing should be uploaded."""
    raise AssertionError


@pytest.mark.slow
def test_the_numbers_have_the_backlog_as_their_picture() -> None:
    """A channel's message counts its repositories, whatever the case of their names, and shows a PNG."""
    uploads: list[tuple[str, bytes, str]] = []

    def upload(*picture: object) -> str:
        uploads.append(picture)  # type: ignore[arg-type]
        return "F1"

    message = weekly(upload).message("C1", ["acme/*"])
    assert message
    assert "1 opened" in message.text
    [(name, content, described)] = uploads
    assert (name, content[:8]) == ("backlog.png", b"\x89PNG\r\n\x1a\n")
    assert message.blocks[-1] == {"type": "image", "slack_file": {"id": "F1"}, "alt_text": described}


def test_the_numbers_go_without_a_picture_that_slack_refuses(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the scope the message has no picture, and one warning says how to get it."""
    monkeypatch.setattr("functions.digest.weekly.draw", lambda _: b"")

    def upload(*_: object) -> str:
        raise SlackRefused("missing_scope", "files:write")

    with caplog.at_level(logging.WARNING):
        message = weekly(upload).message("C1", ["acme/*"])
    assert message
    assert all(block["type"] != "image" for block in message.blocks)
    [record] = caplog.records
    assert (record.levelname, record.reason) == ("WARNING", "slack_missing_scope")  # type: ignore[attr-defined]
    assert "lacks the scope files:write; install the app again from config/slack-app.yaml" in record.message


def test_a_first_week_has_no_picture() -> None:
    """One point is no chart, so nothing is drawn or uploaded."""
    message = weekly(no_upload, ROWS[2:]).message("C1", ["acme/*"])
    assert message
    assert all(block["type"] != "image" for block in message.blocks)


def test_a_channel_of_which_nothing_is_known_has_no_message() -> None:
    """Without an event of the channel's repositories there is nothing to say."""
    assert weekly(no_upload).message("C1", ["nobody/*"]) is None
