"""The GitHub client waits as the rate-limit headers ask, says so, and gives up after an hour."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.github import client as client_module
from clients.github.client import GitHubClient
from local.github.server import GitHubServer
from tests.clients.github.rig import REPOSITORY, Clock, error_of, make_client, name_of


def test_the_hourly_limit_is_waited_for(server: GitHubServer, client: GitHubClient, clock: Clock) -> None:
    """If GitHub refuses for its hourly limit, the client repeats the request once the limit ends."""
    server.github.remaining, server.github.reset_at = 0, clock.now.timestamp() + 600
    server.github.now = clock.now
    clock.after_wait = lambda: setattr(server.github, "remaining", 5000)
    assert name_of(client) == "app"
    assert clock.waits == [601]
    assert clock.reasons == ["GitHub's rate limit is used up"]


def test_a_used_up_limit_costs_no_refused_request(
    server: GitHubServer, client: GitHubClient, clock: Clock
) -> None:
    """After the last request of the hour the client waits before it sends another one."""
    server.github.remaining, server.github.reset_at = 1, clock.now.timestamp() + 120
    server.github.now = clock.now
    clock.after_wait = lambda: setattr(server.github, "remaining", 5000)
    assert name_of(client) == "app"
    assert clock.waits == []
    assert name_of(client) == "app"
    assert (clock.waits, len(server.requests)) == ([121], 2)


def test_our_clock_may_be_wrong(server: GitHubServer, client: GitHubClient, clock: Clock) -> None:
    """The wait is counted from GitHub's own time: a laptop whose clock is hours off waits no longer."""
    server.github.now = clock.now - timedelta(hours=5)
    server.github.remaining, server.github.reset_at = 0, server.github.now.timestamp() + 30
    server.fail_next(status=403, message="API rate limit exceeded")
    clock.after_wait = lambda: setattr(server.github, "remaining", 5000)
    assert name_of(client) == "app"
    assert clock.waits == [31]


@pytest.mark.parametrize("status", [403, 429])
def test_retry_after_is_obeyed(server: GitHubServer, client: GitHubClient, clock: Clock, status: int) -> None:
    """A secondary limit that names its end is waited for as long as it says."""
    server.fail_next(2, status=status, message="secondary rate limit", headers={"Retry-After": "17"})
    assert name_of(client) == "app"
    assert clock.waits == [17, 17]


def test_a_secondary_limit_without_an_end_doubles_the_wait(
    server: GitHubServer, client: GitHubClient, clock: Clock
) -> None:
    """The first wait is a minute, and each further one twice as long, as GitHub asks."""
    server.fail_next(3, status=403, message="You have exceeded a secondary rate limit")
    assert name_of(client) == "app"
    assert clock.waits == [60, 120, 240]


def test_an_endless_limit_is_an_error(server: GitHubServer, client: GitHubClient) -> None:
    """A limit that does not end is an error after six waits."""
    server.fail_until_cleared(status=429, headers={"Retry-After": "5"})
    assert error_of(client).reason == "rate_limited"
    assert len(server.requests) == client_module.LIMITED_TRIES + 1


def test_a_limit_of_over_an_hour_says_when_to_come_back(
    server: GitHubServer, client: GitHubClient, clock: Clock
) -> None:
    """The client does not wait for hours: the error names the time."""
    clock.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    server.fail_next(status=429, headers={"Retry-After": str(5 * 3600)})
    error = error_of(client)
    assert "until 2026-03-01 17:00 UTC; try again then" in str(error)
    assert clock.waits == []


def test_a_caller_can_refuse_a_wait(server: GitHubServer, clock: Clock) -> None:
    """A caller can end a request before the wait by raising an error in the callback."""

    def refuse(reason: str, _until: datetime) -> None:
        raise TimeoutError(reason)

    server.fail_next(status=429, headers={"Retry-After": "17"})
    clock.on_wait = refuse
    client = make_client(server, clock)
    with pytest.raises(TimeoutError, match="rate limit"):
        client.get(REPOSITORY)
    assert clock.waits == []
    client.close()


@pytest.mark.parametrize("after", ["9" * 15, "9" * 400])
def test_an_absurd_wait_is_refused_with_a_sentence(
    server: GitHubServer, client: GitHubClient, clock: Clock, after: str
) -> None:
    """A Retry-After beyond every calendar is refused as a long one is, and breaks nothing."""
    server.fail_next(status=429, headers={"Retry-After": after})
    assert error_of(client).reason == "rate_limited"
    assert clock.waits == []


class Hurry(Exception):
    """The caller has no time to wait."""


def refuse_waits(_reason: str, _until: datetime) -> None:
    """Refuse every wait."""
    raise Hurry


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ({"status": 429, "headers": {"Retry-After": "90"}}, 90),
        ({"status": 403, "message": "You have exceeded a secondary rate limit"}, 60),
    ],
)
def test_a_wait_that_was_refused_is_left_to_the_next_request(
    server: GitHubServer, clock: Clock, answer: dict[str, Any], seconds: int
) -> None:
    """A caller without time to wait raises; until the limit ends, no later request reaches GitHub either."""
    client = make_client(server, clock)
    client._on_wait = refuse_waits
    server.fail_next(**answer)
    for at in (0, 1, seconds - 2):
        clock.now += timedelta(seconds=at)
        with pytest.raises(Hurry):
            client.get(REPOSITORY)
    assert len(server.requests) == 1
    clock.now += timedelta(seconds=1)
    assert name_of(client) == "app"
    assert len(server.requests) == 2
    client.close()


def test_secondary_limits_double_the_wait_across_requests(server: GitHubServer, clock: Clock) -> None:
    """A limit that goes on for the next delivery is given twice the time; an answer ends the count."""
    client = make_client(server, clock)
    client._on_wait = refuse_waits
    waited = []
    for refused in (3, 1):
        server.fail_next(refused, status=403, message="You have exceeded a secondary rate limit")
        for _ in range(refused):
            with pytest.raises(Hurry):
                client.get(REPOSITORY)
            assert client._resume_at is not None
            waited.append((client._resume_at - clock.now).total_seconds())
            clock.now = client._resume_at
        assert name_of(client) == "app"
    assert waited == [60, 120, 240, 60]
    client.close()


def test_the_last_request_of_the_hour_is_remembered(server: GitHubServer, clock: Clock) -> None:
    """A caller without time to wait does not make GitHub refuse: the reset is known from the last answer."""
    client = make_client(server, clock)
    client._on_wait = refuse_waits
    server.github.remaining, server.github.reset_at = 1, clock.now.timestamp() + 600
    server.github.now = clock.now
    assert name_of(client) == "app"
    for _ in range(2):
        with pytest.raises(Hurry):
            client.get(REPOSITORY)
    assert len(server.requests) == 1
    client.close()
