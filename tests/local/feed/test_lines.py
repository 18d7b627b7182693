"""The terminal gets one line of each delivery when it is handled, and one for what comes later."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from local.feed.deliveries import Deliveries
from local.feed.happening import Happening
from local.feed.lines import DeliveryLines, Line
from tests.local.feed.happenings import CHANNELS, ID, START, SUBSCRIBERS, Story


class Screen:
    """Applies what happens in a story, and asks for the lines at its moments."""

    def __init__(self, subscribers: Sequence[str] = SUBSCRIBERS) -> None:
        self.story = Story()
        self._deliveries = Deliveries(subscribers, CHANNELS, reported=True)
        self._lines = DeliveryLines()
        self._applied = 0

    def at(self, seconds: float) -> list[Line]:
        """Return the lines that are printed at this moment, after all that has happened."""
        happenings: list[Happening] = self.story.happenings[self._applied :]
        self._applied = len(self.story.happenings)
        changed = {found.delivery_id: found for each in happenings if (found := self._deliveries.apply(each))}
        self.story.now = seconds
        return self._lines.update(changed.values(), START + timedelta(seconds=seconds))

    def texts(self, seconds: float) -> list[str]:
        """Return their texts."""
        return [line.text for line in self.at(seconds)]


@pytest.fixture
def screen() -> Screen:
    """Return a screen on which nothing was printed."""
    return Screen()


def stored(story: Story, **fields: str) -> None:
    """Have stream_bq store the delivery."""
    story.push("stream_bq")
    story.line("stream_bq", "Stored", outcome="stored", **fields)


def test_one_line(screen: Screen) -> None:
    """The line comes once ingest has answered and both subscribers have handled it, and only once."""
    story = screen.story
    story.line("ingest", "Published")
    stored(story)
    assert screen.at(0.1) == []
    story.push("notify_slack")
    assert screen.at(0.2) == []
    story.line("notify_slack", "The message was posted.", outcome="posted", channel="C1")
    [line] = screen.at(0.4)
    assert (line.event, line.issue, line.status, line.level) == ("issues.opened", "acme/app#7", "202", "info")
    assert line.text == "card posted in #issues; row stored"
    assert line.at == START
    assert screen.at(5) == []


def test_what_takes_longer(screen: Screen) -> None:
    """After two seconds the line says what is known; a further one says the rest when it has come."""
    screen.story.line("ingest", "Published")
    stored(screen.story)
    assert screen.texts(1.9) == []
    assert screen.texts(2.0) == ["notify_slack has not answered yet; row stored"]
    assert screen.texts(2.5) == []
    screen.story.push("notify_slack")
    screen.story.line("notify_slack", "The message was posted.", outcome="posted", channel="C1")
    assert screen.texts(3.0) == ["card posted in #issues"]


def test_retry_and_success(screen: Screen) -> None:
    """A failure is told at once with its reason, further ones are not, and the success is."""
    story = screen.story
    story.line("ingest", "Published")
    stored(story)
    story.refused_by_slack(1, 1.0)
    [line] = screen.at(0.4)
    assert line.level == "warning"
    assert line.text == ("notify_slack: retry in 1 s: Slack answered 500 (slack_unavailable); row stored")
    story.now = 1.4
    story.refused_by_slack(2, 2.0)
    assert screen.texts(1.5) == []
    story.now = 3.4
    story.push("notify_slack", 3)
    story.line("notify_slack", "The message was posted.", outcome="posted", channel="C1")
    assert screen.texts(3.6) == ["card posted in #issues (attempt 3, after 3 s)"]
    story.tell(part="slack", kind="posted", text="", delivery_id=ID)
    story.line("stream_bq", "late", reason="late")
    assert screen.texts(60.0) == []


def test_the_reason_of_a_failure(screen: Screen) -> None:
    """A failure waits for the log line that says why, however long the attempt has taken."""
    story = screen.story
    story.line("ingest", "Published")
    stored(story)
    story.now = 1.0
    story.push("notify_slack", status=500, problem="was answered 500", seconds=1.0)
    assert screen.texts(1.05) == []
    story.line("notify_slack", "The channel was not updated: Slack is away.", "ERROR", channel="C1")
    assert screen.texts(1.4) == ["notify_slack: retry in 1 s: Slack is away; row stored"]


def test_busy(screen: Screen) -> None:
    """A delivery that only has to wait for others is told once it is done, if that is soon."""
    story = screen.story
    story.line("ingest", "Published")
    stored(story)
    story.push("notify_slack", status=500, problem="was answered 500", seconds=1.0)
    story.line("notify_slack", "Exception on / [POST]: Others come first.", "WARNING", reason="in_flight")
    assert screen.texts(0.9) == []
    story.now = 1.1
    story.push("notify_slack", 2)
    story.line("notify_slack", "The message was posted.", outcome="posted", channel="C1")
    assert screen.texts(1.3) == ["card posted in #issues (attempt 2, after 1 s); row stored"]


def test_many_that_fail(screen: Screen) -> None:
    """While deliveries fail again and again, one line in ten seconds tells of all of them."""
    story = screen.story
    for number in range(25):
        story.line("ingest", "Published", delivery_id=f"id-{number}")
    printed = []
    for second in range(25):
        for number in range(25):
            fields = {"delivery_id": f"id-{number}", "attempt": second + 1, "seconds": 1.0, "status": 500}
            told = {"part": "pubsub", "kind": "retry", "text": "", "function": "notify_slack"}
            story.tell(**told, **fields, problem="was answered 500")
        printed += screen.at(second + 1.0)
    first, notes = printed[:25], printed[25:]
    assert {line.issue for line in first} == {"acme/app#7"}
    assert [line.text for line in notes] == [
        "25 deliveries wait for notify_slack: was answered 500; next attempt in 1 s"
    ] * 2


def test_refused(screen: Screen) -> None:
    """What ingest refuses is told at once, as an error."""
    fields = {"status": 401, "reason": "signature", "message_id": None}
    screen.story.line("ingest", "Refused: The header is wrong.", "WARNING", **fields)
    [line] = screen.at(0.05)
    assert (line.status, line.text, line.level) == (
        "401",
        "refused: The header is wrong (signature)",
        "error",
    )


def test_github_knows_first(screen: Screen) -> None:
    """GitHub's word about an answer waits for ingest's own line, and is told if none comes."""
    fields = {"part": "github", "kind": "delivered", "delivery_id": ID, "event": "issues.opened"}
    screen.story.tell(**fields, text="GitHub was answered 503", status=503)
    assert screen.texts(0.1) == []
    screen.story.line("ingest", "Not accepted: no.", "ERROR", message_id=None)
    assert screen.texts(0.15) == ["not accepted: no"]
    other = fields | {"delivery_id": "other"}
    screen.story.tell(**other, text="GitHub was answered 502", status=502)
    assert screen.texts(1.0) == ["GitHub was answered 502"]
    screen.story.tell(**fields | {"delivery_id": "third"}, text="GitHub was answered 202", status=202)
    assert screen.texts(1.9) == []


def test_redelivered_after_no_answer(screen: Screen) -> None:
    """What GitHub could not deliver has a new line with all that became of it, once it is delivered again."""
    screen = Screen(("stream_bq", "triage"))
    screen.story.tell(
        part="github", kind="delivered", delivery_id=ID, text="GitHub got no answer", status=502
    )
    assert screen.texts(1.0) == ["GitHub got no answer"]
    screen.story.now = 60.0
    screen.story.line("ingest", "Published")
    screen.story.push("triage")
    screen.story.line("triage", "Ignored: no rule matches")
    assert screen.texts(60.5) == []
    stored(screen.story)
    [line] = screen.at(61.0)
    assert (line.status, line.text, line.at.second) == ("202", "row stored", 0)


def test_redelivery_and_replay(screen: Screen) -> None:
    """A redelivery has a line of its own, and so has a replay, which ingest does not see."""
    for message_id in ("1", "2"):
        screen.story.line("ingest", "Published", message_id=message_id)
        for function in SUBSCRIBERS:
            screen.story.push(function, message_id=message_id)
            screen.story.line(function, "done", outcome="stored", message_id=message_id)
        assert len(screen.at(float(message_id))) == 1
    screen.story.push("stream_bq", message_id="3", only="stream-bq")
    screen.story.line("stream_bq", "Stored", outcome="stored", message_id="3", only="stream-bq")
    assert screen.texts(3.0) == ["row stored"]
    screen.story.line("stream_bq", "Stored", outcome="stored", message_id="3", delivery_id="replayed")
    screen.story.tell(
        part="pubsub", kind="acknowledged", text="", function="stream_bq", delivery_id="replayed",
        message_id="3", attempt=1,
    )  # fmt: skip
    assert [(line.status, line.text) for line in screen.at(9.0)] == [
        ("", "notify_slack has not answered yet; row stored")
    ]


def test_dead_letter(screen: Screen) -> None:
    """A message that is given up is told as an error."""
    screen.story.line("ingest", "Published")
    stored(screen.story)
    screen.story.refused_by_slack(100, 0.0)
    screen.at(0.5)
    screen.story.push("notify_slack", 100, dead=True, status=None)
    [line] = screen.at(0.7)
    assert line.level == "error"
    assert line.text.startswith("notify_slack: dead-lettered after 100 attempts: Slack answered 500")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"what": "add_label", "value": "bug", "result": "done"}, "row stored; triage: label bug added"),
        ({"message": "Ignored: no rule matches"}, "row stored"),
        ({"message": "Ignored: the event is old."}, "row stored; triage: ignored: the event is old"),
    ],
)
def test_triage(fields: dict[str, str], text: str) -> None:
    """What triage does is told; that no rule matches, as for most deliveries, is not."""
    screen = Screen(("stream_bq", "triage"))
    screen.story.line("ingest", "Published")
    stored(screen.story)
    screen.story.push("triage")
    screen.story.line("triage", **({"message": "Done"} | fields))
    assert screen.texts(0.5) == [text]


@pytest.mark.parametrize("answered", [True, False])
def test_several_lines(*, answered: bool) -> None:
    """What Pub/Sub reports is known before the last log line is read; the line waits for that one too."""
    screen = Screen(("triage",))
    screen.story.line("ingest", "Published")
    if not answered:
        assert screen.texts(2.0) == ["triage has not answered yet"]
    screen.story.now = 2.0
    screen.story.push("triage")
    for number, label in enumerate(("bug", "urgent"), 1):
        assert screen.texts(2.0 + number / 20) == []
        screen.story.line("triage", "Done", what="add_label", value=label, result="done")
    assert screen.texts(2.4) == ["triage: label bug added, label urgent added"]
    assert screen.texts(9.0) == []
