"""The card: which events make one, what it says, and that no payload can make it say more."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.notify_slack import card
from functions.notify_slack.routes import Hearing
from local import github
from local.slack.rules import CONTROL, check_message
from pipeline.delivery import Delivery, Source
from pipeline.events import IssueEvent
from tests.support.messages import NOON, an_issue

GITHUB = "https://github.com"
MONA = github.Person(login="mona")


def read(payload: dict[str, Any], event: str = "issues", source: Source = "webhook") -> IssueEvent:
    """Return the event as it arrives: through JSON bytes."""
    body = json.dumps(payload).encode()
    return IssueEvent.from_delivery(
        Delivery(delivery_id="d-1", event=event, body=body, received_at=NOON, source=source)
    )


def card_of(payload: dict[str, Any], github_url: str = GITHUB) -> dict[str, Any]:
    """Return what the card of the payload is on the wire."""
    event = read(payload)
    issue = card.shown(event)
    assert issue is not None
    made = card.build(event, issue, Hearing(channel="C1"), github_url)
    message = {
        "text": made.text,
        "blocks": list(made.blocks),
        "metadata": made.metadata,
    }
    return json.loads(json.dumps(message))


def lines(message: dict[str, Any]) -> tuple[str, str]:
    """Return the section's and the context's text."""
    section, context = message["blocks"]
    [element] = context["elements"]
    return section["text"]["text"], element["text"]


def texts(value: Any) -> Iterator[str]:
    """Yield every text that is drawn."""
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from texts(inner)
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        yield value["text"]


def assert_inert(message: dict[str, Any], github_url: str = GITHUB) -> None:
    """Slack's rules hold, and the only constructs are dates and links below `github_url`."""
    assert check_message({"channel": "C1", **message}) == []
    for text in texts(message):
        for construct in CONTROL.finditer(text):
            assert construct["stamp"] or (construct["url"] or "").startswith(github_url + "/"), construct[0]
    assert message["text"].strip()
    assert "<" not in message["text"]
    assert sum(map(len, texts(message))) < 2_000
    assert len(json.dumps(message["metadata"])) < 1_000


# Payloads of a stranger.

PIECES = [
    "<!channel>", "<!here|x>", "<@U1>", "<@U1|mona>", "<#C1>", "<!subteam^S1>", "<!date^1^{date}|x>",
    "<https://evil.example|click>", "https://evil.example", "&", "&lt;", "&#60;", "<", ">", "|", "*", "_",
    "~", "`", "```", "\n", "\r", "\0", "\x1b[31m", "\ud800", "\udfff", "\u202e", "\u2066", "\u200b",
    "\ufeff", "\u2028", "\u200d", "👩\u200d💻", "]]>", ":bug:", "/", "..", "a", "Ä", "漢",
]  # fmt: skip
hostile = st.tuples(
    st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=5), max_size=12).map("".join),
    st.sampled_from([1, 1, 7, 500]),
).map(lambda drawn: drawn[0] * drawn[1])
absent = st.sampled_from([None, 0, -1, [], {}, True, 1.5])
value = hostile | absent
moments = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, Any]:
    """Return a payload of which every field that a card shows is anything at all."""
    account = st.one_of(st.none(), st.fixed_dictionaries({"login": value}))
    return {
        "action": draw(
            st.sampled_from(["opened", "closed", "reopened", "labeled", "deleted", "transferred"])
        ),
        "issue": {
            "id": 1,
            "title": draw(value),
            "number": draw(st.integers(-(2**63), 2**63 - 1)),
            "state": draw(value | st.sampled_from(["open", "closed"])),
            "comments": draw(st.integers() | value),
            "assignees": draw(st.lists(st.fixed_dictionaries({"login": value}), max_size=9) | absent),
            "user": draw(account),
            "labels": draw(st.lists(st.fixed_dictionaries({"name": value}), max_size=9) | absent),
            "state_reason": draw(value | st.sampled_from(["completed", "not_planned", "duplicate"])),
            "created_at": draw(moments | value),
            "updated_at": draw(moments | value),
            "closed_at": draw(moments | value),
            "html_url": draw(value),
            "body": draw(value),
        },
        "repository": {"full_name": draw(value | st.just("acme/app")), "id": draw(st.integers(0, 2**62))},
        "changes": {"new_repository": {"full_name": draw(value)}, "new_issue": {"number": draw(value)}},
        "sender": draw(account),
    }


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(payloads())
def test_no_payload_can_break_out_of_its_card(payload: dict[str, Any]) -> None:
    """Any text in any field: Slack's rules hold, nobody is mentioned, and the link goes to GitHub alone."""
    assert_inert(card_of(payload))


