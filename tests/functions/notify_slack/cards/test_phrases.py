"""The wording of cards: durations, dates, lists, and what replaces missing values."""

from datetime import timedelta
from typing import Any

import pytest

from functions.notify_slack.cards import thread_reply
from functions.notify_slack.routing.routes import Destination
from ops.send import accounts
from tests.functions.notify_slack.cards.support import MONA, card_of, event_of, lines
from tests.support.messages import NOON, an_issue


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
def test_a_duration_is_in_the_largest_unit_that_fits_twice(age: timedelta, words: str) -> None:
    """A duration is in the largest unit that fits twice, so that 47 hours are not one day."""
    message = card_of(an_issue().closed(MONA, NOON + age).payload)
    assert lines(message)[1] == f"closed as completed by mona · {words} after opening"


@pytest.mark.parametrize("closed_at", [None, "", "yesterday", "2025-01-01T00:00:00Z", 5])
def test_an_unknown_duration_is_left_out(closed_at: Any) -> None:
    """No duration is shown for a close without a time or before the opening."""
    payload = an_issue().closed(MONA, NOON).payload
    payload["issue"]["closed_at"] = closed_at
    assert lines(card_of(payload))[1] == "closed as completed by mona"


@pytest.mark.parametrize("created_at", [None, "yesterday"])
def test_an_unknown_opening_time_is_left_out(created_at: str | None) -> None:
    """An unknown opening time is omitted in both layouts."""
    payload = {**an_issue().opened().payload, "action": "edited"}
    payload["issue"]["created_at"] = created_at
    assert lines(card_of(payload))[0].endswith(" · octavia")
    assert [field["text"] for field in card_of(payload, format="full")["blocks"][2]["fields"]] == [
        "*Author*\noctavia"
    ]


@pytest.mark.parametrize(
    ("created_at", "day"),
    [
        ("0001-01-01T00:00:00Z", "-01-01"),
        ("1969-12-31T23:59:59Z", "1969-12-31"),
        ("9999-12-31T23:59:59Z", "9999-12-31"),
    ],
)
def test_a_time_that_slack_cannot_format_is_plain_text(created_at: str, day: str) -> None:
    """A time of more than eleven digits in seconds is plain text, because Slack cannot format it."""
    payload = {**an_issue().opened().payload, "action": "edited"}
    payload["issue"]["created_at"] = created_at
    message = card_of(payload)
    assert "<!date" not in lines(message)[0]
    assert lines(message)[0].endswith(day)


# Lists and counts


def test_more_labels_than_fit_are_counted() -> None:
    """At most six labels are shown; the others are counted."""
    message = card_of(an_issue(labels=[f"l{number}" for number in range(9)]).opened().payload)
    assert lines(message)[0].endswith(" · `l0` `l1` `l2` `l3` `l4` `l5` +3")
    six = card_of(an_issue(labels=[f"l{number}" for number in range(6)]).opened().payload)
    assert lines(six)[0].endswith(" `l5`")


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        (":bug: bug", ":bug: `bug`"),
        ("type :+1: good", "`type` :+1: `good`"),
        (":bug:", ":bug:"),
        (":+1::skin-tone-2: ok", ":+1::skin-tone-2: `ok`"),
        ("a::b: 1:2:3", "`a::b: 1:2:3`"),
        ("area:ui:forms", "`area:ui:forms`"),
        (":Bug: x", "`:Bug: x`"),
        (":_x_: y", "`:_x_: y`"),
        ("a `b` :c:", "`a 'b'` :c:"),
    ],
)
def test_an_emoji_in_a_label_is_drawn(label: str, shown: str) -> None:
    """GitHub draws the emoji that a label names; Slack draws it outside of code only."""
    assert lines(card_of(an_issue(labels=[label]).opened().payload))[0].endswith(f" · {shown}")


def test_an_invisible_label_is_a_question_mark() -> None:
    """A label without a visible character is a question mark, because empty code would be two backticks."""
    message = card_of(an_issue(labels=["\u200b"]).opened().payload)
    assert lines(message)[0].endswith(" · `?`")


