"""Reads GitHub's REST API: pages, waits for rate limits, retries, and one sentence for what stays wrong.

One request at a time, as https://docs.github.com/rest/using-the-rest-api asks. No ETags are sent: callers
store what they read and do not ask for it again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin

import requests

from clients.github import responses
from clients.github.app_token import AppToken
from clients.github.responses import Response
from clients.github.settings import GitHubSettings
from pipeline.errors import Unavailable

TIMEOUT_SECONDS = (5.0, 30.0)  # to connect, and between two parts of the answer
TRIES = 6
FIRST_PAUSE_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 3660.0  # the limit is per hour; one minute allows for clocks that differ
LIMITED_TRIES = 6
REDIRECTS = 3
PER_PAGE = 100  # GitHub's maximum
WRITE_PAUSE_SECONDS = (
    1.0  # https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
)
USED_UP = "GitHub's rate limit is used up"

Json = Mapping[str, Any]
OnWait = Callable[[str, datetime], None]

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": "issuewire",
    "X-GitHub-Api-Version": "2022-11-28",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list.

    `next` is the URL of the following page, `share` the part of the list up to here (None if GitHub does not
    say how long the list is), `read_at` GitHub's time of reading it.
    """

    items: tuple[Json, ...]
    next: str | None
    share: float | None
    read_at: datetime


class GitHubClient:
    """One connection, one request at a time.

    `on_wait` is called with the reason and the end of every wait before it begins; what it raises passes
    through, so a caller that has no time can refuse. Raises Unavailable with a sentence for people; no
    sentence contains the token.
    """

    def __init__(
        self,
        settings: GitHubSettings,
        on_wait: OnWait,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._on_wait = on_wait
        self._sleep = sleep
        self._clock = clock
        self._session = requests.Session()
        self._session.headers.update(_HEADERS)
        self._app = AppToken(settings.app, self._ask, clock) if settings.app else None
        self._resume_at: datetime | None = None
        self._wrote_at: datetime | None = None

    @property
    def is_app(self) -> bool:
        """Return whether a GitHub App sends the requests."""
        return self._app is not None

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def get(self, path: str) -> tuple[Json, datetime]:
        """Return the object at a path of the API, and GitHub's time of reading it. Raises NotFound."""
        response = self._request("GET", self._settings.api_url + path, {})
        [content] = responses.require_objects(response, [response.content])
        return content, response.date

    def page(self, path: str, parameters: Mapping[str, str]) -> Page:
        """Return one page of a list: the first of an API path, or the one that a page's `next` names.

        `parameters` are ignored for `next`, which has them all. Raises NotFound or PaginationLimit.
        """
        if path.startswith(("http://", "https://")):
            response = self._request("GET", path, {})
        else:
            size = {"per_page": str(PER_PAGE)}
            response = self._request("GET", self._settings.api_url + path, {**parameters, **size})
        return Page(
            items=responses.require_objects(response, response.content),
            next=response.links.get("next"),
            share=responses.share(response),
            read_at=response.date,
        )

    def post(self, path: str) -> None:
        """Ask GitHub to do what a path of the API names, a second after the last such request.

        It is sent again only if a rate limit refused it: an answer that was lost may have been a success.
        Raises NotFound or Forbidden.
        """
        if self._wrote_at is not None:
            paused = (self._clock() - self._wrote_at).total_seconds()
            self._sleep(min(max(WRITE_PAUSE_SECONDS - paused, 0.0), WRITE_PAUSE_SECONDS))
        try:
            self._request("POST", self._settings.api_url + path, {}, tries=1)
        finally:
            self._wrote_at = self._clock()

    def _request(
        self, method: str, url: str, parameters: Mapping[str, str], *, tries: int = TRIES
    ) -> Response:
        """Return the answer of success, after as many waits as it takes."""
        failures = refusals = redirects = 0
        renewed = False
        while True:
            if self._resume_at is not None:
                seconds = (self._resume_at - self._clock()).total_seconds()
                self._resume_at = None
                if seconds > 0:
                    self._wait(seconds, USED_UP)
            try:
                response = self._send(method, url, parameters)
            except _TransientError as error:
                failures += 1
                if failures == tries:
                    raise Unavailable("github_down", f"GitHub gives no answer: {error}.") from error
                self._wait(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), f"GitHub: {error}")
                continue
            if response.location is not None and redirects < REDIRECTS:
                redirects += 1
                url, parameters = urljoin(url, response.location), {}
                continue
            if response.status == 401 and not renewed and self._app and self._app.forget(self._path(url)):
                renewed = True
                continue
            wait = responses.limit_wait(response, refusals)
            if wait is None:
                responses.check_status(response)
                seconds_left = responses.seconds_until_reset(response)
                if seconds_left is not None:  # this answer was the last that the current window allows
                    self._resume_at = self._clock() + timedelta(seconds=seconds_left)
                return response
            refusals += 1
            if refusals > LIMITED_TRIES:
                raise Unavailable("rate_limited", "GitHub keeps refusing: too many requests.")
            self._wait(wait, USED_UP)

    def _send(self, method: str, url: str, parameters: Mapping[str, str]) -> Response:
        """Return one answer. Raises _TransientError if another try may help, else Unavailable."""
        shown = responses.without_query(url)
        if responses.origin(url) != responses.origin(self._settings.api_url):
            raise Unavailable(
                "github_elsewhere", f"GitHub points to {shown}, outside of GITHUB_API_URL; not followed."
            )
        token = self._app.read(self._path(url)) if self._app else self._settings.token.read()
        try:
            answer = self._session.request(
                method,
                url,
                params=dict(parameters),
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                auth=partial(_authorize, token),
            )
        except requests.Timeout as error:
            raise _TransientError(f"{shown} took too long") from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise _TransientError(f"{shown} cannot be reached or broke off") from error
        except (requests.RequestException, ValueError) as error:
            raise Unavailable(
                "github_unusable", f"{shown} cannot be used: {type(error).__name__}."
            ) from error
        if answer.status_code >= 500:
            raise _TransientError(f"{shown} answered {answer.status_code}")
        try:
            content = answer.json()
        except requests.JSONDecodeError as error:
            if answer.status_code == 200:
                raise _TransientError(f"{shown} answered no JSON") from error
            content = None
        try:
            date = parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
        except ValueError:
            date = self._clock()  # may be wrong
        return Response(
            url=answer.url,
            status=answer.status_code,
            reason=answer.reason,
            headers={name.lower(): value for name, value in answer.headers.items()},
            content=content,
            date=date,
        )

    def _ask(self, method: str, path: str) -> Any:
        """Return what GitHub answers to the App itself."""
        return self._request(method, self._settings.api_url + path, {}).content

    def _path(self, url: str) -> str:
        """Return the path in the API."""
        return responses.without_query(url).removeprefix(self._settings.api_url)

    def _wait(self, seconds: float, reason: str) -> None:
        until = self._clock() + timedelta(seconds=seconds)
        if seconds > LONGEST_WAIT_SECONDS:
            raise Unavailable(
                "rate_limited", f"{reason} until {until:%Y-%m-%d %H:%M} UTC; run the same command again then."
            )
        self._on_wait(reason, until)
        self._sleep(seconds)


def _authorize(token: str, request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Set the token; without this, requests would take a .netrc entry for the host."""
    request.headers["Authorization"] = f"Bearer {token}"
    return request


class _TransientError(Exception):
    """The request failed in a way that another try may not; the text says how."""
