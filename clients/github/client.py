"""GitHub's REST API, read only: pages, rate limits, tries again, and one sentence for what does not pass.

Rules obeyed: https://docs.github.com/rest/using-the-rest-api (pagination by the Link header as it is given,
one request at a time, retry-after, x-ratelimit-reset, a minute and more for a secondary limit without
either). No ETags are kept: what is read once is kept on disk, and is never asked for again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from requests.auth import AuthBase

from clients.github.settings import GitHubSettings
from pipeline.errors import Unavailable

TIMEOUT_SECONDS = (5.0, 30.0)  # to connect, and between two parts of the answer
TRIES = 6
FIRST_PAUSE_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 3660.0  # the limit is by the hour; a minute for clocks that differ
SECONDARY_SECONDS = 60.0
LIMITED_TRIES = 6
REDIRECTS = 3
PER_PAGE = 100  # the most that GitHub gives

Json = Mapping[str, Any]
Waiting = Callable[[str, datetime], None]


class Missing(Unavailable):
    """GitHub answers 404, 410 or 451: it is not there, or the token may not see it."""


class TooDeep(Unavailable):
    """GitHub lists no more of this, although there is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer: `items` of a list, `next` the URL of the following page, `read_at` GitHub's own clock.

    `share` is the part of the list that is read with it, None when GitHub does not say how long the list is.
    """

    items: tuple[Json, ...]
    next: str | None
    share: float | None
    read_at: datetime


class GitHub:
    """One connection, one request at a time.

    `waiting` is told why and until when before every wait. Raises Unavailable with a sentence for people; no
    sentence holds the token.
    """

    def __init__(
        self,
        settings: GitHubSettings,
        waiting: Waiting,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._waiting = waiting
        self._sleep = sleep
        self._clock = clock
        self._session = requests.Session()
        self._resume_at: datetime | None = None

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def item(self, path: str) -> tuple[Json, datetime]:
        """Return the object at `path`, and GitHub's time of reading it."""
        response, content = self._get(self._settings.api_url + path, {})
        if not isinstance(content, dict):
            raise Unavailable("github_odd", f"{_shown(response.url)} is not what GitHub's API gives.")
        return content, self._time_of(response)

    def page(self, path: str, parameters: Mapping[str, str]) -> Page:
        """Return a page of a list; `path` is the API's, or a page's `next`, which takes no parameters."""
        following = path.startswith(("http://", "https://"))
        url = path if following else self._settings.api_url + path
        response, content = self._get(url, {} if following else {**parameters, "per_page": str(PER_PAGE)})
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            raise Unavailable("github_odd", f"{_shown(response.url)} is not what GitHub's API gives.")
        return Page(
            items=tuple(content),
            next=response.links.get("next", {}).get("url"),
            share=_share(response),
            read_at=self._time_of(response),
        )

    def _get(self, url: str, parameters: Mapping[str, str]) -> tuple[requests.Response, Any]:
        """Return an answer and its JSON, after as many waits as it takes."""
        failures = limits = redirects = 0
        while True:
            self._hold_back()
            problem, response, content = self._try(url, parameters)
            if response is None:
                failures += 1
                if failures == TRIES:
                    raise Unavailable("github_down", f"GitHub gives no answer: {problem}.")
                self._wait(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), f"GitHub: {problem}")
                continue
            if response.is_redirect and redirects < REDIRECTS:
                redirects += 1
                url, parameters = urljoin(url, response.headers["Location"]), {}
                continue
            wait = limit_wait(response, self._time_of(response), limits)
            if wait is None:
                _check(response)
                self._note_limit(response)
                return response, content
            limits += 1
            if limits > LIMITED_TRIES:
                raise Unavailable("rate_limited", "GitHub goes on to refuse requests as too many.")
            self._wait(wait, "GitHub's rate limit is used up")

    def _try(self, url: str, parameters: Mapping[str, str]) -> tuple[str, requests.Response | None, Any]:
        """Return an answer to act on and its JSON; without one, what is wrong, in words, for now."""
        if _origin(url) != _origin(self._settings.api_url):
            raise Unavailable(
                "github_elsewhere",
                f"GitHub points to {_shown(url)}, outside of GITHUB_API_URL; not followed.",
            )
        headers = {
            "Accept": "application/vnd.github+json",
            "User-Agent": "issuewire",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            response = self._session.get(
                url,
                params=dict(parameters),
                headers=headers,
                auth=_Bearer(self._settings.read_token()),
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            content = response.json() if response.status_code == 200 else None
        except requests.Timeout:
            return f"{_shown(url)} took too long", None, None
        except requests.JSONDecodeError:
            return f"{_shown(url)} answered no JSON", None, None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return f"{_shown(url)} cannot be reached or broke off", None, None
        except (requests.RequestException, ValueError) as error:
            raise Unavailable(
                "github_unusable", f"{_shown(url)} cannot be used: {type(error).__name__}."
            ) from error
        if response.status_code >= 500:
            return f"{_shown(url)} answered {response.status_code}", None, None
        return "", response, content

    def _hold_back(self) -> None:
        """Wait for the next window when the last answer was the last of this one."""
        if self._resume_at is not None:
            seconds = (self._resume_at - self._clock()).total_seconds()
            self._resume_at = None
            if seconds > 0:
                self._wait(seconds, "GitHub's rate limit is used up")

    def _note_limit(self, response: requests.Response) -> None:
        seconds = _until_reset(response, self._time_of(response))
        if seconds is not None:
            self._resume_at = self._clock() + timedelta(seconds=seconds)

    def _wait(self, seconds: float, reason: str) -> None:
        until = self._clock() + timedelta(seconds=seconds)
        if seconds > LONGEST_WAIT_SECONDS:
            raise Unavailable(
                "rate_limited", f"{reason} until {until:%Y-%m-%d %H:%M} UTC; run the same command again then."
            )
        self._waiting(reason, until)
        self._sleep(seconds)

    def _time_of(self, response: requests.Response) -> datetime:
        """Return GitHub's clock, by which its times are to be judged; ours may be wrong."""
        try:
            return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
        except ValueError:
            return self._clock()


def limit_wait(response: requests.Response, now: datetime, tries: int) -> float | None:
    """Return the seconds to wait before asking again; None when the answer is no refusal for a limit."""
    if response.status_code not in {403, 429}:
        return None
    after = response.headers.get("Retry-After", "")
    if after.isdecimal():
        return float(after)
    seconds = _until_reset(response, now)
    if seconds is not None:
        return seconds
    if response.status_code == 429 or "rate limit" in _message(response).lower():
        return float(SECONDARY_SECONDS * 2**tries)
    return None


class _Bearer(AuthBase):
    """Sets the token, and keeps requests from replacing it by what a .netrc holds."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _share(response: requests.Response) -> float | None:
    """Return the part of the list up to this page; lists that are paged by a cursor have no last page."""
    links = response.links
    if "next" not in links:
        return 1.0
    queries = [parse_qs(urlsplit(links.get(rel, {}).get("url", "")).query) for rel in ("next", "last")]
    following, last = ("".join(query.get("page", [])) for query in queries)
    if not following.isdecimal() or not last.isdecimal():
        return None
    return (int(following) - 1) / max(int(last), 1)


def _until_reset(response: requests.Response, now: datetime) -> float | None:
    reset = response.headers.get("x-ratelimit-reset", "")
    if response.headers.get("x-ratelimit-remaining") != "0" or not reset.isdecimal():
        return None
    return max(int(reset) - now.timestamp(), 0.0) + 1.0 if len(reset) < 12 else None


def _check(response: requests.Response) -> None:
    status, shown = response.status_code, _shown(response.url)
    if status == 200:
        return
    if status == 401:
        raise Unavailable(
            "token_refused", "GitHub refuses the token (401): it has expired or is wrong; set a new one."
        )
    if status in {404, 410, 451}:
        raise Missing("not_found", f"{shown} does not exist, or the token may not read it ({status}).")
    if status == 422 and "pagination is limited" in _message(response):
        raise TooDeep("list_ends", f"{shown} is not listed any further.")
    raise Unavailable("github_refused", f"{shown} answered {status}: {_message(response) or response.reason}")


def _message(response: requests.Response) -> str:
    """Return GitHub's own sentence, in one line."""
    try:
        content = response.json()
    except ValueError:
        return ""
    message = content.get("message") if isinstance(content, dict) else None
    return " ".join(message.split())[:200] if isinstance(message, str) else ""


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port


def _shown(url: str) -> str:
    """Return a URL without its query."""
    return url.split("?", maxsplit=1)[0]
