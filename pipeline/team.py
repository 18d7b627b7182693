"""config/team.toml: who is who, when work is done, and what is promised."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

from pipeline.accounts import Accounts
from pipeline.errors import ConfigurationError
from pipeline.settings import read_file
from pipeline.targets import Target
from pipeline.working_hours import ALWAYS, Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPlan:
    """When which channel gets a digest of which repositories.

    `channels` maps a channel's id to globs over owner/name. `weekly` is the weekday of the week's numbers,
    Monday is 0, None for never. Issues opened before the day `since` are in no digest.
    """

    channels: Mapping[str, tuple[str, ...]]
    at: time
    weekly: int | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Team(Accounts):
    """The whole file. The first of the `targets` that matches an issue counts."""

    hours: Hours = ALWAYS
    targets: tuple[Target, ...] = ()
    digest: DigestPlan | None = None

    @classmethod
    def parse(cls, text: str) -> "Team":
        """Read the file's text. Raises ConfigurationError naming every problem with its line."""
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError([f"team file: {error}"]) from error
        if not document:
            return cls()
        from pipeline.team_file import read_document  # noqa: PLC0415 - a start without a team does not wait

        return read_document(text, document)

    @classmethod
    def read(cls, environment: Mapping[str, str], folder: Path) -> "Team":
        """Read TEAM_FILE, or `folder`/team.toml if there is one. Raises ConfigurationError."""
        default = folder / "team.toml"
        if not environment.get("TEAM_FILE", "").strip() and not default.exists():
            return cls()
        return cls.parse(read_file(environment, "TEAM_FILE", default))
