"""The settings of whatever reads GitHub: a token, or a GitHub App."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pipeline.settings import RotatingToken, SettingsReader

# https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/managing-private-keys-for-github-apps
_KEY = re.compile(r"-----BEGIN (RSA )?PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END (RSA )?PRIVATE KEY-----")
_APP_ID = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_TOKENS = ("GITHUB_TOKEN_FILE", "GITHUB_TOKEN")


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A GitHub App: its id, and its private key, which is read again for every use."""

    id: str
    key: RotatingToken


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubSettings:
    """Where the REST API is, without a slash at its end, and what to ask with: the App, or the token."""

    api_url: str
    token: RotatingToken
    app: App | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raise ConfigurationError naming every wrong setting."""
        with SettingsReader(environment) as read:
            app = _app(read) if is_app(environment) else None
            return cls(
                app=app,
                token=_token(read) if app is None else RotatingToken(name="GITHUB_TOKEN"),
                api_url=read.url("GITHUB_API_URL", "https://api.github.com"),
            )


def is_app(environment: Mapping[str, str]) -> bool:
    """Return whether a setting of a GitHub App is there."""
    return any(environment.get(name, "").strip() for name in ("GITHUB_APP_ID", "GITHUB_APP_KEY_FILE"))


def has_credentials(environment: Mapping[str, str]) -> bool:
    """Return whether a token or a GitHub App is set."""
    return is_app(environment) or any(environment.get(name, "").strip() for name in _TOKENS)


def _token(read: SettingsReader) -> RotatingToken:
    what = "a token that may read issues, unless GITHUB_APP_ID and GITHUB_APP_KEY_FILE name a GitHub App"
    return read.token("GITHUB_TOKEN", what, if_blank="malformed")


def _app(read: SettingsReader) -> App:
    for name in _TOKENS:
        if read.text(name):
            read.problem(f"GITHUB_APP_ID and {name} are both set; unset the one that is not meant")
    file = read.file("GITHUB_APP_KEY_FILE")
    if file is None:
        read.problem("GITHUB_APP_KEY_FILE is not set (the file of the GitHub App's private key)")
    return App(
        id=read.matching(
            "GITHUB_APP_ID", _APP_ID, "a number, the App ID that the App's page at GitHub shows"
        ),
        key=RotatingToken(
            name="GITHUB_APP_KEY", file=file, if_blank="malformed", form=_KEY, kind="private key"
        ),
    )
