"""Reads the webhooks at GitHub, and the accounts and repositories that the configuration names."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import quote

from clients.github.client import PER_PAGE, USED_UP, GitHubClient
from clients.github.hook_deliveries import APP, Attempt, Hook, is_same_url
from clients.github.responses import Forbidden, NotFound
from clients.github.webhooks import Webhooks as HooksAtGitHub
from ops.doctor.facts import Clock, Deliveries, Login, RepositoryName, Webhooks
from ops.doctor.finding import NotChecked
from pipeline.errors import Unavailable

PING_SECONDS = 10
LONGEST_WAIT = timedelta(seconds=1.5)
MORE_SCOPES = "gh auth refresh --scopes admin:repo_hook,admin:org_hook"
LOG_IN = "export GITHUB_TOKEN=$(gh auth token)"
AGAIN = "./issuewire doctor"
_AWAY = {"github_down", "github_busy", "rate_limited"}


def no_long_wait(reason: str, until: datetime) -> None:
    """Allow one more try, and no wait for a rate limit. Raises Unavailable."""
    if until - datetime.now(UTC) > LONGEST_WAIT:
        ends = f" until {until:%H:%M:%S} UTC" if reason == USED_UP else ""
        raise Unavailable("github_busy", f"{reason}{ends}.")


def _fix(github: GitHubClient, error: Unavailable) -> str:
    """Return what to do about a failure; while GitHub is away, another token changes nothing.

    The sentence itself says how a GitHub App is corrected.
    """
    if github.is_app or error.reason in _AWAY:
        return AGAIN
    return MORE_SCOPES if error.reason == "hooks_forbidden" else LOG_IN


def read_webhooks(  # noqa: PLR0913 - the last one is for tests
    github: GitHubClient,
    source: str,
    addresses: Sequence[str],
    events: tuple[str, ...],
    *,
    ping: bool,
    has_app_hook: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[object]:
    """Yield the facts about the webhooks of one repository or organization; `ping` has GitHub send one.

    With `has_app_hook` they may be missing, or hidden: the GitHub App's own webhook delivers.
    """
    webhooks = HooksAtGitHub(github)
    try:
        hooks = [hook for hook in webhooks.hooks(source) if _is_ours(hook, addresses)]
        yield Clock(service="GitHub", ahead=-(webhooks.clock(source) - datetime.now(UTC)).total_seconds())
        if hooks or not has_app_hook:
            yield Webhooks(source=source, hooks=tuple(hooks), events=events)
        for hook in hooks:
            if ping and hook.is_active:
                yield from _ping(webhooks, hook, sleep)
            yield Deliveries(hook=hook, attempts=tuple(_newest(webhooks, hook)))
    except Unavailable as error:
        if has_app_hook and error.reason == "hooks_forbidden":
            return
        yield NotChecked(what=f"the webhook of {source}", why=str(error), fix=_fix(github, error))


def read_app_hook(
    github: GitHubClient, addresses: Sequence[str], events: tuple[str, ...]
) -> Iterator[object]:
    """Yield the facts about the GitHub App's webhook if it points to ingest; GitHub has no ping of it."""
    webhooks = HooksAtGitHub(github)
    try:
        hook = webhooks.app_hook()
        if hook is not None and _is_ours(hook, addresses):
            yield Webhooks(source=APP, hooks=(hook,), events=events)
            yield Deliveries(hook=hook, attempts=tuple(_newest(webhooks, hook)))
    except Unavailable as error:
        yield NotChecked(what="the webhook of the GitHub App", why=str(error), fix=_fix(github, error))


def read_names(
    github: GitHubClient, logins: Sequence[tuple[str, str]], repositories: Sequence[tuple[str, str]]
) -> Iterator[object]:
    """Yield whether GitHub has each account of a file, and what it calls each repository; both have a path.

    GitHub redirects from a repository's former name. What it does not answer ends the reading.
    """
    try:
        for login, path in logins:
            yield Login(login=login, path=path, exists=_exists(github, login))
        for named, path in repositories:
            yield _read_repository(github, named, path)
    except Unavailable as error:
        yield NotChecked(what="accounts and repositories", why=str(error), fix=_fix(github, error))


def _exists(github: GitHubClient, login: str) -> bool:
    try:
        github.get(f"/users/{quote(login, safe='')}")
    except NotFound:
        return False
    return True


def _read_repository(github: GitHubClient, named: str, path: str) -> RepositoryName | NotChecked:
    try:
        repository, _ = github.get(f"/repos/{named}")
    except NotFound as error:
        return NotChecked(what=f"the repository {named}", why=str(error), fix=_fix(github, error))
    return RepositoryName(named=named, now=str(repository.get("full_name", named)), path=path)


def _ping(webhooks: HooksAtGitHub, hook: Hook, sleep: Callable[[float], None]) -> Iterator[NotChecked]:
    """Have GitHub send a ping and wait until it is listed, so that the newest attempt shows the answer."""
    before = max((attempt.id for attempt in _newest(webhooks, hook)), default=0)
    what = f"the ping of the webhook of {hook.source}"
    try:
        webhooks.ping(hook)
    except (Forbidden, NotFound) as error:
        yield NotChecked(what=what, why=str(error), fix=f"./deploy.sh webhook {hook.source}")
        return
    for _ in range(PING_SECONDS):
        if any(attempt.id > before and attempt.event == "ping" for attempt in _newest(webhooks, hook)):
            return
        sleep(1.0)
    why = f"GitHub has not listed it within {PING_SECONDS} s"
    yield NotChecked(what=what, why=why, fix=f"./issuewire doctor --ping {hook.source}")


def _newest(webhooks: HooksAtGitHub, hook: Hook) -> Iterator[Attempt]:
    return islice(webhooks.attempts(hook, datetime.now(UTC) + timedelta(days=1)), PER_PAGE)


def _is_ours(hook: Hook, addresses: Sequence[str]) -> bool:
    return any(is_same_url(hook.url, address) for address in addresses)
