"""[people] in config/routes.toml: the Slack user of each GitHub login."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.file_rules import LOGIN

_USER = re.compile(r"[UW][A-Z0-9]+")


def parse(text: str) -> dict[str, str]:
    """Return the Slack ids by login, in lower case, of a routes file. Raises ConfigurationError."""
    try:
        table = tomllib.loads(text).get("people", {})
    except (ValueError, RecursionError) as error:
        raise ConfigurationError([f"routes file: {error}"]) from error
    if not isinstance(table, dict):
        raise ConfigurationError(["routes file: write the people as one table [people]"])
    if found := [f"routes file: people: {problem}" for _, problem in problems(table)]:
        raise ConfigurationError(found)
    return by_login(table)


def problems(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each problem of the table with its key."""
    first: dict[str, str] = {}
    for login, user in table.items():
        if not LOGIN.fullmatch(login):
            yield login, f"{login!r} is not a GitHub login"
        elif first.setdefault(login.lower(), login) != login:
            yield login, f"{login!r} is listed as {first[login.lower()]!r} too; case does not matter"
        if not isinstance(user, str) or not _USER.fullmatch(user):
            yield login, f"{login!r} needs a Slack user id such as U0123456789"


def by_login(table: Mapping[str, str]) -> dict[str, str]:
    """Return the table with its logins in lower case."""
    return {login.lower(): user for login, user in table.items()}
