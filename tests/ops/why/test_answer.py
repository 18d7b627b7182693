"""ops why: the one sentence that says why an issue has no card."""

from dataclasses import replace

import pytest

from ops.why.answer import Answer, answer
from ops.why.timeline import LogLine, Logs, timeline
from tests.ops.why.support import EVERYTHING, ISSUE, READ, UNREAD, line, steps, stored
from tests.support.messages import NOON, an_issue

LABELLED = stored(an_issue(labels=["bug"]).opened())
REFUSED = line(
    message="The channel was not updated: invite the app",
    severity="WARNING",
    channel="C1",
    reason="slack_not_in_channel",
)
NOT_ACCEPTED = line(
    "ingest", severity="ERROR", message="Not accepted: Pub/Sub did not confirm.", reason="publish_failed"
)
RAISED = line(message="Exception on / [POST]", severity="ERROR", reason="slack_not_in_channel")


def found(*lines: LogLine, logs: Logs = READ, delivery=LABELLED, text: str | None = None) -> Answer:
    """Return the answer about one stored delivery."""
    return answer(ISSUE, steps(*lines, delivery=delivery, **({"text": text} if text else {})), logs)


def test_an_issue_that_never_arrived() -> None:
    """Without any delivery the answer names the next place to look: the hook at GitHub."""
    nothing = answer(ISSUE, (), READ)
    assert nothing.has_card is False
    assert nothing.sentence.startswith("No delivery about acme/app#7 has arrived: none is stored or logged.")
    assert "Webhooks, Recent deliveries" in nothing.sentence
    assert nothing.sentence.endswith("./deploy.sh status acme/app")
    assert "none is stored." in answer(ISSUE, (), UNREAD).sentence


@pytest.mark.parametrize("outcome", ["posted", "updated", "recorded", "already_handled"])
def test_an_issue_with_a_card(outcome: str) -> None:
    """A card that a function posted or updated is there, in the channel that the line names."""
    there = found(line(outcome=outcome, channel="C1"))
    assert (there.has_card, there.sentence) == (True, "acme/app#7 has a card in C1.")


def test_a_card_in_one_channel_and_a_refusal_in_another() -> None:
    """A channel that refuses is named beside the channel with the card."""
    there = found(line(outcome="posted", channel="C2"), REFUSED)
    assert there.has_card is True
    assert "Another channel was not updated: C1: The channel was not updated: invite" in there.sentence
    assert there.sentence.endswith(" (slack_not_in_channel).")


def test_a_retry_that_succeeded_is_no_failure() -> None:
    """A failure before the card was posted is history."""
    assert (
        found(REFUSED, RAISED, line(outcome="posted", channel="C1")).sentence
        == "acme/app#7 has a card in C1."
    )


def test_an_issue_in_a_burst() -> None:
    """An issue in a message with a count has no card of its own yet."""
    folded = found(line(outcome="folded", channel="C1"))
    assert folded.has_card is False
    assert "message with a count in C1" in folded.sentence


def test_a_refusal_names_channel_and_reason() -> None:
    """A failure is quoted with its channel and reason, before the error that the framework logs."""
    failed = found(REFUSED, RAISED)
    assert failed.has_card is False
    assert "failed, and its message is retried: C1: The channel was not updated" in failed.sentence
    assert "(slack_not_in_channel)" in failed.sentence
    assert "Exception on /" in found(RAISED).sentence


def test_an_outdated_route_is_no_failure() -> None:
    """The error about a route's old name does not hide what the function logs after it."""
    outdated = line(message="Route 'x' names a repository", severity="ERROR", reason="route_outdated")
    assert "muted" in found(outdated, line(outcome="not_shown", why="x: muted"), outdated).sentence


def test_an_event_that_is_not_shown() -> None:
    """The reason that notify_slack logged is the answer, also if the routes file has changed since."""
    silent = found(
        line(outcome="not_shown", why="bugs: the issue has none of the labels 'bug'"), delivery=stored()
    )
    assert silent.sentence.startswith(
        "acme/app#7 has no card because of what notify_slack logged last: bugs: "
    )
    changed = found(line(outcome="not_shown", why="no route names the repository"), text=EVERYTHING)
    assert changed.sentence.startswith(
        "acme/app#7 has no card because of what notify_slack logged last: no route"
    )
    assert "./deploy.sh notify_slack deploys it" in changed.sentence


def test_no_log_line_though_the_logs_were_read() -> None:
    """An event that should have made a card and that notify_slack has not logged is still waiting."""
    waiting = found(line("ingest", message="Published"))
    assert waiting.has_card is False
    assert "notify_slack has logged no outcome of it" in waiting.sentence
    assert waiting.sentence.endswith("./deploy.sh status acme/app")


def test_logs_that_begin_later_than_the_event() -> None:
    """What happened before the logs begin is not known."""
    unknown = found(logs=Logs(since=NOON.replace(month=2)))
    assert (unknown.has_card, "before the logs begin" in unknown.sentence) == (None, True)


def test_without_logs_the_routes_answer() -> None:
    """Without logs an event that matches makes a card if Slack took it; else the routes say why not."""
    unknown = found(logs=UNREAD)
    assert unknown.has_card is None
    assert "issues.opened of acme/app#7 makes a card in C1, C2" in unknown.sentence
    assert "its log was not read (gcloud is not installed)" in unknown.sentence
    silent = found(logs=UNREAD, delivery=stored())
    assert silent == Answer(
        has_card=False,
        sentence="acme/app#7 has no card because bugs: the issue has none of the labels 'bug'.",
    )


def test_a_delivery_that_only_ingest_has_logged() -> None:
    """A delivery that is not stored was refused by ingest, or is on its way."""
    refused = answer(ISSUE, timeline([], [NOT_ACCEPTED]), READ)
    assert refused.has_card is False
    assert refused.sentence == (
        "acme/app#7 has no card: notify_slack has no delivery of it. ingest did not accept "
        "issues.opened: Not accepted: Pub/Sub did not confirm (publish_failed). Redeliver it at GitHub."
    )
    published = answer(ISSUE, timeline([], [line("ingest", message="Published")]), READ)
    assert published.has_card is False
    assert "ingest has its delivery, and notify_slack has logged no outcome of it" in published.sentence


def test_a_later_delivery_that_ingest_refused() -> None:
    """A delivery that ingest refused is named too, unless it came again or there is a card."""
    silent = line(outcome="not_shown", why="bugs: muted")
    lines = [silent, replace(NOT_ACCEPTED, delivery_id="d-2", event="issues.labeled")]
    both = found(*lines, delivery=stored())
    assert "what notify_slack logged last: bugs: muted." in both.sentence
    assert "ingest did not accept issues.labeled: Not accepted" in both.sentence
    again = found(*lines, line("ingest", "d-2", severity="INFO", message="Published"), delivery=stored())
    assert again.sentence.endswith("bugs: muted.")
    assert found(*lines, line(outcome="posted", channel="C1")).sentence.endswith("has a card in C1.")
