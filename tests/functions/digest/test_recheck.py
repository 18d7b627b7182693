"""GitHub is asked whether issues still wait, and its absence holds nothing up."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from clients.github.client import GitHubClient
from clients.github.settings import GitHubSettings
from functions.digest.recheck import RECHECK_SECONDS, Recheck
from local.github.server import TOKEN, GitHubServer
from ops.send.accounts import Account
from tests.functions.digest.support import TEAM, berlin, waiting
from tests.support.clock import FakeClock
from tests.support.messages import an_issue

SINCE = berlin(5, 13)  # when an_issue is created


@pytest.fixture(scope="module")
def server() -> Iterator[GitHubServer]:
    """Run GitHub with one waiting, one answered and one closed issue."""
    with GitHubServer() as running:
        running.github.host("acme/app")
        for number in (1, 2, 3):
            issue = an_issue(number=number)
            running.github.emit("acme/app", issue.opened())
            said = SINCE + timedelta(hours=1)
            if number == 2:
                running.github.emit("acme/app", issue.commented(Account(login="mona"), said, "Yes"))
            if number == 3:
                running.github.emit("acme/app", issue.closed(Account(login="octavia"), said))
        yield running


@pytest.fixture
def github(server: GitHubServer) -> GitHubServer:
    """Return GitHub without faults, and without earlier requests."""
    server.clear_faults()
    server.requests.clear()
    return server


def recheck(server: GitHubServer, token: str = TOKEN, clock: FakeClock | None = None) -> Recheck:
    """Return what asks the server."""
    settings = GitHubSettings.from_environment({"GITHUB_API_URL": server.url, "GITHUB_TOKEN": token})
    return Recheck(
        lambda check: GitHubClient(settings, check, sleep=lambda _: None), TEAM, clock or FakeClock()
    )


def test_answered_and_closed_issues_wait_no_more(github: GitHubServer) -> None:
    """What the team answered and what was closed meanwhile waits no more; each is asked for once."""
    asked = recheck(github)
    found = [asked.still_waiting(waiting(number, SINCE)) for number in (1, 2, 3, 1, 2, 3)]
    assert found == [waiting(1, SINCE), None, None] * 2
    assert github.targets("/comments") == [
        f"/repos/acme/app/issues/{number}/comments?since=2026-01-05T12%3A00%3A00Z&per_page=100"
        for number in (1, 2, 3)
    ]


def test_without_a_token_every_issue_waits() -> None:
    """Without a client, nothing is asked."""
    assert Recheck(None, TEAM).still_waiting(waiting(2, SINCE)) == waiting(2, SINCE)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 503}, "github_slow"),
        ({"status": 403, "headers": {"retry-after": "60"}}, "github_slow"),
        ({"status": 403}, "github_refused"),
        ({"status": 200, "body": "[]"}, "github_odd"),
    ],
)
def test_github_away_is_one_warning(
    github: GitHubServer, caplog: pytest.LogCaptureFixture, fault: dict, reason: str
) -> None:
    """If GitHub fails, the issues wait as known, and it is not asked again in this run."""
    github.fail_next(100, **fault)
    asked = recheck(github)
    with caplog.at_level(logging.WARNING):
        assert [asked.still_waiting(waiting(n, SINCE)) for n in (2, 3)] == [waiting(n, SINCE) for n in (2, 3)]
    [line] = caplog.records
    assert (line.levelname, line.reason) == ("WARNING", reason)
    assert github.targets("/issues/3") == []


def test_a_wrong_token_is_one_warning(github: GitHubServer, caplog: pytest.LogCaptureFixture) -> None:
    """A refused token stops the questions, not the digest."""
    asked = recheck(github, token="ghp_wrong")
    assert asked.still_waiting(waiting(2, SINCE)) == waiting(2, SINCE)
    assert [line.reason for line in caplog.records] == ["token_refused"]
    assert "ghp_wrong" not in caplog.text


def test_an_issue_that_the_token_may_not_read_waits_as_known(
    github: GitHubServer, caplog: pytest.LogCaptureFixture
) -> None:
    """GitHub hides what a token may not read: such an issue is named, and the others are asked for."""
    asked = recheck(github)
    hidden = waiting(1, SINCE, repository="acme/secret", repository_id=9)
    assert asked.still_waiting(hidden) == hidden
    assert asked.still_waiting(waiting(2, SINCE)) is None
    assert [line.reason for line in caplog.records] == ["not_found"]


def test_a_name_that_makes_no_url_is_not_asked_for(github: GitHubServer) -> None:
    """A repository whose name is unknown or hostile makes no request."""
    odd = waiting(1, SINCE, repository="../../user")
    assert recheck(github).still_waiting(odd) == odd
    assert github.requests == []


def test_the_questions_end_when_their_time_is_up(
    github: GitHubServer, caplog: pytest.LogCaptureFixture
) -> None:
    """After their time, which begins with the first one, no issue is asked for any more."""
    clock = FakeClock()
    asked = recheck(github, clock=clock)
    clock.sleep(RECHECK_SECONDS)
    assert asked.still_waiting(waiting(2, SINCE)) is None
    clock.sleep(RECHECK_SECONDS)
    assert asked.still_waiting(waiting(3, SINCE)) == waiting(3, SINCE)
    assert [line.reason for line in caplog.records] == ["github_slow"]
