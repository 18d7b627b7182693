"""The words of the week's numbers."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from functions.digest import review_message
from local.slack.rules.arguments import check_arguments
from metrics.figures import Percentiles, Week
from metrics.week_review import WeekReview
from tests.support.hostile_text import PIECES

WEEK = Week(
    week=date(2026, 3, 9),
    opened=1_234,
    closed=10,
    backlog=138,
    response=Percentiles(n=14, p50=5.2, p90=50.0),
    close=Percentiles(n=3, p50=1.0, p90=2.0),
)
BEFORE = Week(
    week=date(2026, 3, 2), opened=9, closed=11, backlog=140, close=Percentiles(n=5, p50=30.0, p90=90.0)
)


def a_review(week: Week = WEEK, before: Week | None = BEFORE, **changes: Any) -> WeekReview:
    """Return a review of acme/app."""
    weeks = (before, week) if before else (week,)
    return replace(WeekReview(repositories=("acme/app",), week=week, before=before, weeks=weeks), **changes)


def shown(review: WeekReview) -> list[str]:
    """Return the texts of the message, without the character that joins a number and its unit."""
    message = review_message.build(review)
    arguments = {"text": message.text, "blocks": [dict(block) for block in message.blocks]}
    assert check_arguments("chat.postMessage", arguments) == []
    items = [
        item
        for block in message.blocks
        for item in (*block.get("fields", ()), *block.get("elements", ()), block.get("text"))
    ]
    return [item["text"].replace("\N{NO-BREAK SPACE}", " ") for item in items if item]


def test_the_week_stands_against_the_week_before() -> None:
    """The message has every number of the week, and that of the week before; few cases have no percentile."""
    assert shown(a_review()) == [
        "The week from 9 Mar to 15 Mar 2026",
        "acme/app",
        "*Opened*\n1,234\nthe week before: 9",
        "*Closed*\n10\nthe week before: 11",
        "*Open at its end*\n138\n2 fewer than the week before",
        "*First response*\nhalf within 5.2 h, nine of ten within 2.1 days (n = 14)\nthe week before: none",
        (
            "*Time to close*\ntoo few to say (n = 3)\n"
            "the week before: half within 30 h, nine of ten within 3.8 days (n = 5)"
        ),
        "Weeks begin on Monday, in UTC.",
    ]
    assert review_message.build(a_review()).text.replace("\N{NO-BREAK SPACE}", " ") == (
        "The week from 9 Mar to 15 Mar 2026: 1,234 opened, 10 closed, 138 open at its end"
    )


def test_a_first_week_says_that_nothing_is_known_before() -> None:
    """Without a week before, no number is compared, and the message says why."""
    texts = shown(a_review(before=None))
    assert not any("the week before" in text for text in texts[:-1])
    assert texts[-1] == "Nothing is known of the week before. Weeks begin on Monday, in UTC."


def test_a_week_of_zeros_says_so() -> None:
    """A week without anything has zeros and no times, and is compared all the same."""
    quiet = Week(week=WEEK.week)
    assert shown(a_review(quiet, Week(week=BEFORE.week)))[2:7] == [
        "*Opened*\n0\nthe week before: 0",
        "*Closed*\n0\nthe week before: 0",
        "*Open at its end*\n0\nas the week before",
        "*First response*\nnone\nthe week before: none",
        "*Time to close*\nnone\nthe week before: none",
    ]


def test_many_repositories_are_named_and_counted_and_stay_text() -> None:
    """Five names are written out, and the others are a number; a hostile name stays text."""
    names = tuple(f"acme/{number}" for number in range(7))
    assert shown(a_review(repositories=names))[1] == "acme/0, acme/1, acme/2, acme/3, acme/4 and 2 more"
    for text in PIECES:
        assert shown(a_review(repositories=(text,)))


def test_the_picture_is_described_for_those_who_do_not_see_it() -> None:
    """The picture's description has the backlog at the end, and its highest with the week."""
    weeks = [replace(WEEK, week=WEEK.week - timedelta(weeks=ago), backlog=138 + ago) for ago in (2, 1, 0)]
    text = review_message.alt_text(a_review(weeks=tuple(weeks))).replace("\N{NO-BREAK SPACE}", " ")
    assert text == (
        "Open issues at the end of each week. 138 at the end of this week; the most were 140, "
        "in the week from 23 Feb 2026, of 3 weeks."
    )
