"""The settings of digest, the team and the people."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from clients.github.settings import GitHubSettings, has_credentials
from clients.slack.webhook import is_webhook_url
from pipeline import people
from pipeline.errors import ConfigurationError, Unavailable
from pipeline.settings import RotatingToken, SettingsReader, collect_problems, read_file
from pipeline.team import DigestPlan, Team

_DATASET = re.compile(r"([\w.-]+:)?[\w-]+\.\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run needs. `github` is None without a token or a GitHub App.

    `people` are Slack ids by login in lower case; `card_channels` are the channels of the routes.
    """

    token: RotatingToken
    api_url: str
    github_url: str
    dataset: str
    github: GitHubSettings | None
    team: Team
    plan: DigestPlan
    people: Mapping[str, str]
    card_channels: tuple[str, ...]

    @classmethod
    def read(cls, environment: Mapping[str, str], folder: Path) -> Self:
        """Raise ConfigurationError naming every wrong setting, and every problem of both files."""
        (own, github), (planned, routed) = collect_problems(
            lambda: collect_problems(lambda: _own(environment), lambda: _github(environment)),
            lambda: collect_problems(
                lambda: _team(environment, folder),
                lambda: _routes(read_file(environment, "ROUTES_FILE", folder / "routes.toml")),
            ),
        )
        team, plan = planned
        known, channels = routed
        return cls(github=github, team=team, plan=plan, people=known, card_channels=channels, **own)

    def bot_token(self) -> str:
        """Return the present token. Raises Unavailable if it is an incoming webhook's URL."""
        token = self.token.read()
        if is_webhook_url(token):
            text = "The digest needs a bot token (xoxb-...): an incoming webhook shows no history."
            raise Unavailable("slack_token_webhook", text)
        return token


def _own(environment: Mapping[str, str]) -> dict[str, Any]:
    with SettingsReader(environment) as read:
        return {
            "token": read.token("SLACK_TOKEN", "a bot token"),
            "api_url": read.url("SLACK_API_URL"),
            "github_url": read.url("GITHUB_URL", "https://github.com"),
            "dataset": read.matching("BIGQUERY_DATASET", _DATASET, "PROJECT.DATASET"),
        }


def _github(environment: Mapping[str, str]) -> GitHubSettings | None:
    if not has_credentials(environment):
        return None
    return GitHubSettings.from_environment(environment)


def _routes(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the people and the channels of the routes, which notify_slack checks."""
    known = people.parse(text)
    routes = tomllib.loads(text).get("route", [])
    tables = routes if isinstance(routes, list) else []
    lists = [route.get("channels") for route in tables if isinstance(route, dict)]
    named = [
        channel for each in lists if isinstance(each, list) for channel in each if isinstance(channel, str)
    ]
    return known, tuple(dict.fromkeys(named))


def _team(environment: Mapping[str, str], folder: Path) -> tuple[Team, DigestPlan]:
    team = Team.read(environment, folder=folder)
    if team.digest is None:
        raise ConfigurationError(["team file: there is no [digest] with channels"])
    return team, team.digest
