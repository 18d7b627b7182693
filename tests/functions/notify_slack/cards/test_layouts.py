"""A card has a compact and a full layout."""

import json
from datetime import timedelta

import pytest

from ops.send import accounts
from tests.functions.notify_slack.cards.support import (
    ANN,
    DAY,
    LAYOUTS,
    LINK,
    MONA,
    PEOPLE,
    card_of,
    context_texts,
    lines,
)
from tests.support.hostile_text import texts
from tests.support.messages import NOON, an_issue

DATE = "<!date^1767614400^{date_short_pretty} {time}|2026-01-05 12:00 UTC>"


# Compact


def test_an_opened_issue_is_one_line() -> None:
    """The card of a new issue shows number, title, author and labels, and says that it is new."""
    message = card_of(an_issue(labels=["bug", "needs `repro`"]).opened().payload)
    assert message["text"] == "New issue: acme/app#7 Export fails"
    assert lines(message) == (
        f":large_green_circle: *acme/app#7* {LINK} · new by octavia · `bug` `needs 'repro'`",
    )


def test_a_later_event_shows_the_current_issue() -> None:
    """The compact card shows when the issue was opened, its labels, its assignees and its comments."""
    issue = an_issue(labels=["bug"], comments=2)
    for number in range(8):
        event = issue.assigned(MONA, NOON, accounts.Account(login=f"w{number}"))
    message = card_of(event.payload)
    assert message["text"] == "Open issue: acme/app#7 Export fails"
    assert lines(message) == (
        f":large_green_circle: *acme/app#7* {LINK} · octavia, {DAY} · `bug`",
        "assigned to w0, w1, w2, w3, w4, w5, +2 · 2 comments",
    )


# Full


def test_the_full_layout_of_an_open_issue() -> None:
    """The full card has a headline, the linked title, the known fields, the start of the text, and a link."""
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


def test_the_full_layout_leaves_out_unknown_fields() -> None:
    """The full card omits labels, assignees and milestone if there are none."""
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
def test_the_full_layout_of_an_issue_that_has_ended(end: str, headline: str, words: str) -> None:
    """The full card says how the issue ended and omits the text, which may be why it was deleted."""
    issue, at = an_issue(body="secret"), NOON + timedelta(hours=2)
    event = {
        "closed": lambda: issue.closed(MONA, at),
        "deleted": lambda: issue.deleted(MONA, at),
        "transferred": lambda: issue.transferred(MONA, at, accounts.Repository(full_name="acme/lib"), 3)[0],
    }[end]()
    message = card_of(event.payload, format="full")
    assert message["blocks"][0]["text"]["text"] == f"{headline} · acme/app#7"
    assert context_texts(message)[0] == words
    assert not any("secret" in text for text in texts(message))


def test_the_full_layout_has_no_button() -> None:
    """The full card has no button: Slack shows a warning after a click unless the app has an endpoint."""
    message = card_of(an_issue().opened().payload, format="full")
    assert "button" not in json.dumps(message)
    assert {block["type"] for block in message["blocks"]} == {"header", "section", "context"}


@pytest.mark.parametrize("body", [None, "", " \n", "<!-- only a hint -->", "### A\n\n_No response_"])
def test_an_empty_text_makes_no_block(body: str | None) -> None:
    """An empty text makes no block, because Slack refuses an empty one."""
    message = card_of(an_issue(body=body).opened().payload, format="full")
    assert [block["type"] for block in message["blocks"]] == ["header", "section", "section", "context"]


# Both


@pytest.mark.parametrize("format_", LAYOUTS)
def test_a_card_says_that_its_issue_left_the_route(format_: str) -> None:
    """The card of an issue that left the route says that it will not change any more."""
    message = card_of(an_issue().labeled(MONA, NOON, "bug").payload, format=format_, final_update=True)
    assert context_texts(message)[0].endswith("not followed here any more because of its labels")
