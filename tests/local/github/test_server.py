"""The GitHub stand-in answers and refuses as GitHub does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from local.github.server import GitHubServer
from ops.send import accounts
from tests.support.messages import NOON, an_issue

ISSUES = "/repos/acme/app/issues"
MONA = accounts.Account(login="mona")


def fill(server: GitHubServer, issues: int = 3) -> None:
    """Open issues, and comment on and close the first."""
    hosted = server.github.host("acme/app")
    for number in range(1, issues + 1):
        issue = an_issue(number=number, created_at=NOON + timedelta(hours=number))
        hosted.record(issue.opened())
        if number == 1:
            hosted.record(issue.commented(MONA, NOON + timedelta(days=1), "Fixed."))
            hosted.record(issue.closed(MONA, NOON + timedelta(days=2)))


def numbers(response: requests.Response) -> list[int]:
    """Return the numbers of the listed issues."""
    return [issue["number"] for issue in response.json()]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"User-Agent": ""}, 403),
        ({"X-GitHub-Api-Version": "2021-01-01"}, 400),
        ({"Accept": "text/html"}, 415),
    ],
)
def test_a_wrong_header_is_refused(ask: Any, headers: dict[str, str], status: int) -> None:
    """A wrong token, no User-Agent, an unknown version and another media type have GitHub's statuses."""
    assert ask("GET", "/repos/acme/app", **headers).status_code == status


@pytest.mark.parametrize(
    "path", ["/repos/acme/other", f"{ISSUES}/9", "/orgs/other/hooks", "/repositories/1", "/user", "/"]
)
def test_what_does_not_exist_is_not_found(ask: Any, path: str) -> None:
    """Unknown repositories, issues, organizations and routes are 404 with GitHub's body."""
    response = ask("GET", path)
    assert (response.status_code, response.json()["message"]) == (404, "Not Found")


def test_an_unknown_parameter_is_refused(ask: Any) -> None:
    """GitHub ignores a parameter that it does not know; the stand-in refuses it."""
    assert ask("GET", f"{ISSUES}?status=all").status_code == 400


def test_a_name_has_no_case(ask: Any) -> None:
    """A repository is found by its name in any case."""
    assert ask("GET", "/repos/ACME/App").json()["full_name"] == "acme/app"


def test_issues_are_filtered_and_sorted(server: GitHubServer, ask: Any) -> None:
    """By default the open issues come, newest first; the parameters choose others."""
    fill(server)
    assert numbers(ask("GET", ISSUES)) == [3, 2]
    assert numbers(ask("GET", f"{ISSUES}?state=all&sort=created&direction=asc")) == [1, 2, 3]
    assert numbers(ask("GET", f"{ISSUES}?state=all&sort=updated")) == [1, 3, 2]
    assert numbers(ask("GET", f"{ISSUES}?state=all&since=2026-01-06T00:00:00Z")) == [1]


def test_an_issue_has_comments_and_events(server: GitHubServer, ask: Any) -> None:
    """Comments and events are listed for the repository and for each issue."""
    fill(server)
    [comment] = ask("GET", f"{ISSUES}/comments").json()
    assert ask("GET", f"{ISSUES}/1/comments").json() == [comment]
    assert ask("GET", f"{ISSUES}/2/comments").json() == []
    newest, *_ = ask("GET", f"{ISSUES}/events").json()
    assert (newest["event"], newest["issue"]["number"]) == ("closed", 1)
    assert [event["event"] for event in ask("GET", f"{ISSUES}/1/events").json()] == ["subscribed", "closed"]
    assert ask("GET", f"{ISSUES}/1").json()["state"] == "closed"


@pytest.mark.parametrize("has_cursors", [False, True])
def test_links_lead_through_all_pages(server: GitHubServer, ask: Any, *, has_cursors: bool) -> None:
    """The Link header names the next page by the repository's id, as a number or as a cursor."""
    fill(server, 7)
    server.github.has_cursors = has_cursors
    found, response = [], ask("GET", f"{ISSUES}?state=all&direction=asc&per_page=3")
    while True:
        found.append(numbers(response))
        if "next" not in response.links:
            break
        url = response.links["next"]["url"]
        assert f"/api/v3/repositories/{accounts.number_for('acme/app')}/issues?" in url
        response = ask("GET", url.removeprefix(server.url))
    assert found == [[1, 2, 3], [4, 5, 6], [7]]


def test_a_page_has_at_most_a_hundred_entries(server: GitHubServer, ask: Any) -> None:
    """A larger per_page is cut to 100, and the default is 30."""
    fill(server, 101)
    assert len(ask("GET", f"{ISSUES}?per_page=500&state=all").json()) == 100
    assert len(ask("GET", ISSUES).json()) == 30


def test_old_events_are_not_listed(server: GitHubServer, ask: Any) -> None:
    """GitHub ends the list of events early: no link leads further, and a later page is refused."""
    fill(server, 3)
    server.github.event_pages = 1
    assert ask("GET", f"{ISSUES}/events?per_page=1").links == {}
    refused = ask("GET", f"{ISSUES}/events?per_page=1&page=2")
    assert (refused.status_code, "pagination is limited" in refused.json()["message"]) == (422, True)


def test_the_limit_is_counted(server: GitHubServer, ask: Any) -> None:
    """Every request uses up one of the hour's; without one left GitHub refuses, until the next hour."""
    server.github.remaining = 1
    assert ask("GET", ISSUES).headers["X-RateLimit-Remaining"] == "0"
    assert ask("GET", ISSUES).status_code == 403
    server.github.reset_at = 0
    assert ask("GET", ISSUES).headers["X-RateLimit-Remaining"] == "4999"


def test_the_clock_can_be_set(server: GitHubServer, ask: Any) -> None:
    """The Date header, of which there is one, is GitHub's clock."""
    server.github.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert ask("GET", ISSUES).headers["Date"] == "Sun, 01 Mar 2026 12:00:00 GMT"


def test_faults_hit_the_requests_that_they_name(server: GitHubServer, ask: Any) -> None:
    """A fault is for the next matching request, for one by its number, or for all until it is cleared."""
    server.fail_next(status=502, target="/comments")
    server.fail_next(status=500, number=3)
    assert [ask("GET", path).status_code for path in (ISSUES, f"{ISSUES}/comments")] == [200, 502]
    assert [ask("GET", ISSUES).status_code for _ in range(2)] == [500, 200]
    server.fail_until_cleared(status=429, message="slow down", headers={"Retry-After": "7"})
    refused = ask("GET", ISSUES)
    assert (refused.json(), refused.headers["Retry-After"]) == ({"message": "slow down"}, "7")
    server.clear_faults()
    assert ask("GET", ISSUES).status_code == 200
    assert len(server.targets("/comments$")) == 1


@pytest.mark.parametrize("fault", [{"drop": True}, {"half": True, "after": True}, {"hang": 0.01}])
def test_an_answer_can_be_lost(server: GitHubServer, ask: Any, fault: dict[str, Any]) -> None:
    """A connection may close before, or in the middle of, the answer."""
    server.fail_next(**fault)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ask("GET", ISSUES)


def test_an_account_is_found_in_any_case(server: GitHubServer, ask: Any) -> None:
    """An account that exists is shown; for any other name the answer is 404."""
    server.github.users.add("mona")
    assert ask("GET", "/users/Mona").json()["login"] == "Mona"
    assert ask("GET", "/users/octokat").status_code == 404
