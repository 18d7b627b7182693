"""The week's numbers of a channel, and their picture."""

import logging
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from clients.slack.errors import SlackRefused
from functions.digest.posting import Digest, Kind, post_once
from functions.digest.weekly import Upload, Weekly
from metrics.week_review import NamedWeek
from tests.support.workspace import Channel, Crash, running_workspace

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
    """Without the scope no channel's message has a picture, and one warning says how to get it."""
    monkeypatch.setattr("functions.digest.weekly.draw", lambda _: b"")

    def upload(*_: object) -> str:
        raise SlackRefused("missing_scope", "files:write")

    content = weekly(upload)
    with caplog.at_level(logging.WARNING):
        for message in (content.message("C1", ["acme/*"]), content.message("C2", ["other/*"])):
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


@pytest.fixture(scope="module")
def channel() -> Iterator[Channel]:
    """Return a channel of a workspace."""
    with running_workspace() as workspace:
        yield workspace.channel()


@pytest.mark.parametrize("call", [2, 3, 4, 5])
def test_a_crash_between_upload_and_check_leaves_one_message_with_its_picture(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """A run that ends before any call, also between upload and message, leaves one message in the end."""
    monkeypatch.setattr("functions.digest.weekly.draw", lambda _: b"\x89PNG\r\n\x1a\n")
    channel.clock.sleep(24 * 3600)
    before = len(channel.messages)

    def run() -> None:
        digest = Digest(kind=Kind.WEEKLY, now=channel.clock.now, zone=ZoneInfo("UTC"))
        content = weekly(channel.slack.upload)
        post_once(
            channel.slack,
            channel.id,
            digest,
            lambda: content.message(channel.id, ["acme/*"]),
            channel.clock.sleep,
        )

    def crash() -> None:
        raise Crash

    channel.slack.calls = 0
    channel.slack.before = {call: crash}
    with pytest.raises(Crash):
        run()
    channel.clock.sleep(60)
    run()
    [message] = channel.messages[before:]
    assert "slack_file" in message.blocks[-1]
