"""The GitHub client: pages, limits and failures, against a server that is strict about all three."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from clients.github import client as github_api
from clients.github.client import GitHubClient
from clients.github.responses import NotFound, PaginationLimit
from clients.github.settings import GitHubSettings
from local.processes import free_port
from ops.send import accounts
from pipeline.errors import ConfigurationError, Unavailable
from pipeline.settings import RotatingToken
from tests.ops.backfill.github_server import TOKEN, GitHubServer, Reply
from tests.support.messages import an_issue

ALL = {"state": "all", "sort": "created", "direction": "asc"}
ISSUES = "/repos/acme/app/issues"


class Wall:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.waits: list[float] = []
        self.reasons: list[str] = []
        self.before: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)
        self.before()

    def waiting(self, reason: str, until: datetime) -> None:
        """Hear why."""
        assert until > self.now
        self.reasons.append(reason)


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    """Host acme/app with 250 issues."""
    server = GitHubServer()
    kept = server.host(accounts.Repository(full_name="acme/app"))
    for number in range(1, 251):
        kept.observe(an_issue(number=number).opened())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def wall() -> Wall:
    """Give a clock."""
    return Wall()


def client(server: GitHubServer, wall: Wall, **settings: Any) -> GitHubClient:
    """Return the client under test."""
    values: dict[str, Any] = {
        "api_url": server.url,
        "token": RotatingToken(name="GITHUB_TOKEN", value=TOKEN),
        **settings,
    }
    return GitHubClient(GitHubSettings(**values), wall.waiting, sleep=wall.sleep, clock=lambda: wall.now)


@pytest.fixture
def api(server: GitHubServer, wall: Wall) -> Iterator[GitHubClient]:
    """Connect."""
    api = client(server, wall)
    yield api
    api.close()


def all_numbers(api: GitHubClient) -> list[int]:
    """Return the numbers of all issues, over all pages."""
    numbers, path = [], ISSUES
    while path:
        page = api.page(path, ALL)
        numbers += [item["number"] for item in page.items]
        path = page.next or ""
    return numbers


def refused(api: GitHubClient, path: str = "/repos/acme/app") -> Unavailable:
    """Return the error of a request; it never holds the token."""
    with pytest.raises(Unavailable) as caught:
        api.get(path)
    assert TOKEN not in str(caught.value)
    return caught.value


def once(reply: Reply, *, times: int = 1) -> Callable[[str, int], Reply | None]:
    """Return a fault that spoils the first requests."""
    return lambda _target, number: reply if number <= times else None


@pytest.mark.parametrize("cursors", [False, True])
def test_a_list_is_read_to_its_end(server: GitHubServer, api: GitHubClient, *, cursors: bool) -> None:
    """All pages are read by the links that GitHub gives, numbered or by cursor, a hundred entries each."""
    server.cursors = cursors
    assert all_numbers(api) == list(range(1, 251))
    assert len(server.requests) == 3
    assert all("per_page=100" in target for target in server.requests)


def test_a_page_says_when_github_read_it(server: GitHubServer, api: GitHubClient) -> None:
    """The time of reading is GitHub's own, for its times are to be compared with it."""
    server.now = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
    assert api.page(ISSUES, ALL).read_at == server.now
    assert api.get("/repos/acme/app").read_at == server.now


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=502, content="<html>"),
        Reply(status=500, content={"message": "Server Error"}),
        Reply(content="no json"),
        Reply(content={"name": "app"}, cut=5),
    ],
    ids=["502", "500", "no JSON", "cut short"],
)
def test_a_failure_that_passes_is_tried_again(
    server: GitHubServer, api: GitHubClient, wall: Wall, reply: Reply
) -> None:
    """Errors of GitHub's servers and broken answers are tried again, after pauses that double."""
    server.fault = once(reply, times=3)
    assert api.get("/repos/acme/app").content["full_name"] == "acme/app"
    assert wall.waits == [1, 2, 4]


def test_a_failure_that_stays_is_one_sentence(server: GitHubServer, api: GitHubClient) -> None:
    """After six tries the last thing that went wrong is said."""
    server.fault = once(Reply(status=502, content=""), times=99)
    error = refused(api)
    assert (error.reason, len(server.requests)) == ("github_down", github_api.TRIES)
    assert str(error) == f"GitHub gives no answer: {server.url}/repos/acme/app answered 502."


def test_nobody_there_is_one_sentence(server: GitHubServer, wall: Wall) -> None:
    """A GitHub that cannot be reached is tried again and then said."""
    api = client(server, wall, api_url=f"http://127.0.0.1:{free_port()}")
    assert refused(api).reason == "github_down"
    assert len(wall.waits) == github_api.TRIES - 1
    api.close()