@pytest.mark.parametrize("character", ["a", "&", "|", "`", "\ud800", "漢", "a/", "."])
def test_a_field_of_300_kb_stays_far_below_the_limits(character: str) -> None:
    """No length of any field makes a card that Slack would refuse."""
    huge = character * (300_000 // len(character))
    payload = an_issue().opened().payload
    payload["issue"] |= {"title": huge, "labels": [{"name": huge}] * 7, "user": {"login": huge}}
    payload["sender"]["login"] = huge
    payload["repository"]["full_name"] = huge if character == "a" else f"acme/{huge}"
    assert_inert(card_of({**payload, "action": "reopened"}))


@pytest.mark.parametrize(
    "name", ["../app", "acme/..", "acme/.", "acme", "acme/app/x", "acme/app?", "acme/a p", "a|b/c", "/app",
             "évil/app", "acme/" + "a" * 101, "acme/app\n"]
)  # fmt: skip
def test_a_name_that_is_no_repository_makes_no_link(name: str) -> None:
    """Only owner/name in GitHub's letters is put into an address, and never a step upwards."""
    payload = an_issue().opened().payload
    payload["repository"]["full_name"] = name
    message = card_of(payload)
    assert "http" not in lines(message)[0]
    assert "Export fails" in lines(message)[0]


def test_the_link_is_made_not_taken() -> None:
    """html_url of the payload is ignored; GITHUB_URL, the repository and the number make the address."""
    payload = an_issue().opened().payload
    payload["issue"]["html_url"] = "https://evil.example/"
    message = card_of(payload, github_url="https://github.acme.example/here")
    assert "<https://github.acme.example/here/acme/app/issues/7|Export fails>" in lines(message)[0]
    assert_inert(message, "https://github.acme.example/here")


# Which events make one.


@pytest.mark.parametrize(
    "action", ["opened", "closed", "reopened", "labeled", "assigned", "edited", "deleted", "transferred",
               "pinned", "locked", "typed", "an action of the future"]
)  # fmt: skip
def test_every_action_of_an_issue_keeps_its_card(action: str) -> None:
    """A card is the issue as it stands, whatever happened to it."""
    assert card.shown(read({**an_issue().opened().payload, "action": action})) is not None


@pytest.mark.parametrize("action", ["", None, 1, []])
def test_an_event_without_an_action_is_silent(action: Any) -> None:
    """No event of an issue comes without one."""
    assert card.shown(read({**an_issue().opened().payload, "action": action})) is None


@pytest.mark.parametrize("event", ["pull_request", "ping", "push", "ISSUES", "sub_issues"])
def test_every_other_event_is_silent(event: str) -> None:
    """Only `issues` and `issue_comment` make a card, whatever the payload looks like."""
    assert card.shown(read(an_issue().opened().payload, event=event)) is None


def test_a_comment_keeps_the_card_of_its_issue() -> None:
    """A comment changes the count; one on a pull request is silent."""
    comment = an_issue().commented(MONA, NOON, "me too")
    assert card.shown(read(comment.payload, event=comment.name)) is not None
    pull = an_issue(is_pull_request=True).commented(MONA, NOON, "me too")
    assert card.shown(read(pull.payload, event=pull.name)) is None


@pytest.mark.parametrize(("part", "name"), [("issue", "number"), ("repository", "id")])
def test_an_issue_without_a_name_is_silent(part: str, name: str) -> None:
    """Its card could never be found again."""
    payload = an_issue().opened().payload
    del payload[part][name]
    assert card.shown(read(payload)) is None


def test_a_pull_request_is_silent() -> None:
    """GitHub sends pull requests as issues in places; none makes a card."""
    assert card.shown(read(an_issue(is_pull_request=True).opened().payload)) is None


def test_ping_and_payloads_without_an_issue_are_silent() -> None:
    """What is about no issue makes no card."""
    assert (
        card.shown(read(github.ping(github.Repository(full_name="acme/app"), MONA).payload, "ping")) is None
    )
    for issue in ({}, None, [], "x"):
        assert card.shown(read({"action": "opened", "issue": issue})) is None


@pytest.mark.parametrize(
    ("source", "shown"), [("webhook", True), ("reconcile", True), ("replay", True), ("backfill", False)]
)
def test_only_history_read_in_later_is_silent(source: Source, shown: bool) -> None:  # noqa: FBT001 - a table
    """What was missed and recovered is shown; a backfill of years is not."""
    assert (card.shown(read(an_issue().opened().payload, source=source)) is not None) is shown


@pytest.mark.parametrize(
    ("payload", "event", "source", "said"),
    [
        (an_issue().opened().payload, "issues", "webhook", None),
        (
            an_issue().opened().payload,
            "push",
            "webhook",
            "no card is made of 'push.opened', only of issues and their comments",
        ),
        ({}, "ping", "webhook", "no card is made of 'ping', only of issues and their comments"),
        (an_issue().opened().payload, "issues", "backfill", "no card is made of history"),
        ({"action": "opened"}, "issues", "webhook", "the event is about no issue"),
        (
            an_issue(is_pull_request=True).opened().payload,
            "issues",
            "webhook",
            "no card is made of a pull request",
        ),
    ],
)
def test_silence_has_its_reason(
    payload: dict[str, Any], event: str, source: Source, said: str | None
) -> None:
    """What makes no card says why, for the log and for the operator."""
    assert card.silence(read(payload, event, source)) == said


# What it says.


OPENED = "opened by octavia <!date^1767614400^{date_short_pretty} {time}|2026-01-05 12:00 UTC>"


def test_an_opened_issue() -> None:
    """The one card with the word new: who, when, and the labels in frames."""
    message = card_of(an_issue(labels=["bug", "needs `repro`"]).opened().payload)
    assert message["text"] == "New issue: acme/app#7 Export fails"
    assert lines(message) == (
        ":large_green_circle: *acme/app#7* <https://github.com/acme/app/issues/7|Export fails>",
        f"new issue, {OPENED} · `bug` `needs 'repro'`",
    )


def test_an_issue_that_goes_on() -> None:
    """Any later event shows the issue as it stands: labels, assignees, comments."""
    issue = an_issue(labels=["bug"], comments=2)
    for number in range(8):
        event = issue.assigned(MONA, NOON, github.Person(login=f"w{number}"))
    message = card_of(event.payload)
    assert message["text"] == "Open issue: acme/app#7 Export fails"
    assert lines(message)[1] == f"{OPENED} · `bug` · assigned to w0, w1, w2, w3, w4, w5, +2 · 2 comments"


def test_an_issue_that_is_gone() -> None:
    """Deleted and transferred issues say so, and who did it; the address of the new place is words only."""
    assert lines(card_of(an_issue().deleted(MONA, NOON).payload)) == (
        ":wastebasket: *acme/app#7* <https://github.com/acme/app/issues/7|Export fails>",
        f"deleted by mona · {OPENED}",
    )
    event, _ = an_issue().transferred(MONA, NOON, github.Repository(full_name="acme/lib"), 3)
    message = card_of(event.payload)
    assert message["text"] == "Transferred to acme/lib#3: acme/app#7 Export fails"
    assert lines(message)[1] == f"transferred to acme/lib#3 by mona · {OPENED}"


def test_a_closed_issue_stays_closed_in_every_later_card() -> None:
    """Who closed it is known to the close alone; as what, and when, to every event."""
    issue = an_issue()
    issue.closed(MONA, NOON + timedelta(hours=3), "not_planned")
    message = card_of(issue.labeled(github.Person(login="x"), NOON + timedelta(hours=4), "bug").payload)
    assert message["text"] == "Closed as not planned: acme/app#7 Export fails"
    assert lines(message)[1] == f"closed as not planned · 3 hours after opening · {OPENED} · `bug`"


@pytest.mark.parametrize(
    ("reason", "mark", "words"),
    [
        ("completed", ":white_check_mark:", " as completed"),
        ("not_planned", ":no_entry_sign:", " as not planned"),
        ("duplicate", ":no_entry_sign:", " as a duplicate"),
        (None, ":white_check_mark:", ""),
        ("vanished", ":white_check_mark:", ""),
        ("<!channel>", ":white_check_mark:", ""),
    ],
)
def test_a_closed_issue(reason: Any, mark: str, words: str) -> None:
    """Done and put aside look different; a reason that is not known is not repeated."""
    message = card_of(an_issue().closed(MONA, NOON + timedelta(days=3), reason).payload)
    assert message["text"] == f"Closed{words}: acme/app#7 Export fails"
    assert lines(message) == (
        f"{mark} *acme/app#7* <https://github.com/acme/app/issues/7|Export fails>",
        f"closed{words} by mona · 3 days after opening · {OPENED}",
    )


def test_a_reopened_issue() -> None:
    """It is open again; closed_at, which GitHub leaves set, is not looked at."""
    issue = an_issue()
    issue.closed(MONA, NOON + timedelta(days=1))
    message = card_of(issue.reopened(MONA, NOON + timedelta(days=2)).payload)
    assert message["text"] == "Open issue: acme/app#7 Export fails"
    assert lines(message)[0].startswith(":large_green_circle: *acme/app#7* ")
    assert lines(message)[1] == OPENED


@pytest.mark.parametrize("action", ["closed", "reopened"])
def test_only_opened_says_new(action: str) -> None:
    """The word new would be wrong for every other card."""
    message = card_of({**an_issue().opened().payload, "action": action})
    assert not any(re.search(r"\bnew\b", text, re.IGNORECASE) for text in texts(message))


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(minutes=119, seconds=59), "119 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=47, minutes=59), "47 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=4000), "4000 days"),
    ],
)
def test_the_age_is_in_the_largest_unit_that_fits_twice(age: timedelta, words: str) -> None:
    """47 hours is not rounded to one day."""
    message = card_of(an_issue().closed(MONA, NOON + age).payload)
    assert lines(message)[1].endswith(f" · {words} after opening · {OPENED}")


