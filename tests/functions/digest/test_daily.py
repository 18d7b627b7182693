"""What is named is asked for again first; what was answered meanwhile is not named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from clients.slack.blocks import Message
from functions.digest.daily import Daily
from functions.digest.message import Readers
from metrics.waiting import WaitingIssue
from tests.functions.digest.support import NOW, TEAM, berlin, waiting
from tests.support.hostile_text import texts

type StillWaiting = Callable[[WaitingIssue], WaitingIssue | None]


def daily(issues: list[WaitingIssue], still_waiting: StillWaiting = lambda issue: issue) -> Message | None:
    """Return the message about acme's repositories."""
    readers = Readers(github_url="https://github.com")
    found = Daily(issues=issues, team=TEAM, readers=readers, now=NOW, still_waiting=still_waiting)
    return found.message("C0123456789", ["acme/*"])


def numbers(message: Message | None) -> list[int]:
    """Return the numbers of the issues that the message names."""
    drawn = texts(list(message.blocks) if message else [])
    return [int(line.partition("#")[2].partition("*")[0]) for line in drawn if line.startswith("*acme/")]


def test_what_was_answered_meanwhile_is_not_named() -> None:
    """An issue that waits no more is neither named nor counted, and the next one is named instead."""
    issues = [waiting(n, berlin(5, 9) + timedelta(minutes=n)) for n in range(20)]
    message = daily(issues, lambda issue: issue if issue.number >= 3 else None)
    assert numbers(message) == list(range(3, 18))
    assert message is not None
    assert message.text == "Waiting for an answer: 17 waiting"


def test_only_what_is_named_is_asked_for() -> None:
    """Of 500 issues, 15 are asked for again."""
    asked = []

    def still_waiting(issue: WaitingIssue) -> WaitingIssue:
        asked.append(issue.number)
        return issue

    daily([waiting(n, berlin(5, 9) - timedelta(minutes=n)) for n in range(500)], still_waiting)
    assert asked == list(range(499, 484, -1))


def test_everything_was_answered_meanwhile() -> None:
    """If nothing waits any more, there is no message."""
    assert daily([waiting(1, berlin(5, 9))], lambda _: None) is None
    assert daily([]) is None


def test_an_issue_that_waits_for_a_shorter_time_moves_down() -> None:
    """An issue that was answered and asked again takes its place by its new wait."""
    later = berlin(7, 8)
    overdue, soon = waiting(1, berlin(2, 9), labels=("bug",)), waiting(2, berlin(5, 10), labels=("bug",))

    def still_waiting(issue: WaitingIssue) -> WaitingIssue:
        return replace(issue, waiting_since=later) if issue.number == 1 else issue

    message = daily([overdue, soon], still_waiting)
    assert numbers(message) == [2, 1]
    assert message is not None
    assert message.text == "Waiting for an answer: 1 due soon, 1 waiting"
