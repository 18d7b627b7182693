"""The card: what it says, and that no payload can make it say more."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.slack.client import Slack
from functions.notify_slack.cards import card, metadata
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from local.slack.rules.mrkdwn import CONTROL
from local.slack.server import SlackServer
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.hostile_text import assert_inert, destinations, events, hostile_payloads, texts, wire
from tests.support.messages import NOON, an_issue

GITHUB = "https://github.com"
MONA = accounts.Account(login="mona")
ANN = accounts.Account(login="ann")
FORMATS = ("compact", "full")
PEOPLE = {"mona": "U1MONA", "w1": "W1"}


def read(payload: dict[str, Any], event: str = "issues", github_url: str = GITHUB) -> CardEvent:
    """Return the event as the function reads it: from JSON bytes."""
    body = json.dumps(payload).encode()
    delivery = Delivery(delivery_id="d-1", event=event, body=body, received_at=NOON)
    shown = CardEvent.of(IssueEvent.from_delivery(delivery), github_url)
    assert isinstance(shown, CardEvent)
    return shown


def card_of(
    payload: dict[str, Any],
    event: str = "issues",
    *,
    github_url: str = GITHUB,
    before: dict[str, Any] | None = None,
    **destination: Any,
) -> dict[str, Any]:
    """Return what the card of the payload is on the wire; `before` is the one that was there, likewise."""
    shown_in = Destination(channel="C1", **destination)
    made = card.build(read(payload, event, github_url), shown_in, found(before) if before else None)
    assert_inert(made, github_url, shown_in)
    return wire(made)


def found(message: dict[str, Any]) -> metadata.PostedCard:
    """Return the card as Slack gives it back."""
    [issue] = [message["metadata"]["event_payload"]["issue"]]
    kept = metadata.read_card({"ts": "1767614400.000001", **message}, issue)
    assert kept is not None
    return kept


def late(message: dict[str, Any], event: payloads.Event) -> dict[str, Any]:
    """Return the card after an event that is older than it is."""
    recorded = card.record(read(event.payload, event.name), found(message))
    assert recorded.text == message["text"]
    return {**message, "blocks": list(recorded.blocks)}


def line_of(payload: dict[str, Any]) -> str:
    """Return the one line that goes to an incoming webhook."""
    made = card.line(read(payload))
    assert_inert(made, GITHUB, Destination(channel="webhook"))
    [block] = wire(made)["blocks"]
    return block["text"]["text"]


def lines(message: dict[str, Any]) -> tuple[str, ...]:
    """Return the text of the section and, if there is one, those of the small line."""
    section, *contexts = message["blocks"]
    elements = [element for context in contexts for element in context["elements"]]
    return section["text"]["text"], *(element["text"] for element in elements)


# Payloads of a stranger.


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.data())
def test_no_payload_can_break_out_of_its_card(data: st.DataObject) -> None:
    """Any text in any field: Slack's rules hold, the routes alone mention, and links go to GitHub."""
    event, action = data.draw(events)
    happened, destination = read(data.draw(hostile_payloads(action)), event), data.draw(destinations)
    made = card.build(happened, destination)
    assert_inert(made, GITHUB, destination)
    assert_inert(card.line(happened), GITHUB, Destination(channel="C1"))
    again = card.build(happened, destination, found(wire(made)))
    assert wire(again) == wire(made)


def test_slack_takes_whatever_a_stranger_writes() -> None:
    """Posted and changed through the real client, no card is refused by the strict stand-in."""

    @settings(derandomize=True, database=None, deadline=None, max_examples=40)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        event, action = data.draw(events)
        happened, destination = read(data.draw(hostile_payloads(action)), event), data.draw(destinations)
        made = card.build(happened, destination)
        ts = slack.post(destination.channel, made)
        slack.update(destination.channel, ts, made)
        assert [dict(block) for block in server.messages[-1].blocks] == wire(made)["blocks"]

    with SlackServer(clock=iter(range(1_767_614_400, 1_867_614_400)).__next__) as server:
        slack = Slack(lambda: "xoxb-local", server.url)
        check()


