"""What a GitHub App authorizes its requests with: its own signature, or a token of one of its installations.

Rules: https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clients.github.responses import NotFound
from clients.github.settings import App
from pipeline.delivery import parse_time
from pipeline.errors import Unavailable

# A JWT may be valid for ten minutes at most. It begins a minute ago, because clocks differ.
BEGAN = timedelta(minutes=1)
ENDS_IN = timedelta(minutes=9)
RENEW_BEFORE = timedelta(minutes=5)  # of the hour that an installation's token is valid

_OF_APP = re.compile(r"/app(/.*)?|/(repos/[^/]+/[^/]+|orgs/[^/]+|repositories/\d+)/installation")
_OF_SOURCE = re.compile(r"/(?:repos/(?P<repository>[^/]+/[^/]+)|orgs/(?P<organization>[^/]+))(/.*)?")

# Sends a request of the App itself, by method and path, and returns the JSON value of the answer.
type Ask = Callable[[str, str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    value: str
    ends_at: datetime


class AppToken:
    """The credential for each path of the API; tokens are kept in memory, one for each installation."""

    def __init__(self, app: App, ask: Ask, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._ask = ask
        self._clock = clock
        self._installations: dict[str, int] = {}
        self._tokens: dict[int, _Token] = {}
        self._latest: int | None = None
        self._signed: tuple[str, _Token] | None = None  # with the key

    def read(self, path: str) -> str:
        """Return what authorizes a request of the path. Raises Unavailable."""
        if _OF_APP.fullmatch(path):
            return self._signature()
        self._latest = self._installation(path)
        token = self._tokens.get(self._latest)
        if token is None or self._clock() >= token.ends_at - RENEW_BEFORE:
            token = self._renew(path)
        return token.value

    def forget(self, path: str) -> bool:
        """Drop the token that GitHub refused for the path; return whether another one can be had."""
        return not _OF_APP.fullmatch(path) and self._tokens.pop(self._installation(path), None) is not None

    def _signature(self) -> str:
        """Return a JWT of the App: the last one, unless it ends soon or the key was replaced."""
        now, key = self._clock(), self._app.key.read()
        if self._signed is None or self._signed[0] != key or now >= self._signed[1].ends_at - BEGAN:
            self._signed = key, _Token(value=self._sign(key, now), ends_at=now + ENDS_IN)
        return self._signed[1].value

    def _sign(self, key: str, now: datetime) -> str:
        import jwt  # noqa: PLC0415 - a run with a token need not wait for it

        claims = {"iat": int((now - BEGAN).timestamp()), "exp": int((now + ENDS_IN).timestamp())}
        try:
            signed: str = jwt.encode(claims | {"iss": self._app.id}, key, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unavailable(
                "github_app_key_malformed",
                "GITHUB_APP_KEY_FILE is no RSA private key; store the .pem file that GitHub gave as it is.",
            ) from error
        return signed

    def _installation(self, path: str) -> int:
        """Return the id of the App's installation for a path.

        A path that names no account, such as that of a list's next page, belongs to the request before it.
        """
        source = _OF_SOURCE.fullmatch(path)
        if source is None:
            return self._any() if self._latest is None else self._latest
        repository, organization = source["repository"], source["organization"]
        owner = f"/orgs/{organization or repository.partition('/')[0]}".lower()
        own = owner if organization else f"/repos/{repository}".lower()
        for known in (owner, own):
            if known in self._installations:
                return self._installations[known]
        self._installations[own] = self._find(own, organization or repository)
        return self._installations[own]

    def _find(self, base: str, name: str) -> int:
        """Ask GitHub for the installation. Raises NotFound if there is none."""
        try:
            found = self._ask("GET", f"{base}/installation")
        except NotFound as error:
            raise NotFound("app_not_installed", self._not_installed(f"on {name}")) from error
        return _read(found, "id", int)

    def _any(self) -> int:
        """Return an installation; each may read what is public."""
        found = self._ask("GET", "/app/installations")
        if found == []:
            raise Unavailable("app_not_installed", self._not_installed("anywhere"))
        return _read(found[0] if isinstance(found, list) else found, "id", int)

    def _not_installed(self, where: str) -> str:
        return f"The GitHub App {self._app.id} is not installed {where}; install it from its page at GitHub."

    def _renew(self, path: str) -> _Token:
        """Ask GitHub for a new token. The App may have been removed and installed again meanwhile."""
        try:
            return self._create(self._installation(path))
        except NotFound:
            self._installations = {
                place: known for place, known in self._installations.items() if known != self._latest
            }
            self._latest = self._installation(path)
            return self._create(self._latest)

    def _create(self, installation: int) -> _Token:
        try:
            found = self._ask("POST", f"/app/installations/{installation}/access_tokens")
        except NotFound as error:
            raise NotFound("app_not_installed", self._not_installed("there any more")) from error
        ends_at = parse_time(_read(found, "expires_at", str))
        token = _Token(value=_read(found, "token", str), ends_at=ends_at or self._clock())
        self._tokens[installation] = token
        return token


def _read[T](found: Any, name: str, kind: type[T]) -> T:
    value = found.get(name) if isinstance(found, dict) else None
    if not isinstance(value, kind):
        raise Unavailable("github_odd", f"GitHub answers to the GitHub App without {name}.")
    return value
