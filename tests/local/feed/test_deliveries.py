"""What became of a delivery is reduced from the functions' lines and Pub/Sub's reports."""

from collections.abc import Iterable
from typing import Any

import pytest

from local.feed.deliveries import KEPT, Deliveries, DeliverySummary
from local.feed.happening import Happening
from tests.local.feed.happenings import CHANNELS, ID, SUBSCRIBERS, Story


@pytest.fixture
def story() -> Story:
    """Return a story that has not begun."""
    return Story()


def reduce(happenings: Iterable[Happening], *, reported: bool = True) -> DeliverySummary:
    """Return the delivery after all that happened."""
    deliveries = Deliveries(SUBSCRIBERS, CHANNELS, reported=reported)
    for happening in happenings:
        deliveries.apply(happening)
    found = deliveries.get(ID)
    assert found is not None
    return found


def card_and_row(story: Story) -> None:
    """Have a delivery handled by both subscribers at the first attempt."""
    story.line("ingest", "Published")
    story.now += 0.2
    story.push("notify_slack")
    story.line("notify_slack", "The message was posted.", outcome="posted", channel="C1", ts="1.2")
    story.push("stream_bq")
    story.line("stream_bq", "Stored", outcome="stored")


def test_card_and_row(story: Story) -> None:
    """A delivery that both subscribers have handled is settled; what they did is in words."""
    card_and_row(story)
    found = reduce(story.happenings)
    assert (found.event, found.repository, found.issue) == ("issues.opened", "acme/app", 7)
    assert (found.status, found.answer, found.is_settled) == (202, "published", True)
    card, row = found.functions["notify_slack"], found.functions["stream_bq"]
    assert (card.state, card.text, card.attempts, card.seconds) == ("done", "card posted in #issues", 1, 0.2)
    assert (row.state, row.text) == ("done", "row stored")


@pytest.mark.parametrize("reported", [True, False])
def test_order_of_sources(story: Story, *, reported: bool) -> None:
    """In whatever order the logs and the reports are read, the end is the same."""
    card_and_row(story)
    lines = [each for each in story.happenings if reported or each.part != "pubsub"]
    for happenings in (lines, [*lines[2:], *lines[:2]], lines[::-1]):
        found = reduce(happenings, reported=reported)
        assert found.is_settled
        assert [each.text for each in found.functions.values()] == ["card posted in #issues", "row stored"]


def test_waiting(story: Story) -> None:
    """A published delivery waits for its subscribers; a line before the end of an attempt settles nothing."""
    story.line("ingest", "Published")
    assert not reduce(story.happenings).is_settled
    story.line("notify_slack", "The message was posted.", outcome="posted", channel="C1")
    assert reduce(story.happenings).functions["notify_slack"].state == "waiting"


def test_ignored(story: Story) -> None:
    """What notify_slack leaves alone says why, and differs from what it has shown."""
    story.line("ingest", "Published")
    story.push("notify_slack")
    story.line("notify_slack", "The event is not shown.", outcome="not_shown", why="no route matches")
    found = reduce(story.happenings).functions["notify_slack"]
    assert (found.state, found.text) == ("ignored", "not shown: no route matches")


def test_retry_and_success(story: Story) -> None:
    """A failed attempt says why and when the next one is; the success counts the attempts."""
    story.line("ingest", "Published")
    story.refused_by_slack(1, 1.0)
    found = reduce(story.happenings).functions["notify_slack"]
    assert (found.state, found.attempts, found.reason) == ("retrying", 1, "slack_unavailable")
    assert found.text == "retry in 1 s: Slack answered 500 (slack_unavailable)"
    story.now = 1.0
    story.refused_by_slack(2, 2.0)
    assert reduce(story.happenings).functions["notify_slack"].text.startswith("retry in 2 s: ")
    story.now = 3.0
    story.push("notify_slack", 3)
    story.line("notify_slack", "The message was posted.", outcome="posted", channel="C1")
    found = reduce(story.happenings).functions["notify_slack"]
    assert (found.state, found.attempts, found.text) == ("done", 3, "card posted in #issues")
    assert (found.reason, found.retry_at, found.seconds) == (None, None, 3.0)
    story.line("notify_slack", "Some library warns", "WARNING", reason="warning")
    assert reduce(story.happenings).functions["notify_slack"].reason is None


