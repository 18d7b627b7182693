"""The settings of triage."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from clients.github.settings import GitHubSettings, is_app
from pipeline.settings import SettingsReader, collect_problems

_DATASET = re.compile(r"([\w.-]+:)?[\w-]+\.\w+")
_MODE = re.compile("dry-run|act")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What triage needs. Without a GitHub App, `github` is None and GitHub is not asked."""

    dry_run: bool
    dataset: str
    github: GitHubSettings | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raise ConfigurationError naming every wrong setting."""
        (dry_run, dataset), github = collect_problems(lambda: _own(environment), lambda: _github(environment))
        return cls(dry_run=dry_run, dataset=dataset, github=github)


def _own(environment: Mapping[str, str]) -> tuple[bool, str]:
    with SettingsReader(environment) as read:
        mode = read.optional("TRIAGE_MODE", _MODE, "dry-run or act")
        if mode == "act" and not is_app(environment):
            read.problem(
                "TRIAGE_MODE is act, which needs a GitHub App, and GITHUB_APP_ID and GITHUB_APP_KEY_FILE are "
                "not set"
            )
        return mode != "act", read.matching("BIGQUERY_DATASET", _DATASET, "PROJECT.DATASET")


def _github(environment: Mapping[str, str]) -> GitHubSettings | None:
    """Return the App. A token is of no use: its login is a person, who does other things, too."""
    return GitHubSettings.from_environment(environment) if is_app(environment) else None
