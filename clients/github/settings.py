"""The settings of commands that read GitHub."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pipeline.settings import RotatingToken, SettingsReader


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubSettings:
    """Where the REST API is, without a slash at its end, and the token to read it with."""

    api_url: str
    token: RotatingToken

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raise ConfigurationError naming every wrong setting."""
        with SettingsReader(environment) as read:
            return cls(
                token=read.token("GITHUB_TOKEN", "a token that may read issues", if_blank="malformed"),
                api_url=read.url("GITHUB_API_URL", "https://api.github.com"),
            )