FORMATTING = re.compile(r"(?<![^\W_])[*_~]+|[*_~]+(?![^\W_])|`")


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.text(st.sampled_from("*_~`|<>&ab1 .\n"), min_size=1, max_size=20))
def test_a_title_cannot_format_what_is_around_it(title: str) -> None:
    """Stars, bars and backticks in titles, names and labels neither end our bold nor begin a code span."""
    payload = an_issue(title=title, labels=[title], author=accounts.Account(login=title)).opened().payload
    payload["repository"]["full_name"] = f"acme/{title}"
    text = CONTROL.sub(lambda found: found["label"] or "", lines(card_of(payload))[0])
    [frame] = re.findall("`[^`]*`", text)
    assert FORMATTING.findall(text.replace(frame, "")) == ["*", "*"]
    assert text.startswith(":large_green_circle: *acme/")


def test_what_formats_nothing_is_left_as_it_was_written() -> None:
    """An underscore in a name stays, so that the card is found by it; around words it is a look-alike."""
    message = card_of(an_issue(title="max_results of `__init__` is *wrong*").opened().payload)
    shown = lines(message)[0].partition("|")[2].partition(">")[0]
    assert shown == "max_results of \u02cb\u02cd\u02cdinit\u02cd\u02cd\u02cb is \u2217wrong\u2217"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("character", ["a", "&", "|", "`", "\ud800", "漢", "a/", ".", "> ", "- ", "[", "!["])
