"""GitHub's REST API: pages, waits for rate limits, retries, and one sentence for what stays wrong.

One request at a time, as https://docs.github.com/rest/using-the-rest-api asks. No ETags are sent: callers
store what they read and do not ask for it again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from clients.github import responses
from clients.github.app_token import AppToken
from clients.github.responses import Response
from clients.github.settings import GitHubSettings
from clients.github.transport import TransientError, Transport
from clients.github.write_pace import SECOND, WritePace
from pipeline.errors import Busy, Unavailable

TIMEOUT_SECONDS = (5.0, 30.0)  # to connect, and between two parts of the answer
TRIES = 6
FIRST_PAUSE_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 3660.0  # the limit is per hour; one minute allows for clocks that differ
LIMITED_TRIES = 6
REDIRECTS = 3
PER_PAGE = 100  # GitHub's maximum
USED_UP = "GitHub's rate limit is used up"
TOO_MANY_WRITES = "GitHub takes no more writes"

Json = Mapping[str, Any]
OnWait = Callable[[str, datetime], None]


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
    through, so a caller that has no time can refuse. A wait that was refused is left to the next request.
    `timeout` is for the connection and for each part of an answer, in seconds. Raises Unavailable with a
    sentence for people; no sentence contains the token.
    """

    def __init__(
        self,
        settings: GitHubSettings,
        on_wait: OnWait,
        *,
        timeout: tuple[float, float] = TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._on_wait = on_wait
        self._sleep = sleep
        self._clock = clock
        self._transport = Transport(timeout, clock)
        self._session = self._transport.session
        self._app = AppToken(settings.app, self._ask, clock) if settings.app else None
        self._resume_at: datetime | None = None
        self._refusals = 0  # for a rate limit, since the last answer
        self._pace = WritePace()

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
        url, size = path, {}
        if not path.startswith(("http://", "https://")):
            url, size = self._settings.api_url + path, {**parameters, "per_page": str(PER_PAGE)}
        response = self._request("GET", url, size)
        responses.check_moved_list(response, url)
        return Page(
            items=responses.require_objects(response, response.content),
            next=response.links.get("next"),
            share=responses.share(response),
            read_at=response.date,
        )

    def post(self, path: str, body: Any = None) -> Any:
        """Have GitHub do or create what a path of the API names, and return the JSON value of its answer.

        It is sent again only if a rate limit refused it: an answer that was lost may have been a success.
        A `body` is sent nowhere else: a redirect may lead to an issue's new repository.
        Raises NotFound, Forbidden or Invalid.
        """
        return self._write("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """Change the named fields of an object, as `post` does."""
        return self._write("PATCH", path, body)

    def await_turn(self, *, creates: bool = True) -> None:
        """Wait until GitHub takes the next write, so that what is read now is not old when it is sent."""
        seconds = self._pace.pause(self._clock(), creates=creates).total_seconds()
        if seconds > SECOND.total_seconds():
            self._wait(seconds, TOO_MANY_WRITES)
        elif seconds > 0:
            self._sleep(seconds)

    def _write(self, method: str, path: str, body: Any) -> Any:
        creates = body is not None
        self.await_turn(creates=creates)
        try:
            return self._request(method, self._settings.api_url + path, {}, body=body, tries=1).content
        finally:
            self._pace.wrote(self._clock(), creates=creates)

    def _request(
        self, method: str, url: str, parameters: Mapping[str, str], *, body: Any = None, tries: int = TRIES
    ) -> Response:
        """Return the answer of success, after as many waits as it takes."""
        failures = refusals = 0
        redirects = REDIRECTS if body is None else 0
        renewed = False
        while True:
            self._rest()
            try:
                response = self._send(method, url, parameters, body)
            except TransientError as error:
                failures += 1
                if failures == tries:
                    raise Unavailable("github_down", f"GitHub gives no answer: {error}.") from error
                self._wait(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), f"GitHub: {error}")
                continue
            if response.location is not None and redirects > 0:
                redirects -= 1
                url, parameters = urljoin(url, response.location), {}
                continue
            if response.status == 401 and not renewed and self._app and self._app.forget(self._path(url)):
                renewed = True
                continue
            wait = responses.limit_wait(response, self._refusals)
            if wait is None:
                self._refusals = 0
                if response.status == 403 and self._app:
                    self._app.forget(self._path(url))  # a new token has what the App is allowed now
                self._rest_for(responses.seconds_until_reset(response))  # set by the last one of the window
                responses.check_status(response)
                return response
            self._rest_for(wait)
            self._refusals = min(self._refusals + 1, LIMITED_TRIES)
            refusals += 1
            if refusals > LIMITED_TRIES:
                raise Busy("rate_limited", "GitHub keeps refusing: too many requests.")

    def _send(self, method: str, url: str, parameters: Mapping[str, str], body: Any) -> Response:
        """Return one answer. Raises TransientError if another try may help, else Unavailable."""
        if responses.origin(url) != responses.origin(self._settings.api_url):
            raise Unavailable(
                "github_elsewhere",
                f"GitHub points to {responses.without_query(url)}, outside of GITHUB_API_URL; not followed.",
            )
        token = self._app.read(self._path(url)) if self._app else self._settings.token.read()
        return self._transport.send(method, url, parameters, body, token)

    def _ask(self, method: str, path: str) -> Any:
        """Return what GitHub answers to the App itself."""
        return self._request(method, self._settings.api_url + path, {}).content

    def _path(self, url: str) -> str:
        """Return the path in the API."""
        return responses.without_query(url).removeprefix(self._settings.api_url)

    def _rest_for(self, seconds: float | None) -> None:
        """Send nothing for so long, whichever request comes next."""
        if seconds is not None:
            self._resume_at = self._clock() + timedelta(seconds=seconds)

    def _rest(self) -> None:
        """Wait for the end of a rate limit."""
        if self._resume_at is not None:
            seconds = (self._resume_at - self._clock()).total_seconds()
            if seconds > 0:
                self._wait(seconds, USED_UP)
            self._resume_at = None

    def _wait(self, seconds: float, reason: str) -> None:
        until = self._clock() + timedelta(seconds=seconds)
        if seconds > LONGEST_WAIT_SECONDS:
            raise Busy("rate_limited", f"{reason} until {until:%Y-%m-%d %H:%M} UTC; try again then.")
        self._on_wait(reason, until)
        self._sleep(seconds)