def test_killed_function(story: Story) -> None:
    """A function that logs nothing, since it does not run, is said to be out of reach."""
    story.push("notify_slack", status=None, problem="failed: ConnectionRefusedError(111)", seconds=1.0)
    found = reduce(story.happenings).functions["notify_slack"]
    assert "cannot be reached" in found.text
    assert found.reason is None


def test_one_channel_of_two(story: Story) -> None:
    """A delivery that one channel has and another lacks is retried; both are named in the end."""
    story.line("ingest", "Published")
    story.line("notify_slack", "The message was posted.", outcome="posted", channel="C2")
    happenings = story.refused_by_slack(1, 1.0)
    for reported in (True, False):
        assert reduce(story.happenings, reported=reported).functions["notify_slack"].state == "retrying"
    story.push("notify_slack", 2)
    story.line("notify_slack", "The message was posted.", outcome="posted", channel="C1")
    for reported in (True, False):
        found = reduce(story.happenings, reported=reported).functions["notify_slack"]
        assert (found.state, found.attempts) == ("done", 2)
        assert found.text == "card posted in #bugs, card posted in #issues"
    assert happenings


def test_without_reports(story: Story) -> None:
    """Without reports of Pub/Sub, attempts are counted from the logs; when the next one is, is not known."""
    story.line("ingest", "Published")
    story.refused_by_slack(1, 1.0)
    story.refused_by_slack(2, 1.0)
    lines = [happening for happening in story.happenings if happening.part != "pubsub"]
    found = reduce(lines, reported=False).functions["notify_slack"]
    assert (found.state, found.attempts) == ("retrying", 2)
    assert found.text == "will be retried: Slack answered 500 (slack_unavailable)"


def test_what_an_earlier_attempt_did(story: Story) -> None:
    """An action that the second attempt finds done was done by the first one."""
    for attempt, result in enumerate(("done", "present"), 1):
        story.push("stream_bq", attempt)
        story.line("stream_bq", "It is there", what="add_label", value="bug", result=result)
    assert reduce(story.happenings).functions["stream_bq"].text == "label bug added"


def test_dead_letter(story: Story) -> None:
    """A message that used up its attempts is held, with the last reason."""
    story.refused_by_slack(100, 0.0)
    story.push("notify_slack", 100, dead=True, status=None)
    found = reduce(story.happenings).functions["notify_slack"]
    assert (found.state, found.is_final) == ("dead", True)
    assert found.text == "dead-lettered after 100 attempts: Slack answered 500 (slack_unavailable)"


@pytest.mark.parametrize(
    ("message", "fields", "status", "answer"),
    [
        ("Ping answered", {}, 200, "pong"),
        (
            "Not published: EVENTS does not name this event",
            {},
            202,
            "not published: EVENTS does not name the event",
        ),
        (
            "Refused: X-Hub-Signature-256 is wrong.",
            {"severity": "WARNING", "status": 401, "reason": "signature"},
            401,
            "refused: X-Hub-Signature-256 is wrong (signature)",
        ),
        (
            "Not accepted: Pub/Sub did not confirm.",
            {"severity": "ERROR", "reason": "publish"},
            503,
            "not accepted: Pub/Sub did not confirm (publish)",
        ),
    ],
)
def test_not_published(story: Story, message: str, fields: dict[str, Any], status: int, answer: str) -> None:
    """What ingest does not publish is settled by its answer."""
    story.line("ingest", message, message_id=None, **fields)
    found = reduce(story.happenings)
    assert (found.status, found.answer, found.is_settled) == (status, answer, True)


