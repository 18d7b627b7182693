"""Reads GitHub's answers: links, share of a list, rate limits, and one sentence for each refusal (pure).

Rules obeyed: https://docs.github.com/rest/using-the-rest-api (pagination by the Link header, retry-after,
x-ratelimit-reset, a minute and more for a secondary limit that has neither).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.errors import Unavailable

SECONDARY_LIMIT_SECONDS = 60.0
_FAR_SECONDS = 1e8  # three years: no caller waits for so long, and a date can be calculated

_LINK = re.compile(r'<([^<>]*)>[^,<]*;\s*rel="?(\w+)')
_REDIRECTS = {301, 302, 303, 307, 308}


class NotFound(Unavailable):
    """GitHub answers 404, 410 or 451: the object does not exist, or the token may not see it.

    The reason is `moved_away` for a redirect that is not followed.
    """


class Forbidden(Unavailable):
    """GitHub answers 403 for another reason than a rate limit: the token lacks a permission."""


class Suspended(Unavailable):
    """GitHub answers 403 because the account has suspended the installation of the GitHub App."""


class Invalid(Unavailable):
    """GitHub answers 422: it cannot do what the request asks for, such as to assign an unknown login."""


class PaginationLimit(Unavailable):
    """GitHub lists no further pages by number, although the list goes on.

    The reason is `cursor_needed` if GitHub says that its links now have a cursor, else `list_ends`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer.

    `headers` have lower-case names; `content` is the JSON value, None if there is none; `reason` is the
    status line's text; `date` is GitHub's clock, to which its timestamps are compared.
    """

    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    content: Any
    date: datetime

    @property
    def links(self) -> dict[str, str]:
        """Return the URLs of the Link header by their rel."""
        return {rel: url for url, rel in _LINK.findall(self.headers.get("link", ""))}

    @property
    def location(self) -> str | None:
        """Return where a redirect points to; None if the answer is no redirect."""
        return self.headers.get("location") if self.status in _REDIRECTS else None

    @property
    def message(self) -> str:
        """Return GitHub's own sentence on one line, at most 200 characters; empty if there is none."""
        message = self.content.get("message") if isinstance(self.content, dict) else None
        return " ".join(message.split())[:200] if isinstance(message, str) else ""


def share(response: Response) -> float | None:
    """Return the share of the list, 0.0 to 1.0, up to this page; None for lists that are paged by cursor."""
    links = response.links
    if "next" not in links:
        return 1.0
    following, last = (_page_number(links.get(rel, "")) for rel in ("next", "last"))
    if following is None or last is None:
        return None
    return (following - 1) / max(last, 1)


def limit_wait(response: Response, refusals: int) -> float | None:
    """Return the seconds to wait before the next try; None unless a rate limit refused the request.

    `refusals` counts the earlier refusals of this request: a secondary limit doubles the wait each time.
    """
    if response.status not in {403, 429}:
        return None
    after = response.headers.get("retry-after", "")
    if after.isdecimal():
        return min(max(float(after), 1.0), _FAR_SECONDS)  # at once would be more than one write a second
    seconds = seconds_until_reset(response)
    if seconds is not None:
        return seconds
    if response.status == 429 or "rate limit" in response.message.lower():
        return float(SECONDARY_LIMIT_SECONDS * 2**refusals)
    return None


def seconds_until_reset(response: Response) -> float | None:
    """Return the seconds until the next window; None if this window still allows requests."""
    reset = response.headers.get("x-ratelimit-reset", "")
    if response.headers.get("x-ratelimit-remaining") != "0" or not reset.isdecimal():
        return None
    return max(int(reset) - response.date.timestamp(), 0.0) + 1.0 if len(reset) < 12 else None


def check_status(response: Response) -> None:
    """Raise Unavailable or one of its kinds with one sentence unless the status is 200 to 299."""
    status, url = response.status, without_query(response.url)
    if 200 <= status < 300:
        return
    if status == 401:
        raise _unauthorized(response)
    if status == 403 and "suspended" in response.message:
        raise Suspended(
            "app_suspended",
            f"{response.message.rstrip('.')} (403): unsuspend the GitHub App in the settings of the account "
            "that installed it, at Applications.",
        )
    if status == 404 and response.message == "Integration not found":
        raise Unavailable("app_refused", "GITHUB_APP_ID is the id of no GitHub App (404); correct it.")
    if response.location is not None:
        raise NotFound("moved_away", f"{url} answered {status}: it is at another address now.")
    if status in {404, 410, 451}:
        raise NotFound("not_found", f"{url} does not exist, or the token may not read it ({status}).")
    if status == 422 and "pagination" in response.message.lower():
        reason = "cursor_needed" if "page parameter" in response.message else "list_ends"
        raise PaginationLimit(reason, f"{url} is not listed any further.")
    sentence = f"{url} answered {status}: {response.message or response.reason}"
    raise {403: Forbidden, 422: Invalid}.get(status, Unavailable)("github_refused", sentence)


def _unauthorized(response: Response) -> Unavailable:
    """Return what a 401 means: GitHub refuses a token with other words than an App's signature."""
    if "'exp'" in response.message or "'iat'" in response.message:
        return Unavailable(
            "app_clock_off",
            "GitHub refuses the times that the GitHub App signs with (401): this machine's clock is wrong. "
            f"GitHub's shows {response.date:%Y-%m-%d %H:%M:%S} UTC; set this one by a time server.",
        )
    if "JSON web token" in response.message:
        return Unavailable(
            "app_refused",
            "GITHUB_APP_KEY_FILE holds no key of the GitHub App of GITHUB_APP_ID (401); generate a private "
            "key on the App's page at GitHub, or correct the id.",
        )
    return Unavailable(
        "token_refused", "GitHub refuses the token (401): it has expired or is wrong; set a new one."
    )


def check_moved_list(response: Response, url: str) -> None:
    """Raise NotFound if the URL of a list has led to one object, such as a transferred issue."""
    if isinstance(response.content, dict) and without_query(response.url) != without_query(url):
        raise NotFound("moved_away", f"{without_query(url)} is at another address now.")


def require_objects(response: Response, items: Any) -> tuple[Mapping[str, Any], ...]:
    """Return the items of an answer. Raises Unavailable unless they are a list of JSON objects."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        url = without_query(response.url)
        raise Unavailable("github_odd", f"{url} did not answer what GitHub's API answers.")
    return tuple(items)


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port; an empty scheme for what is not a URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port


def without_query(url: str) -> str:
    """Return the URL up to its query, as messages show it."""
    return url.split("?", maxsplit=1)[0]


def _page_number(url: str) -> int | None:
    number = "".join(parse_qs(urlsplit(url).query).get("page", []))
    return int(number) if number.isdecimal() else None
