"""Who is of the team and who is a bot, as the view accounts says, which config/team.toml fills."""

import pytest

from ops import schema
from pipeline.team import Team
from tests.sql.cases import KIM, MONA, NOW, OCTAVIA, Case, at, dataset_at, picked
from tests.support.messages import NOON
from tests.support.warehouse import Warehouse

TEAM = """
[team]
logins = ["Mona"]
[bots]
logins = ["kim"]
"""
VIEWS = ("issue_events", "issue_history", "issue_timelines", "issues", "time_to_first_response")


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a dataset in which mona is the team, and kim a bot, whatever GitHub says of them."""
    name = dataset_at(NOW, warehouse, tmp_path_factory.mktemp("sql"), VIEWS)
    for statement in schema.statements(schema.SQL / "team" / "accounts.sql", name, Team.parse(TEAM)):
        warehouse.query(statement, name)
    return name


@pytest.fixture(scope="module")
def prepared() -> None:
    """Return nothing: these tests have a dataset of their own."""


def test_the_list_decides_who_is_of_the_team(case: Case) -> None:
    """With a list, GitHub's association counts for nothing, and case does not matter."""
    issue = case.issue()
    events = [
        issue.opened(),
        issue.commented(OCTAVIA, at(hours=1), "Also in 2.4."),
        issue.commented(MONA, at(hours=2), "Which version?"),
        issue.commented(OCTAVIA, at(hours=3), "This one."),
    ]
    events[1].payload["comment"]["author_association"] = "OWNER"
    events[2].payload["comment"]["author_association"] = "NONE"
    events[2].payload["comment"]["user"]["login"] = "MONA"
    case.store(*events)
    assert picked(case.one(), "first_team_response_at", "waiting_since") == (at(hours=2), at(hours=3))


def test_a_listed_bot_answers_nobody(case: Case) -> None:
    """A comment of a listed bot is no response and no word, though GitHub says that its type is User."""
    issue = case.issue()
    case.store(issue.opened(), issue.commented(KIM, at(hours=1), "Thanks!"))
    assert picked(case.one(), "first_response_at", "waiting_since") == (None, NOON)
    assert picked(case.one("time_to_first_response"), "n", "unanswered", "bot_authored") == (0, 1, 0)


def test_issues_of_a_listed_bot(case: Case) -> None:
    """An issue that a listed bot opened is bot-authored: it waits for nobody, and is counted apart."""
    issue = case.issue(author=KIM)
    case.store(issue.opened(), issue.commented(OCTAVIA, at(hours=1), "What is this?"))
    assert picked(case.one(), "is_bot_authored", "waiting_on_us") == (True, False)
    assert picked(case.one("time_to_first_response"), "n", "unanswered", "bot_authored") == (0, 0, 1)


def test_the_team_answers_itself(case: Case) -> None:
    """An own comment is no response, also of the team; an outsider's is none of the team's."""
    issue = case.issue(author=MONA)
    case.store(
        issue.opened(),
        issue.commented(MONA, at(hours=1), "A note."),
        issue.commented(OCTAVIA, at(hours=2), "Me too."),
    )
    assert picked(case.one(), "first_response_at", "first_team_response_at", "waiting_since") == (
        at(hours=2),
        None,
        at(hours=2),
    )


def test_a_team_s_answer_before_the_first_event(case: Case) -> None:
    """Whether the team answered before the first event is not known: its first response is null then."""
    issue = case.issue(comments=2)
    case.store(issue.commented(MONA, at(days=1), "Still there?"))
    assert picked(case.one(), "response_unknown", "first_team_response_at", "waiting_on_us") == (
        True,
        None,
        False,
    )