def test_a_long_list_of_mentions_is_cut() -> None:
    """At most fifty people are mentioned; the others are counted."""
    message = card_of(an_issue().opened().payload, mention=tuple(f"U{number:010}" for number in range(300)))
    assert lines(message)[1].count("<@") == 50
    assert lines(message)[1].endswith(" +250")


@pytest.mark.parametrize("count", [0, -1, None, "2"])
def test_a_missing_or_malformed_comment_count_is_left_out(count: Any) -> None:
    """A missing or malformed number of comments is omitted."""
    payload = an_issue().opened().payload
    payload["issue"]["comments"] = count
    assert len(lines(card_of(payload))) == 1


# Missing values


def test_an_unknown_number_is_left_out() -> None:
    """Of a transfer without the new issue's number, the repository is shown."""
    event, _ = an_issue().transferred(MONA, NOON, accounts.Repository(full_name="acme/lib"), 3)
    del event.payload["changes"]["new_issue"]["number"]
    assert lines(card_of(event.payload))[1] == "transferred to acme/lib by mona"


def test_a_deleted_author_and_an_empty_title_have_names() -> None:
    """A deleted author is shown as ghost, as at GitHub, and an empty title as (no title)."""
    payload = an_issue(author=None, title=" \u200b", body=None).opened().payload
    message = card_of(payload)
    assert message["text"] == "New issue: acme/app#7 (no title)"
    assert lines(message)[0].endswith("|(no title)> · new by ghost")


@pytest.mark.parametrize("sender", [None, {}, {"login": None}, {"login": ""}, "x"])
def test_a_missing_sender_is_a_ghost(sender: Any) -> None:
    """A close without a sender is shown as one by ghost."""
    payload = an_issue().closed(MONA, NOON).payload
    payload["sender"] = sender
    assert lines(card_of(payload))[1].startswith("closed as completed by ghost")


def test_a_missing_repository_has_a_name() -> None:
    """A card without a repository's name shows (unknown repository)."""
    payload = an_issue().opened().payload
    del payload["repository"]["full_name"]
    assert lines(card_of(payload))[0].startswith(
        ":large_green_circle: *(unknown repository)#7* Export fails · "
    )


# Transfers


PUBLIC = {"full_name": "acme/lib", "private": False}
SECRET = {"full_name": "acme/secret-merger", "private": True}


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({"new_repository": PUBLIC, "new_issue": {"number": 3}}, " to acme/lib#3"),
        ({"new_repository": SECRET, "new_issue": {"number": 42}}, " to a private repository"),
        ({"new_repository": {"full_name": "acme/lib"}, "new_issue": {"number": 3}}, " to another repository"),
        ({"new_repository": {"private": False}, "new_issue": {"number": 3}}, " to another repository"),
        ({"new_repository": None, "new_issue": {"number": 3}}, " to another repository"),
        ({"new_repository": None, "new_issue": None}, ""),
        (None, ""),
    ],
)  # fmt: skip
def test_a_private_destination_has_no_name(there: Any, words: str) -> None:
    """The card and the thread of a public issue do not name the private repository that it went to."""
    payload = {
        **an_issue().opened().payload,
        "action": "transferred",
        "sender": MONA.as_json(),
        "changes": there,
    }
    assert lines(card_of(payload))[1] == f"transferred{words} by mona"
    reply = thread_reply.build(event_of(payload), Destination(channel="C1"))
    assert reply is not None
    assert reply.text == f"mona transferred this{words}"


def test_a_private_issue_names_its_private_destination() -> None:
    """A channel that shows a private repository is told which private one the issue went to."""
    payload = {**an_issue().opened().payload, "action": "transferred", "sender": MONA.as_json()}
    payload["repository"] = {**payload["repository"], "private": True}
    payload["changes"] = {"new_repository": SECRET, "new_issue": {"number": 42}}
    assert lines(card_of(payload))[1] == "transferred to acme/secret-merger#42 by mona"
