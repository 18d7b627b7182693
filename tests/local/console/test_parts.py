"""The parts of the flow: state, count, backlog and delay of each."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.pubsub_v1 import types

from local.console.flow import parts_of
from local.console.server import Console
from local.feed.feed import Feed
from local.feed.happening import Happening
from local.stack.topics import PROJECT, topic_path
from tests.local.console.conftest import FakeStack


def happening(part: str, kind: str, text: str = "", **fields: Any) -> Happening:
    """Return one thing that the feed tells."""
    return Happening(
        number=1, at=datetime.now(UTC), part=part, kind=kind, delivery_id=None, event=None,
        repository=None, issue=None, text=text, level="info", fields=fields,
    )  # fmt: skip


def part(console: Console, name: str) -> dict[str, Any]:
    """Return one part as the page gets it, made again."""
    console._parts._made = None
    return next(each for each in console._row()["parts"] if each["name"] == name)


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        (happening("ingest", "line", "Published", message_id="1"), ("ingest", "pubsub")),
        (happening("ingest", "line", "Refused: the signature is wrong", status=401), ("ingest",)),
        (happening("ingest", "line", "A newer secret is used"), ()),
        (happening("pubsub", "acknowledged", function="stream_bq"), ("stream_bq",)),
        (happening("pubsub", "retry", function="stream_bq"), ()),
        (happening("slack", "posted"), ("slack",)),
        (happening("slack", "updated"), ()),
        (happening("reconcile", "line", "Reconciled"), ("reconcile",)),
        (happening("stream_bq", "line", "Stored", outcome="stored"), ()),
    ],
)
def test_each_part_counts_what_it_has_handled(told: Happening, counted: tuple[str, ...]) -> None:
    """A delivery counts once at each part that it passes."""
    assert parts_of(told) == counted


def test_without_reports_a_function_counts_by_its_log() -> None:
    """Google's emulator reports no pushes, so the lines that say an outcome count."""
    told = happening("stream_bq", "line", "Stored", outcome="stored")
    assert parts_of(told, reported=False) == ("stream_bq",)


def test_what_waits_is_counted_by_subscription(console: Console, stack: FakeStack) -> None:
    """Pub/Sub's backlog is that of its subscriptions; what is held as a dead letter is told apart."""
    service = stack.pubsub_server._service
    hold = types.Subscription(
        name=f"projects/{PROJECT}/subscriptions/github-events-dead-hold",
        topic=topic_path("github-events-dead"),
    )
    service.create_subscription(hold)
    service.pause(paused=True)
    for topic in ("github-events", "github-events", "github-events-dead"):
        message = types.PubsubMessage(data=b"{}", attributes={"only": "nobody"})
        service.publish(types.PublishRequest(topic=topic_path(topic), messages=[message]))
    found = part(console, "pubsub")
    assert found["backlogs"] == {"notify-slack": 2, "stream-bq": 2}
    assert (found["backlog"], found["held"]) == (4, 1)
    assert found["note"] == "notify-slack 2, stream-bq 2; 1 held as dead letters"
    assert part(console, "stream_bq")["backlog"] == 2


def test_a_delay_is_the_median_of_the_last_deliveries(console: Console, feed: Feed) -> None:
    """A function's delay counts from the delivery to its end; what is tried again now is noted."""
    for number in range(3):
        one = {"delivery_id": f"d-{number}", "event": "issues.opened"}
        feed.tell(part="ingest", kind="line", text="Published", message_id=f"{number}", **one)
        report = {"part": "pubsub", "function": "stream_bq", "message_id": f"{number}", "attempt": 1}
        kind = "retry" if number == 2 else "acknowledged"
        more = (
            {"status": 500, "seconds": 1.0, "problem": "was answered 500"} if number == 2 else {"status": 200}
        )
        feed.tell(kind=kind, text="", **one, **report, **more)
    found = part(console, "stream_bq")
    assert found["delay_ms"] is not None
    assert found["delay_ms"] < 5_000
    assert found["note"] == "1 tried again"
    assert part(console, "notify_slack")["delay_ms"] is None


def test_a_part_shows_how_it_is(console: Console, stack: FakeStack) -> None:
    """Up, broken by a switch, paused, or down with its process."""
    assert {each["state"] for each in console._row()["parts"]} == {"up"}
    console.switches.turn("slack", "429")
    console.switches.turn("pubsub", "stops")
    stack.children["stream_bq"].ended = "exit status 1"
    states = {name: part(console, name)["state"] for name in ("slack", "pubsub", "stream_bq", "ingest")}
    assert states == {"slack": "broken", "pubsub": "paused", "stream_bq": "down", "ingest": "up"}


def test_ingest_is_as_fast_as_its_answers(console: Console, stack: FakeStack) -> None:
    """The delay of ingest is how long GitHub waited for the answers that accepted a delivery."""
    assert part(console, "ingest")["delay_ms"] is None
    console.simulator.carry_out({"do": "open"})
    stack.github.github.hooks.wait()
    assert part(console, "ingest")["delay_ms"] >= 0
    assert part(console, "github")["count"] == 1