def test_other_lines_of_ingest(story: Story) -> None:
    """A line of ingest that is not its answer makes no delivery."""
    story.line(
        "ingest", "The secret ends in a line break", "WARNING", reason="secret_unclean", message_id=None
    )
    deliveries = Deliveries(SUBSCRIBERS, CHANNELS, reported=True)
    assert [deliveries.apply(each) for each in story.happenings] == [None]


def test_request_without_an_id(story: Story) -> None:
    """A refused request without a delivery id is a delivery with an id of its own."""
    story.line("ingest", "Refused: no.", "WARNING", status=401, message_id=None, delivery_id=None)
    deliveries = Deliveries(SUBSCRIBERS, CHANNELS, reported=True)
    found = deliveries.apply(story.happenings[0])
    assert found is not None
    assert (found.delivery_id, found.status) == ("no-id-1", 401)


def test_redelivery(story: Story) -> None:
    """A redelivery begins again under the same id, also if a subscriber is read before ingest."""
    card_and_row(story)
    story.now = 60.0
    story.push("stream_bq", message_id="2")
    story.line("stream_bq", "Stored", outcome="stored", message_id="2")
    story.line("ingest", "Published", message_id="2")
    found = reduce(story.happenings)
    assert (found.times, found.is_settled) == (2, False)
    assert found.functions["notify_slack"].state == "waiting"
    assert found.functions["stream_bq"].state == "done"
    story.line("notify_slack", "late line of the first message", outcome="updated", message_id="1")
    assert reduce(story.happenings).functions["notify_slack"].text == ""


def test_github_is_heard_first(story: Story) -> None:
    """One answer that is told twice, by GitHub and then by ingest's log, is one."""
    story.tell(part="github", kind="delivered", text="OK", delivery_id=ID, status=202)
    card_and_row(story)
    found = reduce(story.happenings)
    assert (found.times, found.answer, found.is_settled) == (1, "published", True)


def test_replay_for_one(story: Story) -> None:
    """A replay that is meant for one subscriber leaves what the other one did."""
    card_and_row(story)
    for function in SUBSCRIBERS:
        story.push(function, message_id="2", only="stream-bq")
    story.line(
        "notify_slack",
        "Not for this subscription",
        only="stream-bq",
        reason="meant_for_another",
        message_id="2",
    )
    story.line("stream_bq", "Stored", outcome="stored", message_id="2")
    found = reduce(story.happenings)
    assert {name: each.text for name, each in found.functions.items()} == {
        "notify_slack": "card posted in #issues", "stream_bq": "row stored",
    }  # fmt: skip
    assert found.is_settled


def test_ingest_was_down(story: Story) -> None:
    """What GitHub could not deliver is known by GitHub's status; ingest's own line wins if there is one."""
    story.tell(part="github", kind="delivered", text="no answer", delivery_id=ID, status=502)
    assert reduce(story.happenings).status == 502
    story.line("ingest", "Published")
    story.tell(part="github", kind="delivered", text="OK", delivery_id=ID, status=202)
    assert (reduce(story.happenings).status, reduce(story.happenings).answer) == (202, "published")


def test_bounded() -> None:
    """Only the newest deliveries are kept, the newest first."""
    story, deliveries = Story(), Deliveries(SUBSCRIBERS, CHANNELS, reported=True)
    for number in range(KEPT + 5):
        deliveries.apply(story.line("ingest", "Published", delivery_id=f"id-{number}"))
    assert [each.delivery_id for each in deliveries.latest(2)] == [f"id-{KEPT + 4}", f"id-{KEPT + 3}"]
    assert deliveries.get("id-0") is None
    deliveries.apply(story.line("ingest", "Published", delivery_id="id-9", message_id="2"))
    assert deliveries.latest(1)[0].delivery_id == "id-9"
