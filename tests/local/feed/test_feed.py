"""The feed keeps what happened in order, and hands it to everybody who waits for it."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.feed.feed import KEPT, Feed
from tests.local.feed.fake_stack import FakeStack
from tests.local.feed.happenings import ID, report

SECONDS = 10.0


@pytest.fixture
def stack(tmp_path: Path) -> FakeStack:
    """Return a stack whose parts do nothing."""
    return FakeStack(tmp_path)


@pytest.fixture
def feed(stack: FakeStack) -> Iterator[Feed]:
    """Return a feed that runs."""
    with Feed(stack) as feed:  # type: ignore[arg-type]
        yield feed


def test_log_line(stack: FakeStack, feed: Feed) -> None:
    """A log line is in the feed soon, and in the delivery that it is about."""
    line = {
        "severity": "INFO",
        "message": "Published",
        "message_id": "1",
        "delivery_id": ID,
        "event": "issues",
    }
    (stack.folder / "ingest.log").write_text(json.dumps(line) + "\n")
    [happening] = feed.wait(0, SECONDS)
    assert (happening.part, happening.kind, happening.text) == ("ingest", "line", "Published")
    assert feed.deliveries()[0] == feed.delivery(ID)
    assert feed.deliveries()[0].status == 202


def test_slack(stack: FakeStack, feed: Feed) -> None:
    """A message that Slack takes, changes or deletes is told with the delivery that it shows."""
    payload = {"issue": "1#7", "updated_at": "", "deliveries": ["other", ID], "schema": 1}
    message = {"channel": "C0123456789", "text": "a card"}
    card = message | {"metadata": {"event_type": "issuewire_card", "event_payload": payload}}
    ts = stack.slack.workspace.call("chat.postMessage", card)["ts"]
    stack.slack.workspace.call("chat.update", message | {"ts": ts, "text": "changed"})
    stack.slack.workspace.call("chat.delete", {"channel": "C0123456789", "ts": ts})
    assert [(each.kind, each.text, each.delivery_id) for each in feed.since(0)] == [
        ("posted", "card posted in #issues", ID),
        ("updated", "card updated in #issues", ID),
        ("deleted", "card deleted in #issues", ID),
    ]


def test_pushes(stack: FakeStack, feed: Feed) -> None:
    """What Pub/Sub reports is told at once."""
    assert stack.pubsub_server is not None
    stack.pubsub_server.report(report("notify_slack", status=500, problem="was answered 500", seconds=2.0))
    [happening] = feed.since(0)
    assert happening.text == "notify_slack: attempt 1 was answered 500; the next one in 2 s"
    assert feed.deliveries()[0].functions["notify_slack"].state == "retrying"


def test_without_reports(stack: FakeStack) -> None:
    """With Google's emulator, which reports nothing, the feed says so once."""
    stack.pubsub_server = None
    with Feed(stack) as feed:  # type: ignore[arg-type]
        assert ["emulator" in each.text for each in feed.since(0)] == [True]


def test_wait(feed: Feed) -> None:
    """A reader that waits is woken by what comes, and otherwise gets nothing when its time is over."""
    assert feed.wait(0, 0.01) == []
    found: list[Any] = []
    reader = threading.Thread(target=lambda: found.extend(feed.wait(0, SECONDS)))
    reader.start()
    feed.tell(part="stack", kind="note", text="one")
    reader.join(SECONDS)
    assert [each.text for each in found] == ["one"]


def test_bounded(feed: Feed) -> None:
    """Only the newest happenings are kept; numbers go on, and a reader that is behind gets what is left."""
    for number in range(KEPT + 3):
        feed.tell(part="stack", kind="note", text=str(number))
    assert [each.number for each in feed.since(KEPT + 1)] == [KEPT + 2, KEPT + 3]
    assert [each.number for each in feed.since(0)][:1] == [4]
    assert feed.since(KEPT + 99) == []


def test_clean(feed: Feed) -> None:
    """What others wrote is one short line without characters that a terminal obeys."""
    feed.tell(
        part="stack",
        kind="note",
        text="\x1b[31mred\n\u202e" + "x" * 5000,
        repository="a/\x07",
        big="y" * 5000,
    )
    [happening] = feed.since(0)
    assert happening.text.startswith("?[31mred??x")
    assert len(happening.text) == 500
    assert (happening.repository, len(happening.fields["big"])) == ("a/?", 1000)
    assert json.loads(json.dumps(happening.as_json()))["text"] == happening.text


def test_unreadable_logs(stack: FakeStack, feed: Feed) -> None:
    """Logs that cannot be read are reported once, and read again when they can be."""
    log = stack.folder / "ingest.log"
    log.symlink_to(stack.folder / "nothing")
    [happening] = feed.wait(0, SECONDS)
    assert "cannot be read" in happening.text
    log.unlink()
    log.write_text('{"message": "Ping answered"}\n')
    [happening] = feed.wait(1, SECONDS)
    assert happening.text == "Ping answered"
