"""The daily message: what it shows, its bounds, and hostile texts that stay text."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clients.slack.blocks import Message
from functions.digest.message import Readers, build
from local.slack.rules.arguments import check_arguments
from local.slack.rules.mrkdwn import CONTROL
from metrics.waiting import WaitingIssue
from tests.functions.digest.support import NOW, TEAM, berlin, ranked, waiting
from tests.support.hostile_text import text, texts, wire

GITHUB = "https://github.example"
READERS = Readers(github_url=GITHUB, people={"mona": "U1MONA", "kim": "U1KIM"}, away=TEAM.away)


def message_of(issues: list[WaitingIssue]) -> Message:
    """Return the message about the issues, the first 15 of which were confirmed."""
    entries = ranked(issues)
    made = build(entries[:15], entries[15:], READERS)
    assert made is not None
    return made


def lines(message: Message) -> list[str]:
    """Return the texts of its blocks."""
    return list(texts(list(message.blocks)))


def stamp(moment: datetime) -> str:
    """Return a time as Slack shows it to each reader."""
    seconds = int(moment.timestamp())
    return f"<!date^{seconds}^{{date_short_pretty}} {{time}}|{moment:%Y-%m-%d %H:%M} UTC>"


def test_the_message_says_who_waits_since_when_and_what_is_overdue() -> None:
    """Each issue has a link, how late it is, since when and of whom, its labels and assignees."""
    late = waiting(
        4, berlin(2, 12), title="Export fails", labels=("bug", "area: a"), assignees=("Mona", "kim", "lee")
    )
    soon, calm = waiting(3, berlin(5, 10), labels=("bug",)), waiting(1, berlin(5, 9), author=None)
    message = message_of([calm, soon, late])
    assert message.text == "Waiting for an answer: 1 overdue, 1 due soon, 1 waiting"
    link = "https://github.example/acme/app/issues"
    who = "`bug` `area: a` · assigned to <@U1MONA>, kim, lee"
    details = [
        f"*overdue by 5 working hours* · since {stamp(berlin(2, 12))} · by octavia · {who}",
        f"due in 1 working hour · since {stamp(berlin(5, 10))} · by octavia · `bug`",
        f"waiting for 8 working hours · since {stamp(berlin(5, 9))} · by ghost",
    ]
    assert lines(message) == [
        "Waiting for an answer",
        "1 overdue, 1 due soon, 1 waiting",
        ":red_circle: *Overdue*",
        f"*acme/app#4* <{link}/4|Export fails>\n{details[0]}",
        ":large_yellow_circle: *Due soon*",
        f"*acme/app#3* <{link}/3|Issue 3>\n{details[1]}",
        ":white_circle: *Waiting*",
        f"*acme/app#1* <{link}/1|Issue 1>\n{details[2]}",
    ]


def test_time_by_the_clock_is_not_called_working_time() -> None:
    """A calendar target counts hours, and less than one is said so."""
    [line] = lines(message_of([waiting(6, NOW - timedelta(hours=24.5), labels=("urgent",))]))[3:]
    assert "*overdue by less than an hour*" in line


def test_many_hours_are_grouped_by_thousands() -> None:
    """A long wait is read at a glance."""
    [line] = lines(message_of([waiting(6, NOW - timedelta(hours=2536), labels=("urgent",))]))[3:]
    assert "*overdue by 2,512 hours*" in line


def test_nobody_waits_so_there_is_no_message() -> None:
    """Without an issue to name there is no message."""
    assert build([], [], READERS) is None


def test_five_hundred_issues_are_fifteen_lines_and_a_number() -> None:
    """The message names 15 of 500 issues, counts the others, and keeps Slack's bounds."""
    issues = [
        waiting(
            n,
            berlin(1, 1) - timedelta(minutes=n),
            repository="o" * 39 + "/" + "r" * 100,
            title="&" * 300,
            author="a" * 39,
            labels=("bug", *(f"{n}-" + "&" * 50 for n in range(20))),
            assignees=tuple(f"{n}-" + "a" * 39 for n in range(20)),
        )
        for n in range(500)
    ]
    message = message_of(issues)
    assert lines(message)[-1] == "and 485 more issues"
    assert message.text == "Waiting for an answer: 500 overdue"
    sent = wire(message)
    assert sum("/issues/" in line for line in lines(message)) == 15
    assert len(sent["blocks"]) <= 50
    assert max(map(len, texts(sent))) <= 3_000
    assert len(json.dumps(sent)) <= 40_000


def test_one_more_is_one_more() -> None:
    """Sixteen issues are 15 lines and one more issue."""
    message = message_of([waiting(n, berlin(5, 9)) for n in range(16)])
    assert lines(message)[-1] == "and 1 more issue"


@given(st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_hostile_texts_stay_text(data: st.DataObject) -> None:
    """Whatever an issue carries, Slack takes the message, and only our links, dates and mentions are live."""

    def draw(strategy: st.SearchStrategy[Any]) -> Any:
        return data.draw(strategy)

    issue = waiting(
        draw(st.integers(1, 2**63 - 1)),
        draw(st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 7), timezones=st.just(UTC))),  # noqa: DTZ001
        repository=draw(text | st.just("acme/app")),
        title=draw(text | st.none()),
        author=draw(text | st.none()),
        labels=tuple(draw(st.lists(text, max_size=9))),
        assignees=tuple(draw(st.lists(text | st.sampled_from(["mona", "KIM"]), max_size=9))),
    )
    sent = wire(message_of([issue]))
    del sent["metadata"]
    assert check_arguments("chat.postMessage", {"channel": "C1", **sent}) == []
    for drawn in texts(sent):
        for construct in CONTROL.finditer(drawn):
            ours = (construct["url"] or "").startswith(f"{GITHUB}/acme/app/issues/")
            assert construct["stamp"] or ours or construct["user"] == "U1MONA", construct[0]
