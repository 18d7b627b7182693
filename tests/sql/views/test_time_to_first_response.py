"""The view time_to_first_response counts the first comment that is a response."""

from datetime import timedelta

from tests.sql.cases import BOT, KIM, MONA, OCTAVIA, OLD_BOT, Case, at, picked


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