@pytest.mark.parametrize("closed_at", [None, "", "yesterday", "2025-01-01T00:00:00Z", 5])
def test_an_age_that_is_not_known_is_left_out(closed_at: Any) -> None:
    """A close without a time, or before the opening, says no age rather than a wrong one."""
    payload = an_issue().closed(MONA, NOON).payload
    payload["issue"]["closed_at"] = closed_at
    assert lines(card_of(payload))[1] == f"closed as completed by mona · {OPENED}"


def test_more_labels_than_fit_are_counted() -> None:
    """Six labels are shown, the others are a number."""
    message = card_of(an_issue(labels=[f"l{number}" for number in range(9)]).opened().payload)
    assert lines(message)[1].endswith(" · `l0` `l1` `l2` `l3` `l4` `l5` +3")


def test_null_user_and_body_and_an_empty_title() -> None:
    """A deleted author is a ghost as at GitHub, and a title that shows nothing is named."""
    payload = an_issue(author=None, title=" \u200b", body=None).opened().payload
    message = card_of(payload)
    assert message["text"] == "New issue: acme/app#7 (no title)"
    assert "|(no title)>" in lines(message)[0]
    assert lines(message)[1].startswith("new issue, opened by ghost ")


@pytest.mark.parametrize("sender", [None, {}, {"login": None}, {"login": ""}, "x"])
def test_a_sender_that_is_gone_is_a_ghost(sender: Any) -> None:
    """A close by nobody still makes a card."""
    payload = an_issue().closed(MONA, NOON).payload
    payload["sender"] = sender
    assert lines(card_of(payload))[1].startswith("closed as completed by ghost")


