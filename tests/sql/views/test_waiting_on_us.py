"""The view waiting_on_us lists the open issues in which somebody outside the team had the last word.

Without a list of the team, it is known by GitHub's association: mona and kim are members, octavia is not.
"""

from tests.sql.cases import BOT, KIM, MONA, OCTAVIA, OLD_BOT, Case, at, picked
from tests.support.messages import NOON


def test_an_issue_that_nobody_answered(case: Case) -> None:
    """An outsider's issue waits from its opening on; comments of bots are no words."""
    issue = case.issue(labels=["bug"])
    case.store(
        issue.opened(), issue.assigned(MONA, at(hours=1), KIM), issue.commented(BOT, at(hours=2), "Thanks!")
    )
    assert case.one("waiting_on_us") == {
        "repository_id": case.repository.id,
        "repository": case.repository.full_name,
        "issue_number": 7,
        "title": "Export fails",
        "url": issue.html_url,
        "author": "octavia",
        "opened_at": NOON,
        "waiting_since": NOON,
        "waiting_hours": 28 * 24.0,
        "working_hours": 28 * 24.0,
        "labels": ["bug"],
        "assignees": ["kim"],
    }


def test_the_team_had_the_last_word(case: Case) -> None:
    """After a comment of the team nobody waits, whatever else happens to the issue."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.commented(MONA, at(hours=1), "Which version?"),
        issue.commented(OLD_BOT, at(hours=2), "Stale?"),
        issue.labeled(MONA, at(hours=3), "question"),
    )
    assert picked(case.one(), "waiting_on_us", "waiting_since") == (False, None)
    assert case.ask("waiting_on_us") == []


def test_the_first_word_after_the_team_s_last(case: Case) -> None:
    """An issue waits since the first word of an outsider after the last of the team."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.commented(MONA, at(hours=1), "Which version?"),
        issue.commented(OCTAVIA, at(hours=2), "This one."),
        issue.commented(KIM, at(hours=3), "And before?"),
        issue.commented(OCTAVIA, at(hours=5), "The same."),
        issue.commented(OCTAVIA, at(hours=9), "Anybody?"),
        receipt=[0, 4, 5, 3, 2, 1],
    )
    assert picked(case.one(), "waiting_on_us", "waiting_since") == (True, at(hours=5))


def test_two_words_in_one_second(case: Case) -> None:
    """Of two comments in one second, the one with the higher id is the later one."""
    first, second = case.issue(1), case.issue(2)
    case.store(
        first.opened(),
        first.commented(MONA, at(hours=1), "Done."),
        first.commented(OCTAVIA, at(hours=1), "Still there."),
        second.opened(),
        second.commented(OCTAVIA, at(hours=1), "Still there."),
        second.commented(MONA, at(hours=1), "Done."),
        receipt=[0, 2, 1, 3, 5, 4],
    )
    found = {row["issue_number"]: row["waiting_since"] for row in case.ask("issues")}
    assert found == {1: at(hours=1), 2: None}


def test_edits_and_deletions_of_comments(case: Case) -> None:
    """An edited comment keeps its place, and a deleted one was a word all the same."""
    issue = case.issue()
    opened, question = issue.opened(), issue.commented(OCTAVIA, at(hours=1), "Well?")
    answer = issue.commented(MONA, at(hours=2), "Soon.")
    edited = issue.comment_changed("edited", question, OCTAVIA, at(hours=3))
    case.store(
        opened,
        question,
        answer,
        edited,
        (issue.comment_changed("deleted", answer, MONA, at(hours=4)), at(hours=4)),
    )
    assert case.one()["waiting_on_us"] is False


def test_an_issue_of_the_team(case: Case) -> None:
    """An issue that the team opened waits for nobody until an outsider speaks."""
    mine, asked = case.issue(1, author=MONA), case.issue(2, author=MONA)
    events = [mine.opened(), mine.commented(MONA, at(hours=1), "A note."), asked.opened()]
    events.append(asked.commented(OCTAVIA, at(hours=2), "Me too."))
    for event in events:
        event.payload["issue"]["author_association"] = "OWNER"
    events[1].payload["comment"]["author_association"] = "OWNER"
    events[3].payload["comment"]["author_association"] = "CONTRIBUTOR"
    case.store(*events)
    found = {row["issue_number"]: row["waiting_since"] for row in case.ask("issues")}
    assert found == {1: None, 2: at(hours=2)}


def test_issues_that_wait_for_nobody(case: Case) -> None:
    """Closed issues, those that left and those that a bot opened wait for nobody; a reopened one does."""
    closed, deleted, bots, reopened = (
        case.issue(number, author=BOT if number == 3 else OCTAVIA) for number in (1, 2, 3, 4)
    )
    case.store(
        closed.opened(),
        closed.closed(OCTAVIA, at(hours=1)),
        deleted.opened(),
        (deleted.deleted(MONA, at(hours=1)), at(hours=1)),
        bots.opened(),
        bots.commented(OCTAVIA, at(hours=1), "Hello"),
        reopened.opened(),
        reopened.closed(MONA, at(hours=1)),
        reopened.reopened(OCTAVIA, at(hours=2)),
    )
    assert [picked(row, "issue_number", "waiting_since") for row in case.ask("waiting_on_us")] == [(4, NOON)]


def test_a_person_moved_by_an_app(case: Case) -> None:
    """A comment that an app wrote with a person's account is that person's word."""
    issue = case.issue()
    answer = issue.commented(MONA, at(hours=1), "By mail: fixed.")
    answer.payload["comment"]["performed_via_github_app"] = {"slug": "mail-bridge"}
    case.store(issue.opened(), answer)
    assert picked(case.one(), "first_team_response_at", "waiting_on_us") == (at(hours=1), False)