def test_an_answer_that_does_not_come_is_given_up(
    server: GitHubServer, api: GitHubClient, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request has an end: it is tried again when GitHub stays silent."""
    monkeypatch.setattr(github_api, "TIMEOUT_SECONDS", (1.0, 0.2))
    server.fault = once(Reply(hang=True))
    assert api.get("/repos/acme/app").content["name"] == "app"
    assert "took too long" in wall.reasons[0]


@pytest.mark.parametrize(
    ("status", "message", "kind", "said"),
    [
        (401, "Bad credentials", Unavailable, "GitHub refuses the token (401)"),
        (404, "Not Found", NotFound, "does not exist, or the token may not read it (404)"),
        (410, "Issues are disabled", NotFound, "(410)"),
        (451, "Blocked", NotFound, "(451)"),
        (
            403,
            "Resource protected by SAML enforcement",
            Unavailable,
            "answered 403: Resource protected by SAML",
        ),
        (422, "pagination is limited for this resource", PaginationLimit, "is not listed any further"),
        (418, "", Unavailable, "answered 418"),
    ],
)
def test_a_refusal_is_said_at_once(  # noqa: PLR0917 - fixtures are arguments
    server: GitHubServer,
    api: GitHubClient,
    wall: Wall,
    status: int,
    message: str,
    kind: type[Exception],
    said: str,
) -> None:
    """What trying again cannot help is said after one request, in GitHub's words where it has some."""
    server.fault = once(Reply(status=status, content={"message": message}), times=9)
    error = refused(api)
    assert type(error) is kind
    assert said in str(error)
    assert (len(server.requests), wall.waits) == (1, [])


def test_the_hourly_limit_is_waited_for(server: GitHubServer, api: GitHubClient, wall: Wall) -> None:
    """When GitHub refuses for its hourly limit, the request is made again when the limit ends."""
    server.remaining, server.reset_at = 0, wall.now.timestamp() + 600
    server.now = wall.now
    wall.before = lambda: setattr(server, "remaining", 5000)
    assert api.get("/repos/acme/app").content["name"] == "app"
    assert wall.waits == [601]
    assert wall.reasons == ["GitHub's rate limit is used up"]


def test_the_last_request_of_the_hour_is_the_last(
    server: GitHubServer, api: GitHubClient, wall: Wall
) -> None:
    """An answer that leaves none to the hour is followed by a wait, not by a request in vain."""
    server.remaining, server.reset_at, server.now = 1, wall.now.timestamp() + 120, wall.now
    wall.before = lambda: setattr(server, "remaining", 5000)
    assert api.get("/repos/acme/app").content["name"] == "app"
    assert wall.waits == []
    assert api.get("/repos/acme/app").content["name"] == "app"
    assert (wall.waits, len(server.requests)) == ([121], 2)


def test_our_clock_may_be_wrong(server: GitHubServer, api: GitHubClient, wall: Wall) -> None:
    """The wait is counted from GitHub's own time: a laptop that is hours off waits no longer."""
    server.now = wall.now - timedelta(hours=5)
    server.remaining, server.reset_at = 0, server.now.timestamp() + 30
    server.fault = lambda _target, number: (
        Reply(status=403, content={"message": "API rate limit exceeded"}) if number == 1 else None
    )
    wall.before = lambda: setattr(server, "remaining", 5000)
    assert api.get("/repos/acme/app").content["name"] == "app"
    assert wall.waits == [31]


@pytest.mark.parametrize("status", [403, 429])
def test_retry_after_is_obeyed(server: GitHubServer, api: GitHubClient, wall: Wall, status: int) -> None:
    """A secondary limit that names its end is waited for as long as it says."""
    limited = Reply(status=status, content={"message": "secondary rate limit"}, headers={"Retry-After": "17"})
    server.fault = once(limited, times=2)
    assert api.get("/repos/acme/app").content["name"] == "app"
    assert wall.waits == [17, 17]


def test_a_secondary_limit_without_an_end_is_waited_for_longer_each_time(
    server: GitHubServer, api: GitHubClient, wall: Wall
) -> None:
    """It is a minute at first, then twice as long each time, as GitHub asks."""
    server.fault = once(
        Reply(status=403, content={"message": "You have exceeded a secondary rate limit"}), times=3
    )
    assert api.get("/repos/acme/app").content["name"] == "app"
    assert wall.waits == [60, 120, 240]


def test_a_limit_that_never_ends_is_said(server: GitHubServer, api: GitHubClient) -> None:
    """Waiting has an end too."""
    server.fault = once(Reply(status=429, content={}, headers={"Retry-After": "5"}), times=99)
    assert refused(api).reason == "rate_limited"
    assert len(server.requests) == github_api.LIMITED_TRIES + 1


def test_a_limit_of_over_an_hour_says_when_to_come_back(
    server: GitHubServer, api: GitHubClient, wall: Wall
) -> None:
    """Nobody waits in front of a terminal for hours: the time is said instead."""
    wall.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    server.fault = once(Reply(status=429, content={}, headers={"Retry-After": str(5 * 3600)}))
    error = refused(api)
    assert "until 2026-03-01 17:00 UTC; run the same command again then" in str(error)
    assert wall.waits == []


def test_nothing_goes_elsewhere(server: GitHubServer, api: GitHubClient) -> None:
    """A link or redirect to another host is not followed: the token would go with it."""
    other = GitHubServer()
    other.start()
    link = Reply(content=[], headers={"Link": f'<{other.url}/steal?page=2>; rel="next"'})
    server.fault = once(link)
    page = api.page(ISSUES, ALL)
    assert page.next is not None
    with pytest.raises(Unavailable) as caught:
        api.page(page.next, {})
    assert caught.value.reason == "github_elsewhere"
    server.fault = once(Reply(status=301, headers={"Location": f"{other.url}/repos/acme/app"}), times=9)
    assert refused(api).reason == "github_elsewhere"
    assert other.requests == []
    other.stop()


def test_a_renamed_repository_is_found(server: GitHubServer, api: GitHubClient) -> None:
    """GitHub redirects the old name; that is followed, with the token, a few times at most."""
    moved = Reply(
        status=301, headers={"Location": f"/repositories/{server.hosted['acme/app'].repository.id}"}
    )
    server.fault = once(moved)
    assert api.get("/repos/acme/old").content["full_name"] == "acme/app"
    server.fault = once(moved, times=99)
    assert "answered 301" in str(refused(api))


def test_a_netrc_does_not_replace_the_token(
    api: GitHubClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token that is set is the one that is sent, whatever a .netrc holds for the host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert api.get("/repos/acme/app").content["name"] == "app"


def test_a_token_file_is_read_for_every_request(server: GitHubServer, wall: Wall, tmp_path: Path) -> None:
    """A token that is renewed while a long run goes on is taken from the next request on."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    api = client(server, wall, token=RotatingToken(name="GITHUB_TOKEN", file=file))
    assert api.get("/repos/acme/app").content["name"] == "app"
    server.token = "ghp_second"
    assert refused(api).reason == "token_refused"
    file.write_text("ghp_second")
    assert api.get("/repos/acme/app").content["name"] == "app"
    file.write_text("two tokens")
    assert refused(api).reason == "github_token_malformed"
    file.unlink()
    assert refused(api).reason == "github_token_unreadable"
    api.close()


@pytest.mark.parametrize("content", [[1, 2], {"message": "?"}, "null", [[]]])
def test_a_list_of_another_shape_is_refused(server: GitHubServer, api: GitHubClient, content: Any) -> None:
    """What answers is no GitHub: one sentence, and nothing is stored."""
    server.fault = once(Reply(content=content))
    with pytest.raises(Unavailable) as caught:
        api.page(ISSUES, ALL)
    assert caught.value.reason == "github_odd"


def test_settings_are_reported_together() -> None:
    """Every wrong setting is named at once, and no value is shown."""
    with pytest.raises(ConfigurationError) as caught:
        GitHubSettings.from_environment({"GITHUB_API_URL": "ftp://x", "GITHUB_TOKEN": "two tokens"})
    assert [problem.split()[0] for problem in caught.value.problems] == ["GITHUB_TOKEN", "GITHUB_API_URL"]
    assert "two" not in str(caught.value).replace("two tokens or", "")
    with pytest.raises(ConfigurationError, match="GITHUB_TOKEN_FILE or GITHUB_TOKEN is not set"):
        GitHubSettings.from_environment({})
    with pytest.raises(ConfigurationError, match="names no file that can be read"):
        GitHubSettings.from_environment({"GITHUB_TOKEN_FILE": "/nowhere/token"})


def test_github_com_is_the_default() -> None:
    """Without GITHUB_API_URL it is github.com; a base URL of GitHub Enterprise keeps its path."""
    assert GitHubSettings.from_environment({"GITHUB_TOKEN": "x"}).api_url == "https://api.github.com"
    enterprise = {"GITHUB_TOKEN": "x", "GITHUB_API_URL": "https://github.example.com/api/v3/"}
    assert GitHubSettings.from_environment(enterprise).api_url == "https://github.example.com/api/v3"


def test_the_server_counts_as_github_does(server: GitHubServer, api: GitHubClient) -> None:
    """The stand-in caps a page at 100, counts requests, and refuses what GitHub would ignore."""
    assert len(api.page(ISSUES, {}).items) == 100
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/vnd.github+json"}
    versioned = {**headers, "X-GitHub-Api-Version": "2022-11-28"}
    big = requests.get(server.url + ISSUES, params={"per_page": "500"}, headers=versioned, timeout=30)
    assert len(big.json()) == 100
    assert requests.get(server.url + ISSUES, headers=headers, timeout=30).status_code == 400
    assert refused(api, f"{ISSUES}?status=all").reason == "github_refused"
    assert server.remaining < 5_000
    assert server.reset_at > time.time()
