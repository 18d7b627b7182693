"""The view time_to_first_response counts the first comment that is a response."""

from datetime import timedelta

from tests.sql.cases import BOT, KIM, MONA, OCTAVIA, OLD_BOT, Case, at, picked
from tests.sql.deliveries import Subject


def test_comments_of_bots_and_the_author_are_no_response(case: Case) -> None:
    """Comments of bots, by type or login, and of the author are no response; the first other comment is."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.commented(BOT, at(hours=1), "Thanks!"),
        issue.commented(OLD_BOT, at(hours=2), "Stale?"),
        issue.commented(OCTAVIA, at(hours=3), "No."),
        issue.commented(MONA, at(hours=25), "Looking."),
        issue.commented(KIM, at(hours=26), "Me too."),
    )
    assert picked(case.one(), "first_response_at", "time_to_first_response_hours") == (at(hours=25), 25.0)
    assert picked(
        case.one("time_to_first_response"), "n", "answered_within_24h", "answered_within_72h", "unanswered"
    ) == (1, 0, 1, 0)


def test_an_issue_without_a_response(case: Case) -> None:
    """An open issue with comments by bots and its author only is counted as unanswered, not dropped."""
    issue = case.issue()
    case.store(issue.opened(), issue.commented(BOT, at(hours=1), "Thanks!"))
    assert case.one("time_to_first_response") == {
        "repository_id": case.repository.id,
        "repository": case.repository.full_name,
        "n": 0,
        "p50_hours": None,
        "p90_hours": None,
        "answered_within_24h": 0,
        "answered_within_72h": 0,
        "unanswered": 1,
        "unknown": 0,
        "closed_unanswered": 0,
        "bot_authored": 0,
    }
    assert case.one("open_issues")["answered"] is False


def test_closed_without_a_response(case: Case) -> None:
    """A closed issue without a response is neither answered nor unanswered."""
    issue = case.issue()
    case.store(issue.opened(), issue.closed(MONA, at(hours=1)))
    assert picked(case.one("time_to_first_response"), "n", "unanswered") == (0, 0)


def test_an_issue_of_a_deleted_account(case: Case) -> None:
    """On an issue of a deleted account, a comment of a deleted account may be by the same person."""
    issue = case.issue(author=None)
    case.store(
        issue.opened(), issue.commented(None, at(hours=1), "?"), issue.commented(MONA, at(hours=2), "!")
    )
    assert picked(case.one(), "author", "author_type", "first_response_at") == (None, None, at(hours=2))


def test_a_comment_of_a_deleted_account(case: Case) -> None:
    """A comment by a deleted account on another account's issue is a response."""
    issue = case.issue()
    case.store(issue.opened(), issue.commented(None, at(hours=1), "Try this."))
    assert case.one()["first_response_at"] == at(hours=1)


def test_an_author_whose_account_is_deleted_later(case: Case) -> None:
    """If the author's account is deleted later, the author's earlier comments do not become responses."""
    issue = case.issue()
    events = [issue.opened(), issue.commented(OCTAVIA, at(hours=1), "Also in 2.4.")]
    issue.author = None
    case.store(*events, issue.labeled(MONA, at(hours=2), "bug"))
    assert picked(case.one(), "author", "first_response_at") == (None, None)


def test_edited_and_deleted_comments(case: Case) -> None:
    """An edit or a deletion is no new comment, and does not undo the response."""
    issue = case.issue()
    opened, answer = issue.opened(), issue.commented(MONA, at(hours=1), "Looking.")
    case.store(
        opened,
        answer,
        issue.comment_changed("edited", answer, MONA, at(hours=2)),
        issue.comment_changed("deleted", answer, MONA, at(hours=3)),
    )
    assert picked(case.one(), "state", "first_response_at") == ("open", at(hours=1))


def test_a_comment_known_only_by_its_edit(case: Case) -> None:
    """A response whose own delivery is missing is dated by the created_at in its edit."""
    issue = case.issue()
    opened, answer = issue.opened(), issue.commented(MONA, at(hours=1), "Looking.")
    case.store(opened, issue.comment_changed("edited", answer, MONA, at(hours=9)))
    assert case.one()["first_response_at"] == at(hours=1)


def test_exactly_24_hours(case: Case) -> None:
    """A response after exactly 24 hours is within 24 hours; one second later is not."""
    first, second = case.issue(1), case.issue(2)
    case.store(
        first.opened(),
        second.opened(),
        first.commented(MONA, at(hours=24), "Hi."),
        second.commented(MONA, at(hours=24) + timedelta(seconds=1), "Hi."),
    )
    assert picked(case.one("time_to_first_response"), "n", "answered_within_24h") == (2, 1)


