"""The settings of notify_slack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pipeline.settings import RotatingToken, SettingsReader

from .routing.eligibility import GITHUB_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`token` is a bot token or an incoming webhook's URL; `api_url` is empty for Slack itself."""

    token: RotatingToken
    api_url: str
    github_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raise ConfigurationError naming every wrong setting."""
        with SettingsReader(environment) as read:
            return cls(
                token=read.token("SLACK_TOKEN", "a bot token, or an incoming webhook's URL"),
                api_url=read.url("SLACK_API_URL"),
                github_url=read.url("GITHUB_URL", GITHUB_URL),
            )
