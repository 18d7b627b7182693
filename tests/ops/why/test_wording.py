"""ops why: the timeline on the terminal and as JSON."""

import json

from ops.why.answer import answer
from ops.why.timeline import Logs, timeline
from ops.why.wording import as_json, printable, text
from tests.ops.why.support import ISSUE, READ, UNREAD, explained, line, stored
from tests.support.messages import an_issue

MUTED = line(outcome="not_shown", message="The event is not shown.", why="bugs: muted")


def test_each_delivery_shows_what_every_function_did() -> None:
    """A delivery has its time, event, sender and id, what each function logged, and what the routes say."""
    failed = line(severity="WARNING", message="Not updated", channel="C1", reason="slack_not_in_channel")
    lines = [line("ingest", message="Published"), failed, failed, MUTED, line("stream_bq", outcome="stored")]
    steps = timeline(
        [explained(stored()), explained(stored(delivery_id="d-2"))], [*lines, line("triage", "d-2")]
    )
    assert text(ISSUE, steps, READ, answer(ISSUE, steps, READ)) == [
        "acme/app#7: 2 deliveries",
        "",
        "2026-01-05 12:00:00 UTC  issues.opened by octavia  d-1",
        "  ingest        Published",
        "  notify_slack  WARNING: Not updated in C1 (slack_not_in_channel) (2 times)",
        "                not_shown: bugs: muted",
        "  stream_bq     stored",
        "  routes        skips     bugs: the issue has none of the labels 'bug'",
        "                No card: no route matches.",
        "",
        "2026-01-05 12:00:00 UTC  issues.opened by octavia  d-2",
        "  ingest        not in the logs; webhook delivery",
        "  notify_slack  nothing in the logs",
        "  stream_bq     stored after 2.0 s",
        "  triage        A line.",
        "  routes        as above",
        "",
        "acme/app#7 has no card because of what notify_slack logged last: bugs: muted.",
    ]


def test_what_was_left_out_is_one_line() -> None:
    """Logs that could not be read are named with the reason, and so is the limit of lines."""
    steps = timeline([explained(stored())], [])
    shown = text(ISSUE, steps, UNREAD, answer(ISSUE, steps, UNREAD))
    assert shown[0] == "acme/app#7: 1 delivery"
    assert "  notify_slack  unknown without the logs" in shown
    assert "The logs were left out: gcloud is not installed." in shown
    cut = text(ISSUE, (), Logs(lines=(MUTED,), cut=True), answer(ISSUE, (), READ))
    assert (cut[0], cut[2]) == ("acme/app#7: no deliveries", "Only the newest 1 log lines were read.")


def test_a_terminal_obeys_no_word_of_a_delivery() -> None:
    """Control characters of logins and messages are replaced."""
    assert printable("a\x1b[31m\r\u202eb\u00fc") == "a?[31m??bü"
    event = an_issue().opened()
    event.payload["sender"]["login"] = "\x1b]0;x\x07"
    steps = timeline([explained(stored(event))], [line(message="\x1b[2J")])
    assert all(shown.isprintable() for shown in text(ISSUE, steps, READ, answer(ISSUE, steps, READ)))


def test_json_has_everything_that_the_text_has() -> None:
    """The JSON has the deliveries with their log lines and explanations, and the answer."""
    steps = timeline([explained(stored())], [MUTED, line("ingest", "d-2", message="Published")])
    found = json.loads(json.dumps(as_json(ISSUE, steps, READ, answer(ISSUE, steps, READ))))
    assert (found["repository"], found["issue"], found["has_card"]) == ("acme/app", 7, False)
    assert found["logs"] == {"left_out": None, "since": "2026-01-04T12:00:00.000000Z", "cut": False}
    first, second = found["deliveries"]
    assert (first["delivery_id"], first["event"], first["sender"], first["stored"]) == (
        "d-1",
        "issues.opened",
        "octavia",
        True,
    )
    assert first["received_at"] == "2026-01-05T12:00:00.000000Z"
    assert first["log"][0]["why"] == "bugs: muted"
    assert (first["makes_card_in"], first["why_no_card"]) == (
        [],
        "bugs: the issue has none of the labels 'bug'",
    )
    assert first["routes"]["routes"][0]["name"] == "bugs"
    assert (second["stored"], second["routes"], second["received_at"]) == (False, None, None)
    assert found["answer"].startswith("acme/app#7 has no card because")
