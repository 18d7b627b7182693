"""What GitHub says of an issue now decides whether it still waits."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from functions.digest.answers import still_waiting
from pipeline.accounts import Accounts
from tests.functions.digest.support import TEAM, berlin, waiting

ISSUE = waiting(7, berlin(5, 9))


def comment(at: datetime, login: str | None, kind: str = "User", association: str = "NONE") -> dict[str, Any]:
    """Return a comment as GitHub lists it."""
    user = None if login is None else {"login": login, "type": kind}
    return {"created_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "user": user, "author_association": association}


def ask(*comments: dict[str, Any], accounts: Accounts = TEAM, state: str = "open") -> datetime | None:
    """Return since when the issue waits."""
    found = still_waiting(ISSUE, {"state": state}, comments, accounts)
    assert found is None or found == replace(ISSUE, waiting_since=found.waiting_since)
    return found.waiting_since if found else None


def test_a_closed_issue_waits_no_more() -> None:
    """An issue that GitHub shows closed does not wait, whatever was said."""
    assert ask(state="closed") is None
    assert ask() == ISSUE.waiting_since


@pytest.mark.parametrize("login", ["mona", "Kim"])
def test_a_comment_of_the_team_answers(login: str) -> None:
    """A comment of any of the team answers, also of one who is away."""
    assert ask(comment(berlin(5, 10), login)) is None


@pytest.mark.parametrize(
    "other",
    [
        comment(berlin(5, 8), "mona"),
        comment(berlin(5, 9), "mona"),
        comment(berlin(5, 10), "octavia", association="OWNER"),
        comment(berlin(5, 10), None),
        comment(berlin(5, 10), "helper[bot]"),
        {"created_at": "soon", "user": {"login": "mona"}},
    ],
    ids=["before", "at the start", "outsider", "ghost", "bot", "odd"],
)
def test_other_comments_do_not(other: dict[str, Any]) -> None:
    """What was said before, or by others, leaves the issue waiting since the same time."""
    assert ask(other) == ISSUE.waiting_since


def test_without_a_list_the_association_tells_the_team() -> None:
    """Without [team] members and collaborators answer; bots among them do not."""
    nobody = Accounts(bots=("k8s-ci-robot",))
    for association in ("OWNER", "MEMBER", "COLLABORATOR"):
        assert ask(comment(berlin(5, 10), "lee", association=association), accounts=nobody) is None
    for login, kind in (("k8s-ci-robot", "User"), ("Copilot", "Bot"), ("x[bot]", "User")):
        said = comment(berlin(5, 10), login, kind, "MEMBER")
        assert ask(said, accounts=nobody) == ISSUE.waiting_since


def test_an_outsider_who_answers_the_answer_waits_since_then() -> None:
    """After an answer the issue waits since the first word of an outsider after it."""
    said = [
        comment(berlin(5, 10), "mona"),
        comment(berlin(5, 11), "helper[bot]", "Bot"),
        comment(berlin(5, 12), "octavia"),
        comment(berlin(5, 13), "octavia"),
    ]
    assert ask(*said) == berlin(5, 12)
