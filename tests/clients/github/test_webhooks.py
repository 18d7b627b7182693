"""Webhooks, their attempts, and redeliveries, read and asked for by GitHub's rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.github.client import GitHubClient
from clients.github.hook_deliveries import Hook, is_same_url, read_attempt, read_hook
from clients.github.responses import NotFound
from clients.github.updated_issues import repositories, updated_issues
from clients.github.webhooks import Webhooks
from local.github.server import GitHubServer
from ops.send import accounts
from pipeline.errors import Unavailable
from tests.clients.github.rig import Clock
from tests.support.messages import an_issue

URL = "https://ingest.example/"
MONA = accounts.Account(login="mona")


@pytest.fixture
def hook(server: GitHubServer, clock: Clock, client: GitHubClient) -> Hook:
    """Return the webhook of acme/app; its URL answers 202."""
    server.github.hooks._send = lambda *_: 202
    server.github.now = clock.now - timedelta(hours=10)
    server.github.hooks.create("acme/app", {"config": {"url": URL}, "events": ["issues"]})
    [found] = Webhooks(client).hooks("acme/app")
    return found


def test_a_webhook_says_how_it_delivers(server: GitHubServer, client: GitHubClient, hook: Hook) -> None:
    """Events, content type and the check of the certificate are read; a form is GitHub's default."""
    assert (hook.events, hook.content_type, hook.verifies_tls) == (("issues",), "form", True)
    config = {"url": f"{URL}b", "content_type": "json", "insecure_ssl": 1}
    server.github.hooks.create("acme/app", {"config": config})
    changed = Webhooks(client).hooks("acme/app")[1]
    assert (changed.events, changed.content_type, changed.verifies_tls) == (("push",), "json", False)


def test_a_ping_is_the_newest_attempt(server: GitHubServer, client: GitHubClient, hook: Hook) -> None:
    """A ping that was asked for is listed first, and GitHub's clock is that of its answers."""
    before = [attempt.id for attempt in Webhooks(client).attempts(hook, datetime.now(UTC))]
    Webhooks(client).ping(hook)
    newest = next(Webhooks(client).attempts(hook, datetime.now(UTC)))
    assert (newest.event, newest.id > max(before)) == ("ping", True)
    assert Webhooks(client).clock("acme/app") == server.github.time().replace(microsecond=0)


def test_attempts_are_read_back_to_a_time(
    server: GitHubServer, clock: Clock, client: GitHubClient, hook: Hook
) -> None:
    """The list is read page by page by its cursors, no further than to the time."""
    for minute in range(250):
        server.github.now = clock.now - timedelta(minutes=250 - minute)
        server.github.emit("acme/app", an_issue(number=minute + 1).opened())
    found = list(Webhooks(client).attempts(hook, clock.now - timedelta(minutes=150, seconds=1)))
    assert len(found) == 200
    assert len(server.targets("/deliveries")) == 2
    assert found[0].delivered_at == clock.now - timedelta(minutes=1)
    assert len(list(Webhooks(client).attempts(hook, clock.now - timedelta(days=1)))) == 251


def test_redeliveries_are_a_second_apart(
    server: GitHubServer, clock: Clock, client: GitHubClient, hook: Hook
) -> None:
    """GitHub asks for a second between writes; what it refuses for its limits is sent again."""
    [ping] = Webhooks(client).attempts(hook, clock.now)
    for _ in range(2):
        Webhooks(client).redeliver(ping)
    assert clock.waits == [1]
    server.fail_next(status=403, message="secondary rate limit", headers={"Retry-After": "9"})
    Webhooks(client).redeliver(ping)
    assert clock.waits == [1, 1, 9]
    assert [guid for _, guid in server.github.hooks.asked] == [ping.guid] * 3


def test_a_redelivery_is_not_sent_twice(server: GitHubServer, client: GitHubClient, hook: Hook) -> None:
    """If the answer to a request for a redelivery is lost, it is not sent again: it may have worked."""
    [ping] = Webhooks(client).attempts(hook, datetime.now(UTC))
    server.fail_next(drop=True, after=True, target="/attempts")
    with pytest.raises(Unavailable) as caught:
        Webhooks(client).redeliver(ping)
    assert (caught.value.reason, len(server.targets("/attempts"))) == ("github_down", 1)
    server.github.hooks.deliveries.clear()
    with pytest.raises(NotFound):
        Webhooks(client).redeliver(ping)


