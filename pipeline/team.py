"""config/team.toml: who is who. Every key that is not read here is for others."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """`bots` are the logins, in lower case, of accounts of type User that are bots."""

    bots: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the file's text. Raises ConfigurationError."""
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError([f"team file: {error}"]) from error
        bots = document.get("bots", {})
        logins = bots.get("logins", []) if isinstance(bots, dict) else None
        if not isinstance(logins, list) or not all(isinstance(login, str) for login in logins):
            raise ConfigurationError(['team file: write [bots] with logins = ["a-login"]'])
        return cls(bots=tuple(login.lower() for login in logins))

    @classmethod
    def read(cls, environment: Mapping[str, str], folder: Path) -> Self:
        """Read TEAM_FILE, or `folder`/team.toml if there is one. Raises ConfigurationError."""
        named = environment.get("TEAM_FILE", "").strip()
        path = Path(named) if named else folder / "team.toml"
        if not named and not path.exists():
            return cls()
        try:
            return cls.parse(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                [f"TEAM_FILE cannot be read ({type(error).__name__}: {path})"]
            ) from error