def test_an_old_issue_may_have_been_answered_before(case: Case) -> None:
    """A comment on an issue older than the webhook is no first response if there were others before."""
    issue = case.issue(created_at=at(days=-700), comments=14)
    case.store(issue.commented(MONA, at(hours=1), "Done."), issue.commented(KIM, at(hours=2), "Thanks."))
    assert picked(case.one(), "first_response_at", "time_to_first_response_hours", "response_unknown") == (
        None,
        None,
        True,
    )
    assert picked(case.one("time_to_first_response"), "n", "p50_hours", "unanswered", "unknown") == (
        0,
        None,
        0,
        1,
    )
    assert case.one("open_issues")["answered"] is None
    assert set(case.weeks("p50_hours_to_first_response").values()) == {None}


def test_an_old_issue_with_comments_is_not_unanswered(case: Case) -> None:
    """An issue older than the webhook that has comments is unknown, whether open or closed."""
    first, second, third = (case.issue(number, comments=2) for number in (1, 2, 3))
    third.comments = 0
    case.store(
        first.labeled(MONA, at(hours=1), "bug"),
        second.closed(MONA, at(hours=1)),
        third.labeled(MONA, at(hours=1), "bug"),
    )
    assert picked(case.one("time_to_first_response"), "n", "unanswered", "unknown") == (0, 1, 2)
    answered = {row["issue_number"]: row["answered"] for row in case.ask("open_issues")}
    assert answered == {1: None, 3: False}


def test_an_old_issue_without_comments(case: Case) -> None:
    """After an event that shows an old issue without comments, the next one is its first response."""
    issue = case.issue(created_at=at(days=-10))
    case.store(issue.labeled(MONA, at(hours=1), "bug"), issue.commented(MONA, at(hours=2), "Looking."))
    assert picked(case.one(), "time_to_first_response_hours", "response_unknown") == (242.0, False)


def test_a_comment_that_counts_none_before_it(case: Case) -> None:
    """GitHub counts the comments before the new one: a first event with 0 is the first response."""
    issue = case.issue()
    comment = issue.commented(MONA, at(hours=2), "Looking.")
    comment.payload["issue"]["comments"] = 0
    case.store(comment)
    assert picked(case.one(), "time_to_first_response_hours", "response_unknown") == (2.0, False)


def test_none_left_after_the_response(case: Case) -> None:
    """An event that shows no comments after the response proves nothing: others may have been deleted too."""
    issue = case.issue(comments=3)
    comment = issue.commented(MONA, at(hours=2), "Looking.")
    issue.comments = 0
    case.store(comment, issue.labeled(MONA, at(hours=3), "bug"), issue.commented(KIM, at(hours=4), "!"))
    assert picked(case.one(), "first_response_at", "response_unknown") == (None, True)


def test_the_edit_of_an_old_comment(case: Case) -> None:
    """The edit of a comment from before the webhook is no first response."""
    issue = case.issue()
    answer = issue.commented(MONA, at(hours=1), "Looking.")
    issue.commented(KIM, at(hours=2), "Me too.")
    case.store(issue.comment_changed("edited", answer, MONA, at(days=9)))
    assert picked(case.one(), "first_response_at", "response_unknown") == (None, True)


def test_an_opening_that_counts_no_comments(case: Case) -> None:
    """An `opened` without the number of comments has none."""
    issue = case.issue()
    opened = issue.opened()
    del opened.payload["issue"]["comments"]
    case.store(opened)
    assert case.one("time_to_first_response")["unanswered"] == 1


def test_an_issue_that_was_answered_before_it_moved(case: Case) -> None:
    """An issue that is transferred with comments is unknown; one without comments is unanswered."""
    answered, waiting = (
        Subject(repository=case.other, number=number, title="Old", author=OCTAVIA, created_at=at(days=-30))
        for number in (1, 2)
    )
    answered.commented(MONA, at(days=-29), "Looking.")
    _, first, there = answered.moved(MONA, at(days=1), case.repository, 7)
    _, second, _ = waiting.moved(MONA, at(days=1), case.repository, 8)
    case.store(first, second, there.commented(MONA, at(days=2), "Now here."))
    assert picked(case.one("time_to_first_response"), "n", "unanswered", "unknown") == (0, 1, 1)
    assert {row["issue_number"]: row["answered"] for row in case.ask("open_issues")} == {7: None, 8: False}