def test_a_field_of_300_kb_stays_far_below_the_limits(character: str, format_: str) -> None:
    """No length of any field makes a card that Slack would refuse."""
    huge = character * (300_000 // len(character))
    payload = an_issue(body=huge).opened().payload
    payload["issue"] |= {"title": huge, "labels": [{"name": huge}] * 7, "user": {"login": huge}}
    payload["issue"] |= {"assignees": [{"login": huge}] * 7, "milestone": {"title": huge}}
    payload["sender"]["login"] = huge
    payload["repository"]["full_name"] = huge if character == "a" else f"acme/{huge}"
    for action in ("opened", "reopened", "transferred"):
        card_of({**payload, "action": action}, format=format_)


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
    assert "http" not in json.dumps(card_of(payload, format="full"))


def test_the_link_is_made_not_taken() -> None:
    """html_url of the payload is ignored; GITHUB_URL, the repository and the number make the address."""
    payload = an_issue().opened().payload
    payload["issue"]["html_url"] = "https://evil.example/"
    message = card_of(payload, github_url="https://github.acme.example/here")
    assert "<https://github.acme.example/here/acme/app/issues/7|Export fails>" in lines(message)[0]


# What it says.


LINK = "<https://github.com/acme/app/issues/7|Export fails>"
DAY = "<!date^1767614400^{date_short_pretty}|2026-01-05>"
DATE = "<!date^1767614400^{date_short_pretty} {time}|2026-01-05 12:00 UTC>"


def test_an_opened_issue_is_one_line() -> None:
    """The one card with the word new: which, what, who, and the labels in frames."""
    message = card_of(an_issue(labels=["bug", "needs `repro`"]).opened().payload)
    assert message["text"] == "New issue: acme/app#7 Export fails"
    assert lines(message) == (
        f":large_green_circle: *acme/app#7* {LINK} · new by octavia · `bug` `needs 'repro'`",
    )


def test_an_issue_that_goes_on() -> None:
    """Any later event shows the issue as it stands, and how old it is: labels, assignees, comments."""
    issue = an_issue(labels=["bug"], comments=2)
    for number in range(8):
        event = issue.assigned(MONA, NOON, accounts.Account(login=f"w{number}"))
    message = card_of(event.payload)
    assert message["text"] == "Open issue: acme/app#7 Export fails"
    assert lines(message) == (
        f":large_green_circle: *acme/app#7* {LINK} · octavia, {DAY} · `bug`",
        "assigned to w0, w1, w2, w3, w4, w5, +2 · 2 comments",
    )


def test_an_issue_that_is_gone() -> None:
    """Deleted and transferred issues say so, and who did it; the address of the new place is words only."""
    message = card_of(an_issue().deleted(MONA, NOON).payload)
    assert message["text"] == "Deleted: acme/app#7 Export fails"
    assert lines(message) == (f":wastebasket: *acme/app#7* {LINK} · octavia, {DAY}", "deleted by mona")
    event, _ = an_issue().transferred(MONA, NOON, accounts.Repository(full_name="acme/lib"), 3)
    message = card_of(event.payload)
    assert message["text"] == "Transferred: acme/app#7 Export fails"
    assert lines(message) == (
        f":rocket: *acme/app#7* {LINK} · octavia, {DAY}",
        "transferred to acme/lib#3 by mona",
    )


def test_a_comment_that_was_deleted_is_not_its_issue() -> None:
    """Both events have that action; the issue is as open as it was."""
    comment = an_issue(comments=1).commented(MONA, NOON, "x")
    message = card_of({**comment.payload, "action": "deleted"}, comment.name)
    assert message["text"] == "Open issue: acme/app#7 Export fails"


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
    message = card_of(an_issue(comments=1).closed(MONA, NOON + timedelta(days=3), reason).payload)
    assert message["text"] == f"Closed{words}: acme/app#7 Export fails"
    assert lines(message) == (
        f"{mark} *acme/app#7* {LINK} · octavia, {DAY}",
        f"closed{words} by mona · 3 days after opening",
        "· 1 comment",
    )


def test_a_reopened_issue() -> None:
    """It is open again; closed_at, which GitHub leaves set, is not looked at."""
    issue = an_issue()
    closed = card_of(issue.closed(MONA, NOON + timedelta(days=1)).payload)
    payload = issue.reopened(MONA, NOON + timedelta(days=2)).payload
    payload["issue"]["closed_at"] = closed["blocks"][1]["block_id"].removeprefix("closed:")
    message = card_of(payload, before=closed)
    assert message["text"] == "Open issue: acme/app#7 Export fails"
    assert lines(message) == (f":large_green_circle: *acme/app#7* {LINK} · octavia, {DAY}",)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("action", ["closed", "reopened", "labeled"])
def test_only_opened_says_new(action: str, format_: str) -> None:
    """The word new would be wrong for every other card."""
    message = card_of({**an_issue().opened().payload, "action": action}, format=format_)
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
    assert lines(message)[1] == f"closed as completed by mona · {words} after opening"


@pytest.mark.parametrize("closed_at", [None, "", "yesterday", "2025-01-01T00:00:00Z", 5])
def test_an_age_that_is_not_known_is_left_out(closed_at: Any) -> None:
    """A close without a time, or before the opening, says no age rather than a wrong one."""
    payload = an_issue().closed(MONA, NOON).payload
    payload["issue"]["closed_at"] = closed_at
    assert lines(card_of(payload))[1] == "closed as completed by mona"


@pytest.mark.parametrize("created_at", [None, "yesterday"])
def test_an_opening_that_is_not_known_is_left_out(created_at: str | None) -> None:
    """Nothing is in its place, in either format."""
    payload = {**an_issue().opened().payload, "action": "edited"}
    payload["issue"]["created_at"] = created_at
    assert lines(card_of(payload))[0].endswith(" · octavia")
    assert [field["text"] for field in card_of(payload, format="full")["blocks"][2]["fields"]] == [
        "*Author*\noctavia"
    ]


def test_more_labels_than_fit_are_counted() -> None:
    """Six labels are shown, the others are a number."""
    message = card_of(an_issue(labels=[f"l{number}" for number in range(9)]).opened().payload)
    assert lines(message)[0].endswith(" · `l0` `l1` `l2` `l3` `l4` `l5` +3")
    six = card_of(an_issue(labels=[f"l{number}" for number in range(6)]).opened().payload)
    assert lines(six)[0].endswith(" `l5`")


def test_a_label_that_shows_nothing_is_a_question_mark() -> None:
    """An empty frame would be two backticks."""
    message = card_of(an_issue(labels=["\u200b"]).opened().payload)
    assert lines(message)[0].endswith(" · `?`")


@pytest.mark.parametrize("count", [0, -1, None, "2"])
def test_no_comments_are_not_counted(count: Any) -> None:
    """There is no small line for what is not there, or makes no sense."""
    payload = an_issue().opened().payload
    payload["issue"]["comments"] = count
    assert len(lines(card_of(payload))) == 1


def test_a_destination_without_a_number_says_so() -> None:
    """A number that the payload does not hold is not made up."""
    event, _ = an_issue().transferred(MONA, NOON, accounts.Repository(full_name="acme/lib"), 3)
    del event.payload["changes"]["new_issue"]["number"]
    assert lines(card_of(event.payload))[1] == "transferred to acme/lib#? by mona"


def test_null_user_and_body_and_an_empty_title() -> None:
    """A deleted author is a ghost as at GitHub, and a title that shows nothing is named."""
    payload = an_issue(author=None, title=" \u200b", body=None).opened().payload
    message = card_of(payload)
    assert message["text"] == "New issue: acme/app#7 (no title)"
    assert lines(message)[0].endswith("|(no title)> · new by ghost")


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
    assert lines(card_of(payload))[0].startswith(
        ":large_green_circle: *(unknown repository)#7* Export fails · "
    )


@pytest.mark.parametrize(
    ("created_at", "day"),
    [
        ("0001-01-01T00:00:00Z", "-01-01"),
        ("1969-12-31T23:59:59Z", "1969-12-31"),
        ("9999-12-31T23:59:59Z", "9999-12-31"),
    ],
)
def test_a_moment_that_slack_cannot_show_is_written_out(created_at: str, day: str) -> None:
    """Slack's date takes seconds since 1970 of at most eleven digits; other moments are plain text."""
    payload = {**an_issue().opened().payload, "action": "edited"}
    payload["issue"]["created_at"] = created_at
    message = card_of(payload)
    assert "<!date" not in lines(message)[0]
    assert lines(message)[0].endswith(day)


@pytest.mark.parametrize("format_", FORMATS)
def test_addresses_in_titles_do_not_become_links(format_: str) -> None:
    """What is mrkdwn is verbatim, so Slack leaves addresses, #names and @names as text."""

    def mrkdwn(value: Any) -> list[dict[str, Any]]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        here = [value] if isinstance(value, dict) and value.get("type") == "mrkdwn" else []
        return here + [found for each in inner for found in mrkdwn(each)]

    message = card_of(an_issue(title="see https://evil.example").closed(MONA, NOON).payload, format=format_)
    assert all(element["verbatim"] is True for element in mrkdwn(message["blocks"]))
    assert len(mrkdwn(message["blocks"])) >= 2


def test_metadata_is_the_contract() -> None:
    """The card can be found again by the repository's id and the number."""
    payload = an_issue().closed(MONA, NOON + timedelta(hours=1)).payload
    assert card_of(payload)["metadata"] == {
        "event_type": "issuewire_card",
        "event_payload": {
            "issue": f"{accounts.number_for('acme/app')}#7",
            "updated_at": "2026-01-05T13:00:00.000000Z",
            "deliveries": ["d-1"],
            "schema": 1,
        },
    }


# Who is mentioned.


@pytest.mark.parametrize("format_", FORMATS)
def test_assignees_are_mentioned_and_nobody_else(format_: str) -> None:
    """The author, who closed it, and logins that the routes file does not know are names."""
    issue = an_issue(author=MONA)
    issue.assigned(MONA, NOON, accounts.Account(login="W1"))
    issue.assigned(MONA, NOON, accounts.Account(login="stranger"))
    message = card_of(issue.closed(MONA, NOON).payload, format=format_, people=PEOPLE)
    assert sum(text.count("<@") for text in texts(message)) == 1
    assert any("<@W1>, stranger" in text for text in texts(message))
    assert "<" not in message["text"]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_new_issue_mentions_whom_the_route_names(format_: str) -> None:
    """Users and user groups; no later event does it again, and neither does the notice."""
    issue, mention = an_issue(), ("U1MONA", "W2", "S1TEAM")
    message = card_of(issue.opened().payload, format=format_, mention=mention)
    assert lines_of_context(message)[0].endswith("cc <@U1MONA> <@W2> <!subteam^S1TEAM>")
    assert "<" not in message["text"]
    later = card_of(issue.labeled(MONA, NOON, "bug").payload, format=format_, mention=mention)
    assert not any("<@" in text or "cc " in text for text in texts(later))


def lines_of_context(message: dict[str, Any]) -> list[str]:
    """Return the texts of the small line."""
    [block] = [block for block in message["blocks"] if block["type"] == "context"]
    return [element["text"] for element in block["elements"]]


def test_a_long_list_of_mentions_is_cut() -> None:
    """Fifty are mentioned, the others are a number: a card has its limits."""
    message = card_of(an_issue().opened().payload, mention=tuple(f"U{number:010}" for number in range(300)))
    assert lines(message)[1].count("<@") == 50
    assert lines(message)[1].endswith(" +250")


@pytest.mark.parametrize("format_", FORMATS)
def test_a_channel_that_an_issue_leaves_is_told(format_: str) -> None:
    """The card that stays behind says why it will not change any more."""
    message = card_of(an_issue().labeled(MONA, NOON, "bug").payload, format=format_, final_update=True)
    assert lines_of_context(message)[0].endswith("not followed here any more because of its labels")


# Who closed it.


def test_a_closed_issue_keeps_who_closed_it() -> None:
    """Who it was is known to the close alone; the card it made hands it on to every later one."""
    issue = an_issue()
    closed = card_of(issue.closed(MONA, NOON + timedelta(hours=3), "not_planned").payload)
    assert closed["blocks"][1]["block_id"] == "closed:2026-01-05T15:00:00.000000Z"
    commented = issue.commented(ANN, NOON + timedelta(hours=4), "why?")
    message = card_of(commented.payload, commented.name, before=closed)
    labeled = issue.labeled(ANN, NOON + timedelta(hours=5), "bug")
    message = card_of(labeled.payload, before=message)
    assert message["text"] == "Closed as not planned: acme/app#7 Export fails"
    assert lines(message)[1:] == ("closed as not planned by mona · 3 hours after opening", "· 1 comment")


def test_a_card_that_never_saw_the_close_does_not_guess_who_it_was() -> None:
    """When, and as what, is known to every event."""
    issue = an_issue()
    issue.closed(MONA, NOON + timedelta(hours=3), "not_planned")
    message = card_of(issue.labeled(ANN, NOON + timedelta(hours=4), "bug").payload)
    assert lines(message)[1:] == ("closed as not planned · 3 hours after opening",)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_close_that_comes_late_says_who_it_was(format_: str) -> None:
    """The newer card stays as it is but for that; an older close, and every other event, changes nothing."""
    issue, hour = an_issue(), timedelta(hours=1)
    before = issue.closed(ANN, NOON + hour)
    issue.reopened(ANN, NOON + 2 * hour)
    close = issue.closed(MONA, NOON + 3 * hour)
    labeled = issue.labeled(ANN, NOON + 4 * hour, "bug")
    message = card_of(labeled.payload, format=format_)
    told = late(message, close)
    assert lines_of_context(told)[0] == "closed as completed by mona · 3 hours after opening"
    assert lines_of_context(told)[1:] == lines_of_context(message)[1:]
    assert told["blocks"][:-1] == message["blocks"][:-1]
    assert late(told, labeled)["blocks"] == told["blocks"]
    stale = payloads.Event(
        name=close.name, payload={**close.payload, "issue": {**close.payload["issue"], "state": "open"}}
    )
    for event in (before, labeled, stale, issue.commented(MONA, NOON, "x")):
        assert late(message, event)["blocks"] == message["blocks"]


def test_of_two_closes_in_one_second_the_last_is_told() -> None:
    """By the second alone they cannot be told apart."""
    issue = an_issue()
    first = card_of(issue.closed(MONA, NOON).payload)
    issue.reopened(MONA, NOON)
    message = card_of(issue.closed(ANN, NOON).payload, before=first)
    assert lines(message)[1].startswith("closed as completed by ann")


def test_another_close_is_not_credited_to_who_closed_it_first() -> None:
    """Closed, reopened, closed by somebody else: until that close arrives, nobody is named."""
    issue, hour = an_issue(), timedelta(hours=1)
    first = card_of(issue.closed(MONA, NOON + hour).payload)
    issue.reopened(MONA, NOON + 2 * hour)
    issue.closed(ANN, NOON + 3 * hour)
    message = card_of(issue.labeled(MONA, NOON + 4 * hour, "bug").payload, before=first)
    assert lines(message)[1] == "closed as completed · 3 hours after opening"


@pytest.mark.parametrize(("reason", "words"), [("not_planned", " as not planned"), (None, "")])
def test_a_reason_that_was_changed_is_not_told_twice(reason: str | None, words: str) -> None:
    """Of two reasons for one close, the card shows the one that the issue has now."""
    issue = an_issue()
    closed = card_of(issue.closed(MONA, NOON, "completed").payload)
    issue.state_reason = reason
    message = card_of(issue.labeled(ANN, NOON, "bug").payload, before=closed)
    assert lines(message)[1] == f"closed{words} · less than a minute after opening"


@pytest.mark.parametrize("elements", [None, [], [{}], [{"text": 5}], [{"type": "image"}], "x"])
def test_a_block_that_slack_gives_back_otherwise_is_not_read(elements: Any) -> None:
    """What is in place of the closer's name never breaks a card."""
    issue = an_issue()
    closed = card_of(issue.closed(MONA, NOON).payload)
    closed["blocks"][1]["elements"] = elements
    message = card_of(issue.labeled(ANN, NOON, "bug").payload, before=closed)
    assert lines(message)[1] == "closed as completed · less than a minute after opening"
    assert late(closed, issue.closed(MONA, NOON))["blocks"] == closed["blocks"]


# The card at length.


def test_the_full_card_of_an_open_issue() -> None:
    """A headline, the title as a link, what is known, the beginning of the text as plain text, a link."""
    issue = an_issue(
        labels=["bug"], comments=1, body="<!-- hint -->\n**Since** 2.0 :bug:\n<!channel>\n- [ ] a"
    )
    issue.assigned(ANN, NOON, MONA)
    payload = issue.labeled(ANN, NOON, "p1").payload
    payload["issue"]["milestone"] = {"title": "v2 *"}
    message = card_of(payload, format="full", people=PEOPLE)
    header, title, fields, body, foot = message["blocks"]
    assert message["text"] == "Open issue: acme/app#7 Export fails"
    headline = {"type": "plain_text", "text": ":large_green_circle: Open issue · acme/app#7", "emoji": True}
    assert header["text"] == headline
    assert title["text"]["text"] == f"*{LINK}*"
    assert [field["text"] for field in fields["fields"]] == [
        "*Author*\noctavia",
        f"*Opened*\n{DATE}",
        "*Labels*\n`bug` `p1`",
        "*Assignees*\n<@U1MONA>",
        "*Milestone*\nv2 \u2217",
    ]
    assert body["text"] == {"type": "plain_text", "text": "Since 2.0 :bug:\n☐ a", "emoji": False}
    assert [element["text"] for element in foot["elements"]] == [
        "1 comment · <https://github.com/acme/app/issues/7|Open on GitHub>"
    ]


def test_the_full_card_leaves_out_what_is_not_known() -> None:
    """Without labels, assignees and milestone there is no empty field for them."""
    fields = card_of(an_issue().opened().payload, format="full")["blocks"][2]["fields"]
    assert [field["text"] for field in fields] == ["*Author*\noctavia", f"*Opened*\n{DATE}"]


@pytest.mark.parametrize(
    ("end", "headline", "words"),
    [
        (
            "closed",
            ":white_check_mark: Closed as completed",
            "closed as completed by mona · 2 hours after opening",
        ),
        ("deleted", ":wastebasket: Deleted", "deleted by mona"),
        ("transferred", ":rocket: Transferred", "transferred to acme/lib#3 by mona"),
    ],
)
def test_the_full_card_of_an_issue_that_is_done(end: str, headline: str, words: str) -> None:
    """It says how it ended, and its text is gone: that of a deleted issue had a reason to be."""
    issue, at = an_issue(body="secret"), NOON + timedelta(hours=2)
    event = {
        "closed": lambda: issue.closed(MONA, at),
        "deleted": lambda: issue.deleted(MONA, at),
        "transferred": lambda: issue.transferred(MONA, at, accounts.Repository(full_name="acme/lib"), 3)[0],
    }[end]()
    message = card_of(event.payload, format="full")
    assert message["blocks"][0]["text"]["text"] == f"{headline} · acme/app#7"
    assert lines_of_context(message)[0] == words
    assert not any("secret" in text for text in texts(message))


def test_the_full_card_has_no_button() -> None:
    """Slack warns whoever presses one, even for a mere address, unless the app has an endpoint for it."""
    message = card_of(an_issue().opened().payload, format="full")
    assert "button" not in json.dumps(message)
    assert {block["type"] for block in message["blocks"]} == {"header", "section", "context"}


@pytest.mark.parametrize(
    "body", [None, "", " \n", "<!-- only a hint -->", "![a picture](https://x.example/)"]
)
def test_without_a_text_there_is_no_empty_block(body: str | None) -> None:
    """Slack refuses an empty block."""
    message = card_of(an_issue(body=body).opened().payload, format="full")
    assert [block["type"] for block in message["blocks"]] == ["header", "section", "section", "context"]


# The line of an incoming webhook.


@pytest.mark.parametrize(
    ("action", "told", "muted"),
    [("opened", True, True), ("closed", True, False), ("reopened", True, False), ("labeled", False, False)],
)
def test_what_is_worth_a_line(action: str, told: bool, muted: bool) -> None:  # noqa: FBT001 - a table
    """What a muted sender does is not, but for a new issue: its author is not muted."""
    event = read({**an_issue().opened().payload, "action": action})
    assert card.has_line(event, Destination(channel="webhook")) is told
    assert card.has_line(event, Destination(channel="webhook", replies=False)) is muted


def test_the_line_says_what_happened_and_mentions_nobody() -> None:
    """There is no card to look at, so who reopened it is said there."""
    issue = an_issue(labels=["bug"])
    assert line_of(issue.opened().payload) == (
        f":large_green_circle: *acme/app#7* {LINK} · new by octavia · `bug`"
    )
    assert line_of(issue.closed(MONA, NOON + timedelta(hours=2)).payload) == (
        f":white_check_mark: *acme/app#7* {LINK} · octavia, {DAY} · `bug`"
        " · closed as completed by mona · 2 hours after opening"
    )
    assert line_of(issue.reopened(MONA, NOON).payload) == (
        f":large_green_circle: *acme/app#7* {LINK} · octavia, {DAY} · `bug` · reopened by mona"
    )