@pytest.mark.parametrize("status", [403, 404])
def test_a_token_without_permission_is_told_what_it_lacks(
    server: GitHubServer, client: GitHubClient, hook: Hook, status: int
) -> None:
    """GitHub hides webhooks from most tokens; the error names the permission."""
    server.fail_until_cleared(status=status, message="Not Found", target="/hooks")
    with pytest.raises(Unavailable, match="Webhooks: read and write") as caught:
        Webhooks(client).hooks("acme/app")
    assert caught.value.reason == "hooks_forbidden"
    assert hook.source == "acme/app"


@pytest.mark.parametrize("raw", [{}, {"id": "1", "config": {"url": URL}}])
def test_what_is_no_webhook_is_an_error(raw: dict[str, Any]) -> None:
    """A webhook without id is refused, not guessed."""
    with pytest.raises(Unavailable):
        read_hook("acme/app", raw)


@pytest.mark.parametrize("config", [None, {}, {"url": None}, {"url": "http://[odd"}])
def test_another_apps_webhook_may_be_odd(config: Any) -> None:
    """A webhook whose URL is missing or none is not ours, and hides no other webhook."""
    assert not is_same_url(read_hook("acme/app", {"id": 1, "config": config}).url, URL)


@pytest.mark.parametrize("missing", ["id", "guid", "event", "delivered_at"])
def test_what_is_no_attempt_is_an_error(hook: Hook, missing: str) -> None:
    """An attempt without id, GUID, event or time is refused; one without an answer has status 0."""
    raw = {
        "id": 1,
        "guid": "g",
        "event": "issues",
        "delivered_at": "2026-03-04T12:00:00Z",
        "status_code": None,
    }
    assert (read_attempt(hook, raw).status, read_attempt(hook, raw).succeeded) == (0, False)
    with pytest.raises(Unavailable):
        read_attempt(hook, {**raw, missing: None})


def test_a_throttled_attempt_has_a_time(hook: Hook) -> None:
    """An attempt that GitHub throttled is listed by the time of that if it has no other."""
    raw = {"id": 1, "guid": "g", "event": "issues", "delivered_at": None}
    throttled = read_attempt(hook, {**raw, "throttled_at": "2026-03-04T12:00:00Z"})
    assert (throttled.delivered_at.hour, throttled.succeeded) == (12, False)


def test_addresses_are_compared_as_addresses() -> None:
    """A slash at the end and the case of the host make no difference; the path does."""
    assert is_same_url("https://Ingest.example", URL)
    assert not is_same_url("https://ingest.example/other", URL)


def test_updated_issues_are_read_without_pull_requests(server: GitHubServer, client: GitHubClient) -> None:
    """Only issues that changed since then are read; an organization has all of its repositories."""
    hosted = server.github.host("acme/app")
    server.github.organizations.add("acme")
    later = an_issue(number=1).created_at + timedelta(days=1)
    for number in (300, 301):
        issue = an_issue(number=number, created_at=later, is_pull_request=number == 301)
        hosted.record(issue.opened())
    [repository] = repositories(client, "acme")
    assert [each["id"] for each in repositories(client, "acme/app")] == [repository["id"]]
    found = updated_issues(client, repository, later)
    assert [issue["number"] for issue in found] == [300]


def test_an_issue_that_changes_meanwhile_hides_no_other(server: GitHubServer, client: GitHubClient) -> None:
    """While the list is read, the oldest change moves to its beginning: each other issue is read once."""
    hosted = server.github.host("acme/app")
    start = an_issue(number=1).created_at
    issues = [
        an_issue(number=number, created_at=start + timedelta(seconds=number)) for number in range(1, 251)
    ]
    for issue in issues:
        hosted.record(issue.opened())
    [repository] = repositories(client, "acme/app")
    found = updated_issues(client, repository, start)
    numbers = [next(found)["number"]]
    hosted.record(issues[0].labeled(MONA, start + timedelta(hours=1), "bug"))
    numbers += [issue["number"] for issue in found]
    assert sorted(numbers) == list(range(2, 251))


def test_a_repository_without_issues_is_not_asked_for_them(
    server: GitHubServer, client: GitHubClient
) -> None:
    """GitHub answers 410 for its issues, also if it is a source by its own name."""
    server.github.host("acme/app").shown = {"has_issues": False}
    server.github.organizations.add("acme")
    for source in ("acme", "acme/app"):
        assert list(repositories(client, source)) == []
