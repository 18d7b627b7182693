"""The GitHub client reads all pages, retries transient failures, and reports others in one sentence."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clients.github import client as client_module
from clients.github.client import GitHubClient
from clients.github.responses import Forbidden, NotFound, PaginationLimit
from local.github.server import TOKEN, GitHubServer
from local.processes import free_port
from pipeline.errors import Unavailable
from tests.clients.github.rig import ALL, ISSUES, REPOSITORY, Clock, error_of, make_client, name_of


@pytest.mark.parametrize("has_cursors", [False, True])
def test_a_list_is_read_to_its_end(server: GitHubServer, client: GitHubClient, *, has_cursors: bool) -> None:
    """All pages are read by GitHub's own links, numbered or by cursor, a hundred entries each."""
    server.github.has_cursors = has_cursors
    numbers, path = [], ISSUES
    while path:
        page = client.page(path, ALL)
        numbers += [item["number"] for item in page.items]
        path = page.next or ""
    assert numbers == list(range(1, 251))
    assert len(server.targets("per_page=100")) == len(server.requests) == 3


def test_a_request_says_what_it_accepts(server: GitHubServer, client: GitHubClient) -> None:
    """Each request names the media type and the version of the API that the client was written for."""
    assert name_of(client) == "app"
    headers = server.requests[0].headers
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["user-agent"] == "issuewire"


def test_an_answer_has_github_s_time(server: GitHubServer, client: GitHubClient) -> None:
    """The time of reading is GitHub's own, because GitHub's timestamps are compared with it."""
    server.github.now = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
    assert client.page(ISSUES, ALL).read_at == server.github.now
    assert client.get(REPOSITORY)[1] == server.github.now


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 502, "body": "<html>"},
        {"status": 500},
        {"status": 200, "body": "not JSON"},
        {"half": True, "after": True},
        {"drop": True},
    ],
    ids=["502", "500", "not JSON", "half an answer", "no answer"],
)
def test_a_passing_failure_is_retried(
    server: GitHubServer, client: GitHubClient, clock: Clock, fault: dict[str, Any]
) -> None:
    """Errors of GitHub's servers and broken answers are retried, after pauses that double."""
    server.fail_next(3, **fault)
    assert name_of(client) == "app"
    assert clock.waits == [1, 2, 4]


def test_a_lasting_failure_is_one_sentence(server: GitHubServer, client: GitHubClient) -> None:
    """A failure that lasts for six tries is reported in one sentence with its last cause."""
    server.fail_until_cleared(status=502)
    error = error_of(client)
    assert (error.reason, len(server.requests)) == ("github_down", client_module.TRIES)
    assert str(error) == f"GitHub gives no answer: {server.url}/repos/acme/app answered 502."


def test_an_unreachable_github_is_one_sentence(server: GitHubServer, clock: Clock) -> None:
    """A GitHub that cannot be reached is tried six times."""
    client = make_client(server, clock, GITHUB_API_URL=f"http://127.0.0.1:{free_port()}")
    assert error_of(client).reason == "github_down"
    assert len(clock.waits) == client_module.TRIES - 1
    client.close()


def test_a_late_answer_is_not_waited_for(server: GitHubServer, clock: Clock) -> None:
    """A request ends after a time limit and is retried."""
    client = make_client(server, clock, timeout=(1.0, 0.2))
    server.fail_next(hang=30)
    assert name_of(client) == "app"
    assert "took too long" in clock.reasons[0]
    client.close()


@pytest.mark.parametrize(
    ("status", "message", "kind", "sentence"),
    [
        (401, "Bad credentials", Unavailable, "GitHub refuses the token (401)"),
        (404, "Not Found", NotFound, "does not exist, or the token may not read it (404)"),
        (410, "Issues are disabled", NotFound, "(410)"),
        (451, "Blocked", NotFound, "(451)"),
        (403, "Protected by SAML enforcement", Forbidden, "answered 403: Protected by SAML"),
        (422, "pagination is limited for this resource", PaginationLimit, "is not listed any further"),
        (
            422,
            "Pagination with the page parameter is not supported",
            PaginationLimit,
            "is not listed any further",
        ),
        (418, "", Unavailable, "answered 418"),
    ],
)
def test_a_refusal_is_not_retried(  # noqa: PLR0917 - fixtures are arguments
    server: GitHubServer,
    client: GitHubClient,
    clock: Clock,
    status: int,
    message: str,
    kind: type,
    sentence: str,
) -> None:
    """A refusal is an error after one request, in GitHub's words if it has some."""
    server.fail_until_cleared(status=status, message=message)
    error = error_of(client)
    assert type(error) is kind
    assert sentence in str(error)
    assert (len(server.requests), clock.waits) == (1, [])


def test_the_token_goes_to_github_only(server: GitHubServer, client: GitHubClient) -> None:
    """A link or redirect to another host is not followed, because the token would go with it."""
    with GitHubServer() as other:
        server.fail_next(status=200, body="[]", headers={"Link": f'<{other.url}/steal?page=2>; rel="next"'})
        page = client.page(ISSUES, ALL)
        assert page.next is not None
        with pytest.raises(Unavailable) as caught:
            client.page(page.next, {})
        assert caught.value.reason == "github_elsewhere"
        server.fail_until_cleared(status=301, headers={"Location": f"{other.url}/repos/acme/app"})
        assert error_of(client).reason == "github_elsewhere"
        assert other.requests == []


def test_a_renamed_repository_is_found(server: GitHubServer, client: GitHubClient) -> None:
    """GitHub redirects the old name; the client follows, with the token, a few times at most."""
    number = server.github.host("acme/app").repository.id
    server.fail_next(status=301, headers={"Location": f"/repositories/{number}"})
    assert client.get("/repos/acme/old")[0]["full_name"] == "acme/app"
    server.fail_until_cleared(status=301, headers={"Location": f"/repositories/{number}"})
    assert "answered 301" in str(error_of(client))


def test_a_netrc_does_not_replace_the_token(
    client: GitHubClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configured token is sent, whatever a .netrc file has for the host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert name_of(client) == "app"


def test_a_token_file_is_read_for_every_request(server: GitHubServer, clock: Clock, tmp_path: Path) -> None:
    """A token that is renewed during a long run is used from the next request on."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    client = make_client(server, clock, GITHUB_TOKEN_FILE=str(file))
    assert name_of(client) == "app"
    server.github.token = "ghp_second"
    assert error_of(client).reason == "token_refused"
    file.write_text("ghp_second")
    assert name_of(client) == "app"
    file.write_text("two tokens")
    assert error_of(client).reason == "github_token_malformed"
    file.unlink()
    assert error_of(client).reason == "github_token_unreadable"
    client.close()


@pytest.mark.parametrize("body", ["[1, 2]", '{"message": "?"}', "null", '"null"', "[[]]"])
def test_a_list_of_another_shape_is_refused(server: GitHubServer, client: GitHubClient, body: str) -> None:
    """An answer that is not a list of objects did not come from GitHub's API: one sentence."""
    server.fail_next(status=200, body=body)
    with pytest.raises(Unavailable) as caught:
        client.page(ISSUES, ALL)
    assert caught.value.reason == "github_odd"


def test_an_object_of_another_shape_is_refused(server: GitHubServer, client: GitHubClient) -> None:
    """An answer that is not an object did not come from GitHub's API: one sentence."""
    server.fail_next(status=200, body="[]")
    assert error_of(client).reason == "github_odd"