def test_a_missing_repository_is_named() -> None:
    """A card never shows an empty place."""
    payload = an_issue().opened().payload
    del payload["repository"]["full_name"]
    assert lines(card_of(payload))[0] == ":large_green_circle: *(unknown repository)#7* Export fails"


@pytest.mark.parametrize(
    "created_at", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]
)
def test_a_moment_that_slack_cannot_show_is_written_out(created_at: str) -> None:
    """Slack's date takes seconds since 1970 of at most eleven digits; other moments are plain text."""
    payload = an_issue().opened().payload
    payload["issue"]["created_at"] = created_at
    message = card_of(payload)
    assert "<!date" not in lines(message)[1]
    assert " UTC" in lines(message)[1]
    assert_inert(message)


def test_addresses_in_titles_do_not_become_links() -> None:
    """Both texts are verbatim, so Slack leaves addresses, #names and @names as text."""
    for block in card_of(an_issue(title="see https://evil.example").opened().payload)["blocks"]:
        element = block["text"] if block["type"] == "section" else block["elements"][0]
        assert element["type"] == "mrkdwn"
        assert element["verbatim"] is True


def test_metadata_is_the_contract() -> None:
    """The card can be found again by the repository's id and the number."""
    payload = an_issue().closed(MONA, NOON + timedelta(hours=1)).payload
    assert card_of(payload)["metadata"] == {
        "event_type": "issuewire_card",
        "event_payload": {
            "issue": f"{github.number_for('acme/app')}#7",
            "updated_at": "2026-01-05T13:00:00.000000Z",
            "deliveries": ["d-1"],
            "schema": 1,
        },
    }
