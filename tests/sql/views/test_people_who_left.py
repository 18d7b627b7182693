"""Whether a word is the team's depends on its own delivery, not on who has left or joined since."""

from typing import Any

from ops.send import payloads
from tests.sql.cases import MONA, OCTAVIA, Case, at, picked


def test_an_issue_of_a_team_member_who_left(case: Case) -> None:
    """An issue that a member opened waits for nobody, also after the member's account was deleted."""
    issue = case.issue(author=MONA)
    opened = of(issue.opened(), issue={"author_association": "MEMBER"})
    issue.author = None
    case.store(opened, of(issue.labeled(OCTAVIA, at(hours=1), "bug"), issue={"author_association": "NONE"}))
    assert picked(case.one(), "author", "waiting_on_us", "waiting_since") == (None, False, None)


def test_an_answer_of_a_team_member_who_left(case: Case) -> None:
    """An answer stays the team's if it is deleted after its author has left the team."""
    issue = case.issue()
    opened, answer = issue.opened(), issue.commented(MONA, at(hours=1), "Looking.")
    deleted = issue.comment_changed("deleted", answer, OCTAVIA, at(hours=9))
    assert answer.payload["comment"]["author_association"] == "MEMBER"
    case.store(opened, answer, (of(deleted, comment={"author_association": "NONE"}), at(hours=9)))
    assert picked(case.one(), "first_team_response_at", "waiting_on_us") == (at(hours=1), False)


def test_a_question_of_somebody_who_joined_the_team(case: Case) -> None:
    """A question of an outsider stays one if its author edits it as a member of the team."""
    issue = case.issue()
    opened, question = issue.opened(), issue.commented(MONA, at(hours=1), "And me?")
    asked = of(question, comment={"author_association": "NONE"})
    edited = issue.comment_changed("edited", question, MONA, at(hours=9))
    case.store(opened, asked, edited)
    found = case.one()
    assert picked(found, "waiting_on_us", "waiting_since") == (True, at())
    assert picked(found, "first_response_at", "first_team_response_at") == (at(hours=1), None)


def test_an_issue_of_somebody_who_joined_the_team(case: Case) -> None:
    """An issue that an outsider opened still waits after its author has joined the team."""
    issue = case.issue()
    label = of(issue.labeled(MONA, at(hours=1), "bug"), issue={"author_association": "MEMBER"})
    case.store(case.issue().opened(), label)
    assert picked(case.one(), "waiting_on_us", "waiting_since") == (True, at())


def test_two_comments_in_one_second(case: Case) -> None:
    """Of two comments in one second, the one with the larger id is the last word, in any order of receipt."""
    for number, (first, second) in {1: (OCTAVIA, MONA), 2: (MONA, OCTAVIA)}.items():
        issue = case.issue(number)
        comments = [issue.commented(first, at(days=1), "A", 8), issue.commented(second, at(days=1), "B", 9)]
        rows = [case.issue(number).opened(), *comments]
        case.insert(*(case.delivered(event, f"{number}/{n}", 9 - n) for n, event in enumerate(rows)))
    waiting = {row["issue_number"]: row["waiting_since"] for row in case.ask("issues")}
    assert waiting == {1: None, 2: at(days=1)}


def of(event: payloads.Event, **changes: dict[str, Any]) -> payloads.Event:
    """Return the event with fields of its issue or its comment replaced."""
    parts = {name: {**event.payload[name], **fields} for name, fields in changes.items()}
    return payloads.Event(name=event.name, payload=event.payload | parts)
