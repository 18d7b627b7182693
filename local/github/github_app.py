"""A GitHub App: who may ask as the App or as one of its installations, and what GitHub answers to others.

Rules: https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app and .../rest/apps
"""

import functools
import itertools
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.github.errors import ApiError, not_found

PLACE = "GitHub App"  # where Hooks keep the App's own webhook; no repository or organization is called so
HOOK_ID = 99
APP_ID = 12345
SLUG = "issuewire"
LOGIN = f"{SLUG}[bot]"  # acts for the App's installations
TOKEN_VALID = timedelta(hours=1)
JWT_VALID = timedelta(minutes=10)
_OF_APP = re.compile(r"/app(/.*)?|/(repos/[^/]+/[^/]+|orgs/[^/]+|repositories/\d+)/installation")

type Json = dict[str, Any]


@functools.cache
def private_key() -> str:
    """Return the key that GitHub gave for the App, as its .pem file has it; the same in all of a process."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - most users have no App
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@functools.cache
def _public_key() -> Any:
    """Return the key that checks the App's signatures; to read a private key takes 50 ms."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    return load_pem_private_key(private_key().encode(), password=None).public_key()


@dataclass(slots=True, kw_only=True)
class Installation:
    """The App on one account; `repositories` None means all of them. `permissions` are GitHub's names."""

    id: int
    account: str
    repositories: set[str] | None = None
    suspended_at: str | None = None
    permissions: Mapping[str, str] = field(
        default_factory=lambda: {"issues": "read", "metadata": "read", "repository_hooks": "write"}
    )

    def covers(self, source: str) -> bool:
        """Return whether the App is installed on OWNER/REPO or the organization."""
        owner, _, name = source.lower().partition("/")
        is_selected = not name or self.repositories is None or source.lower() in self.repositories
        return owner == self.account.lower() and is_selected

    def as_json(self) -> Json:
        """Return it as the API shows it."""
        return {
            "id": self.id,
            "account": {"login": self.account},
            "app_id": APP_ID,
            "repository_selection": "all" if self.repositories is None else "selected",
            "permissions": dict(self.permissions),
            "suspended_at": self.suspended_at,
        }


class GitHubApp:
    """One App with the key of `private_key`. `tokens` has those of installations, with their ends."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.installations: list[Installation] = []
        self.tokens: dict[str, tuple[Installation, datetime]] = {}
        self._clock = clock
        self._ids = itertools.count(1)

    def install(self, account: str, **more: Any) -> Installation:
        """Install the App on an account."""
        installation = Installation(id=next(self._ids), account=account, **more)
        self.installations.append(installation)
        return installation

    def find(self, source: str) -> Installation:
        """Return the installation on OWNER/REPO or the organization. Raises ApiError."""
        return next((each for each in self.installations if each.covers(source)), None) or _none()

    def is_on(self, source: str) -> bool:
        """Return whether the App is installed on OWNER/REPO or the organization."""
        return any(each.covers(source) for each in self.installations)

    def create_token(self, number: int) -> Json:
        """Return a token of an installation, valid for an hour. Raises ApiError."""
        installation = next((each for each in self.installations if each.id == number), None) or _none()
        _check_suspended(installation)
        token, ends_at = f"ghs_{secrets.token_hex(18)}", self._clock() + TOKEN_VALID
        self.tokens[token] = installation, ends_at
        permissions = dict(installation.permissions)
        return {"token": token, "expires_at": f"{ends_at:%Y-%m-%dT%H:%M:%SZ}", "permissions": permissions}

    def check(self, token: str, path: str, source: str | None, method: str = "GET") -> bool:
        """Return whether the token is the App's, for a path and the repository or account that it names.

        Raises ApiError for what GitHub refuses to the App.
        """
        if _OF_APP.fullmatch(path):
            self._check_jwt(token)
            return True
        if token not in self.tokens:
            return False
        installation, ends_at = self.tokens[token]
        if self._clock() >= ends_at:
            raise ApiError(401, "Bad credentials")
        _check_suspended(installation)
        if source is not None and not installation.covers(source):
            raise not_found()
        kind = "repository_hooks" if "/" in (source or "") else "organization_hooks"
        is_hidden = "/hooks" in path and kind not in installation.permissions
        is_change = "/issues" in path and method != "GET"
        if is_hidden or (is_change and installation.permissions.get("issues") != "write"):
            raise ApiError(403, "Resource not accessible by integration")
        return True

    def _check_jwt(self, token: str) -> None:
        """Raise ApiError unless it is a JWT that GitHub takes now."""
        import jwt  # noqa: PLC0415 - most users have no App

        unchecked = {"verify_signature": False, "verify_exp": False, "verify_iat": False}
        try:
            if str(jwt.decode(token, options=unchecked).get("iss")) != str(APP_ID):
                raise ApiError(404, "Integration not found")
            checked = unchecked | {"verify_signature": True, "verify_iss": False}
            claims = jwt.decode(token, _public_key(), algorithms=["RS256"], options=checked)  # type: ignore[arg-type]
        except jwt.PyJWTError as error:
            raise ApiError(401, "A JSON web token could not be decoded") from error
        now, expires, issued = self._clock().timestamp(), claims.get("exp"), claims.get("iat")
        if not isinstance(issued, int) or issued > now:
            raise ApiError(
                401,
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was "
                "issued",
            )
        if not isinstance(expires, int) or expires <= now:
            raise ApiError(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at "
                "which the assertion expires",
            )
        if expires > now + JWT_VALID.total_seconds():
            raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")


def _none() -> Installation:
    raise not_found()


def _check_suspended(installation: Installation) -> None:
    if installation.suspended_at is not None:
        raise ApiError(403, "This installation has been suspended")
