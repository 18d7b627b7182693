"""Sends one request to GitHub and returns its answer, or says in which way there is none."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import requests

from clients.github.responses import Response, without_query
from pipeline.errors import Unavailable

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": "issuewire",
    "X-GitHub-Api-Version": "2022-11-28",
}


class TransientError(Exception):
    """The request failed in a way that another try may not; the text says how."""


class Transport:
    """One session. `timeout` is for the connection and for each part of an answer, in seconds."""

    def __init__(self, timeout: tuple[float, float], clock: Callable[[], datetime]) -> None:
        self.session = requests.Session()
        self.session.headers.update(_HEADERS)
        self._timeout = timeout
        self._clock = clock

    def send(self, method: str, url: str, parameters: Mapping[str, str], body: Any, token: str) -> Response:
        """Return one answer; `body` is sent as JSON unless it is None.

        Raises TransientError if another try may help, else Unavailable.
        """
        shown = without_query(url)
        try:
            answer = self.session.request(
                method,
                url,
                params=dict(parameters),
                json=body,
                timeout=self._timeout,
                allow_redirects=False,
                auth=partial(_authorize, token),
            )
        except requests.Timeout as error:
            raise TransientError(f"{shown} took too long") from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise TransientError(f"{shown} cannot be reached or broke off") from error
        except (requests.RequestException, ValueError) as error:
            raise Unavailable(
                "github_unusable", f"{shown} cannot be used: {type(error).__name__}."
            ) from error
        if answer.status_code >= 500:
            raise TransientError(f"{shown} answered {answer.status_code}")
        try:
            content = answer.json()
        except requests.JSONDecodeError as error:
            if answer.status_code == 200:
                raise TransientError(f"{shown} answered no JSON") from error
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


def _authorize(token: str, request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Set the token; without this, requests would take a .netrc entry for the host."""
    request.headers["Authorization"] = f"Bearer {token}"
    return request
